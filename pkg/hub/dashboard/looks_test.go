package dashboard_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// office is a busy repository: six sessions, two working trees, a consultation
// with a proposal, one without an answer, one that is settled, a waiting line, a
// task on offer.
type office struct {
	home   *coordtest.Home
	agents map[string]*coordtest.Agent
	open   coord.ThreadID // waits for an answer
}

func newOffice(t *testing.T) *office {
	t.Helper()
	home := newHome(t)
	shop := coordtest.NewRepo(t, "shop", "src/models/user.ts", "src/api/users.ts", "src/auth/login.ts", "db/migrations/0042_user_email.sql", "web/pages/profile.tsx")
	tree := shop.Worktree("search")
	o := &office{home: home, agents: map[string]*coordtest.Agent{}}
	for name, repo := range map[string]*coordtest.Repo{"alice": shop, "bob": shop, "carol": shop, "dave": tree, "erin": shop, "frank": tree} {
		o.agents[name] = home.Agent(name, repo.Dir)
		o.agents[name].Status()
	}
	edit := func(who, file, summary string) {
		coordtest.Call(o.agents[who], tool.LogActionSummary, tool.LogActionSummaryIn{FilePath: file, Summary: summary})
	}
	announce := func(who, subject string, files ...string) tool.AnnounceWorkOut {
		return coordtest.Call(o.agents[who], tool.AnnounceWork, tool.AnnounceWorkIn{Subject: subject, TargetFiles: files})
	}
	post := func(who string, th coord.ThreadID, kind coord.MessageType, text string) {
		coordtest.Call(o.agents[who], tool.PostToThread, tool.PostToThreadIn{ThreadID: th, Content: text, Type: kind})
	}
	announce("alice", "Rename User.name to displayName", "src/models/user.ts", "src/api/users.ts")
	edit("alice", "src/models/user.ts", "rename the field in the model")
	edit("alice", "src/api/users.ts", "use displayName in the answer")
	settled := *announce("bob", "Store an email address per user", "src/models/user.ts", "db/migrations/0042_user_email.sql").ThreadID
	post("bob", settled, coord.QuestionMessage, "May I add the email field before you rename?")
	post("alice", settled, coord.ContextMessage, "Yes. I rename once your field is in.")
	coordtest.Call(o.agents["bob"], tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: settled, Summary: "bob adds email and the migration, then alice renames."})
	coordtest.Call(o.agents["alice"], tool.ApproveResolution, tool.ApproveResolutionIn{ThreadID: settled})
	edit("bob", "db/migrations/0042_user_email.sql", "add the column")
	announce("carol", "Log in with a passkey", "src/auth/login.ts")
	edit("carol", "src/auth/login.ts", "registration ceremony")
	edit("carol", "src/auth/login.ts", "store the credential id")
	o.open = *announce("dave", "Rate limit the login form", "src/auth/login.ts").ThreadID
	post("dave", o.open, coord.WarningMessage, "I move the handler to its own file, which will conflict with your change.")
	second := *announce("erin", "Show the profile picture", "src/api/users.ts", "web/pages/profile.tsx").ThreadID
	coordtest.Call(o.agents["erin"], tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: second, Summary: "erin only adds a field at the end of the answer; alice keeps the rename."})
	edit("erin", "web/pages/profile.tsx", "avatar component")
	coordtest.Call(o.agents["frank"], tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "Write end-to-end tests for sign-up", TargetFiles: []string{"e2e/"}, KeepOpen: true})
	return o
}

// The pictures are for people; what can be checked is: no sideways scrolling,
// whatever the width, and a serious violation of accessibility nowhere.
func TestTheBusyPageInAllItsLooks(t *testing.T) {
	node := coordtest.NewNode(t)
	o := newOffice(t)
	b := open(t, o.home)
	b.wait("three are live", `document.querySelectorAll('#consultations .card').length === 3`)
	for _, theme := range []string{"light", "dark"} {
		b.prefer("prefers-color-scheme", theme)
		b.size(1440, 1000)
		b.fits(1440)
		b.shoot("busy-" + theme)
		b.accessible(node, "busy "+theme)
		eval[string](b, `location.hash = '#/`+string(o.open)+`'`)
		b.wait("the thread is open", `document.querySelector('.talk .message')`)
		b.fits(1440)
		b.shoot("thread-" + theme)
		b.accessible(node, "thread "+theme)
		b.size(390, 844)
		b.fits(390)
		b.window("thread-narrow-" + theme)
		b.overlay("narrow " + theme)
		b.size(768, 1024)
		b.fits(768)
		b.window("thread-middle-" + theme)
		b.overlay("middle " + theme)
		b.size(390, 844)
		b.do(chromedp.KeyEvent(kb.Escape))
		b.wait("the thread is closed", `!document.querySelector('.thread')`)
		b.fits(390)
		b.shoot("narrow-" + theme)
		b.accessible(node, "narrow "+theme)
	}
	for _, wide := range []int64{320, 768, 1024, 1180, 1920} {
		b.size(wide, 900)
		b.fits(wide)
		b.shoot(fmt.Sprintf("wide-%d", wide))
	}
	b.clean()
}

func TestTheEmptyPage(t *testing.T) {
	node := coordtest.NewNode(t)
	home := newHome(t)
	if out, err := home.Command("start").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := open(t, home)
	b.wait("it says how to begin", `document.querySelector('#agents').innerText.includes('coord-shim')`)
	for _, theme := range []string{"light", "dark"} {
		b.prefer("prefers-color-scheme", theme)
		b.shoot("empty-" + theme)
		b.accessible(node, "empty "+theme)
	}
	b.clean()
}

// overlay checks that the thread lies over the page: whole, as high as the
// window, with the page behind standing still.
func (b *tab) overlay(state string) {
	b.t.Helper()
	if bad := eval[string](b, `(() => {
		const panel = document.querySelector('.thread'), r = panel.getBoundingClientRect(), root = document.documentElement;
		if (r.left < 0 || r.right > root.clientWidth || r.top !== 0 || Math.abs(r.bottom - innerHeight) > 1) return 'the panel is at ' + JSON.stringify(r);
		if (panel.scrollWidth > panel.clientWidth) return 'the panel scrolls sideways';
		if (getComputedStyle(root).overflowY !== 'hidden') return 'the page behind scrolls';
		const post = document.querySelector('.reply .primary').getBoundingClientRect();
		return post.bottom > innerHeight ? 'Post cannot be seen' : '';
	})()`); bad != "" {
		b.t.Errorf("%s: %s", state, bad)
	}
}

// fits checks that nothing makes the page scroll sideways.
func (b *tab) fits(wide int64) {
	b.t.Helper()
	b.wait("the layout has settled", fmt.Sprintf(`innerWidth === %d`, wide))
	if got := eval[int64](b, `document.documentElement.scrollWidth`); got > wide {
		b.t.Errorf("%d px wide the page scrolls to %d px: %s", wide, got, eval[string](b, fmt.Sprintf(`[...document.querySelectorAll('#app *')].filter(e => e.getBoundingClientRect().right > %d + 1).slice(0, 5).map(e => e.tagName + '.' + e.className).join(', ')`, wide)))
	}
}

// accessible lets axe-core look at the page.
func (b *tab) accessible(node *coordtest.Node, state string) {
	b.t.Helper()
	if !eval[bool](b, `'axe' in window`) {
		source, err := os.ReadFile(node.File("axe-core/axe.min.js")) // #nosec G304 -- a package that we pin
		if err != nil {
			b.t.Fatal(err)
		}
		eval[bool](b, string(source)+"; true")
	}
	found := eval[[]string](b, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
		.map(v => v.id + ': ' + v.help + '\n  ' + v.nodes.slice(0, 6).map(n => n.html.slice(0, 160) + ' — ' + n.any.map(a => a.message).join('; ')).join('\n  ')))`)
	for _, v := range found {
		b.t.Errorf("%s: %s", state, v)
	}
}

// Everything can be reached and done with the keyboard, in an order that makes
// sense, and what has the focus can be seen.
func TestTheKeyboardReachesEverything(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "a.go")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	coordtest.Call(alice, tool.LogActionSummary, tool.LogActionSummaryIn{FilePath: "a.go", Summary: "edit"})
	alice.Announce("a.go")
	th := *bob.Announce("a.go").ThreadID
	b := open(t, home)
	b.wait("there is a card and a lease", `document.querySelector('.card') && document.querySelector('#leases button')`)

	var walk []string
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		at := eval[string](b, `(e => e === document.body ? '' : (e.getAttribute('aria-label') || e.innerText || e.tagName).trim().split('\n')[0])(document.activeElement)`)
		if at == "" {
			break
		}
		walk = append(walk, at)
		if !eval[bool](b, `(e => { const s = getComputedStyle(e), r = e.getBoundingClientRect(); return s.outlineStyle !== 'none' && r.width > 0 })(document.activeElement)`) {
			t.Errorf("the focus on %q cannot be seen", at)
		}
	}
	rest := walk
	for _, stop := range []string{"To the panels", "Agent", "Search", "Colours", "Agents here", "alice", "Release a.go", string(th), "15 min", "Messages"} {
		at := slices.IndexFunc(rest, func(name string) bool { return strings.HasPrefix(name, stop) })
		if at < 0 {
			t.Errorf("after %d stops there is no %q: %q", len(walk)-len(rest), stop, walk)
			continue
		}
		rest = rest[at+1:]
	}

	b.do(chromedp.KeyEvent("/"))
	if !eval[bool](b, `document.activeElement.type === 'search'`) {
		t.Error("/ does not lead to the search")
	}
	b.do(chromedp.KeyEvent("nothing-like-that"))
	b.wait("the search has filtered", `document.querySelectorAll('#timeline .event').length === 0 && document.querySelectorAll('.card').length === 0`)
	eval[bool](b, `(document.activeElement.select(), true)`)
	b.do(chromedp.KeyEvent(kb.Backspace))
	b.wait("everything is back", `document.querySelector('.card .thread-link')`)
	eval[bool](b, `(document.querySelector('.card .thread-link').focus(), true)`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.wait("the thread is open and has the focus", `document.activeElement.id === 'thread-title'`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.wait("it is closed and the focus is back", `!document.querySelector('.thread') && document.activeElement.classList.contains('thread-link')`)
	b.clean()
}

// A person can take part: post, close a thread, release a lease, each after a
// question where something ends, and the agents hear that it was a person.
func TestAPersonCanTakePart(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "a.go")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	coordtest.Call(alice, tool.LogActionSummary, tool.LogActionSummaryIn{FilePath: "a.go", Summary: "edit"})
	alice.Announce("a.go")
	th := *bob.Announce("a.go").ThreadID
	b := open(t, home)
	eval[string](b, `location.hash = '#/`+string(th)+`'`)
	b.wait("the thread can be answered", `document.querySelector('#reply-text')`)
	b.do(chromedp.Click(chromedp.CSS("#reply-text")), chromedp.KeyEvent("Let bob go first, please."))
	b.do(chromedp.Click(chromedp.CSS(".reply .primary")))
	b.wait("the post is in the conversation", `document.querySelector('.talk').innerText.includes('Let bob go first')`)
	said := alice.AwaitThat("the person's words", func(e coord.Event) bool {
		return e.Kind == coord.KindMessagePosted && strings.Contains(string(e.Payload), "Let bob go first")
	})
	if !said.Actor.IsHuman() {
		t.Errorf("alice is told that %s has said it", said.Actor)
	}
	press := func(selector string) {
		b.do(chromedp.Click(chromedp.CSS(selector)))
		b.wait("it is asked first", `document.querySelector('dialog[open]')`)
		b.shoot("confirm")
		b.do(chromedp.Click(chromedp.CSS("dialog .danger")))
	}
	press(".reply button[type=button]")
	b.wait("the thread is closed", `document.querySelector('.standing').innerText.includes('closed')`)
	b.do(chromedp.KeyEvent(kb.Escape))
	press("#leases button")
	b.wait("the lease is left", `document.querySelector('.toast')?.innerText.includes('Released')`)
	alice.AwaitThat("the release", func(e coord.Event) bool { return e.Kind == coord.KindFileReleased })
	b.wait("the timeline says so", `/\(a person\)\s+frees\s+a\.go/.test(document.querySelector('#timeline').innerText)`)
	b.do(chromedp.Click(chromedp.CSS("input[type=search]")), chromedp.KeyEvent("alice frees"))
	b.wait("it was not alice", `document.querySelector('#timeline').innerText.includes('matches “alice frees”')`)
	b.clean()
}
