package dashboard_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// A panel that a filter has emptied says so, and not that nothing happens here;
// one that is empty anyhow says that.
func TestAFilterIsNotMistakenForQuiet(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "a.go")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	coordtest.Call(alice, tool.LogActionSummary, tool.LogActionSummaryIn{FilePath: "a.go", Summary: "edit"})
	alice.Announce("a.go")
	bob.Announce("a.go")
	carol := home.Agent("carol", shop.Dir)
	carol.Status()
	b := open(t, home)
	b.wait("all panels have something", `document.querySelector('.card') && document.querySelector('#leases li') && document.querySelector('#files li')`)

	search := func(text string) {
		eval[bool](b, `(document.querySelector('input[type=search]').focus(), true)`)
		b.do(chromedp.KeyEvent(text))
	}
	search("zzz")
	for panel, lie := range map[string]string{"agents": "Nobody", "leases": "No file is held", "consultations": "Nothing to settle", "files": "No file was edited", "lanes": "A lane appears", "timeline": "Nothing has happened"} {
		b.wait(panel+" says that nothing matches", fmt.Sprintf(`document.querySelector('#%s').innerText.includes('matches “zzz”')`, panel))
		if text := eval[string](b, fmt.Sprintf(`document.querySelector('#%s').innerText`, panel)); strings.Contains(text, lie) {
			t.Errorf("%s claims %q: %s", panel, lie, text)
		}
	}
	if text := eval[string](b, `document.querySelector('#tokens').innerText`); !strings.Contains(text, "No agent has reported") {
		t.Errorf("tokens, which are empty without a filter too: %s", text)
	}
	b.window("filtered")
	b.do(chromedp.Click(chromedp.CSS("#files .empty .link")))
	b.wait("all is back", `document.querySelector('.card') && document.querySelector('#files li') && document.querySelector('input[type=search]').value === ''`)

	eval[bool](b, `([...document.querySelectorAll('#agents button')].find(e => e.innerText.includes('carol')).click(), true)`)
	b.wait("carol has no consultation", `document.querySelector('#consultations').innerText.includes('matches carol')`)
	if text := eval[string](b, `document.querySelector('.glance').innerText`); !strings.Contains(text, "bob for alice") {
		t.Errorf("the summary changes with the filter: %s", text)
	}
	b.do(chromedp.Click(chromedp.CSS("#consultations .empty .link")))
	b.wait("all is back again", `document.querySelector('.card')`)

	// What is searched are the words shown, not the names of fields.
	search("waiting")
	b.wait("the lease says nothing of the kind", `document.querySelector('#files').innerText.includes('matches “waiting”')`)
	b.clean()
}

// The figures of a project are its own, and those that cannot be told by agent
// say so.
func TestTheFiguresFollowTheFilter(t *testing.T) {
	home, shop, bank := newHome(t), coordtest.NewRepo(t, "shop", "a.go"), coordtest.NewRepo(t, "bank", "b.go")
	alice, bob, carol := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir), home.Agent("carol", bank.Dir)
	alice.Announce("a.go")
	bob.Announce("a.go")
	carol.Announce("b.go")
	b := open(t, home)
	pick := func(what, value string) {
		eval[bool](b, fmt.Sprintf(`(s => { s.value = [...s.options].find(o => o.text.includes('%s')).value; return s.dispatchEvent(new Event('change', { bubbles: true })) })(document.querySelector('select[aria-label=%s]'))`, value, what))
	}
	shows := func(what string, consultations int, note string) {
		t.Helper()
		b.wait(what, fmt.Sprintf(`document.querySelector('#scoring .strong')?.innerText === '%d' && document.querySelector('#consensus').innerText.includes('No consultation') === %t &&
			document.querySelector('#scoring .note').innerText === 'threads by layer, %s' && document.querySelector('#consensus .note').innerText === '%[3]s'.replace('24', 'last 24')`,
			consultations, consultations == 0, note))
	}
	shows("the figures are of all", 1, "24 h")
	project := func(a *coordtest.Agent) string {
		return string(coordtest.Call(a, tool.RegisterAgent, tool.RegisterAgentIn{Name: a.Name}).Project)
	}
	pick("Project", project(carol))
	shows("the bank has no consultation", 0, "24 h")
	pick("Project", project(alice))
	shows("the shop has one", 1, "24 h")
	pick("Agent", "bob")
	shows("they are of all agents", 1, "all agents, 24 h")
	pick("Agent", "All")

	uses := fmt.Sprintf(`{"agent":%q,"uses":[{"model":"m","input":7,"output":1}]}`, alice.ID())
	if status := post(t, home, "/api/tokens", uses); status != http.StatusOK {
		t.Fatalf("POST /api/tokens: %d", status)
	}
	b.wait("alice's tokens are there", `document.querySelector('#tokens tbody')?.innerText.includes('alice')`)
	pick("Agent", "bob")
	b.wait("they are not bob's", `document.querySelector('#tokens').innerText.includes('1 hidden')`)
	b.clean()
}

// newcomers gives what makes sessions that announce a file, on the hub's socket:
// many of them as programs would be work for a busy machine.
func newcomers(t *testing.T, home *coordtest.Home) (join func(name string)) {
	t.Helper()
	if out, err := home.Command("start").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := client.Dial(home.Hub().Socket)
	t.Cleanup(c.Close)
	return func(name string) {
		t.Helper()
		me, err := c.Register(t.Context(), coord.Registration{Client: coord.ClientInfo{Name: "rest"}, Project: "shop", Workspace: "host:/shop", Host: "host", Label: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(t.Context(), me.SessionKey, tool.AnnounceWork.Name, json.RawMessage(fmt.Sprintf(`{"subject":"work","target_files":["%s.go"]}`, name)), ""); err != nil {
			t.Fatal(err)
		}
	}
}

// An agent has one colour: in another browser, after a reload, and when others
// have come, whatever their names; the first eight differ.
func TestAnAgentKeepsItsColour(t *testing.T) {
	home := newHome(t)
	joins := newcomers(t, home)
	names := []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace"}
	for _, name := range names {
		joins(name)
	}
	// By name, read where it stands in the list of agents and in the timeline.
	colours := func(b *tab, n int) map[string]string {
		t.Helper()
		b.wait("all are listed", fmt.Sprintf(`document.querySelectorAll('#agents .agent').length === %d && document.querySelectorAll('#timeline .of-work').length === %d`, n, n))
		read := func(where string) map[string]string {
			return eval[map[string]string](b, `Object.fromEntries([...document.querySelectorAll('`+where+` .who')].map(w => [w.innerText.trim(), w.querySelector('.swatch').style.background]))`)
		}
		listed, told := read("#agents"), read("#timeline")
		if !maps.Equal(listed, told) {
			t.Errorf("the list has %v, the timeline %v", listed, told)
		}
		return listed
	}
	first := open(t, home)
	want := colours(first, len(names))
	joins("aaron")
	grown := colours(first, len(names)+1)
	distinct := map[string]bool{}
	for name, colour := range grown {
		distinct[colour] = true
		if was, known := want[name]; known && was != colour {
			t.Errorf("%s changes from %s to %s when aaron comes", name, was, colour)
		}
	}
	if len(distinct) != 8 {
		t.Errorf("eight agents share %d colours: %v", len(distinct), grown)
	}
	first.do(chromedp.Reload())
	if again := colours(first, len(names)+1); !maps.Equal(again, grown) {
		t.Errorf("after a reload %v, before %v", again, grown)
	}
	if other := colours(open(t, home), len(names)+1); !maps.Equal(other, grown) {
		t.Errorf("another browser shows %v, the first %v", other, grown)
	}
}

// The view of an agreed thread says what was agreed once, a link to it says what
// it is about, and who only waits for an answer is shown as waiting for whom.
func TestAThreadIsToldOnceAndByItsName(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "a.go")
	tree := shop.Worktree("tree") // so that nothing is refused, and the consultation alone holds bob up
	alice, bob := home.Agent("alice", tree.Dir), home.Agent("bob", shop.Dir)
	alice.Announce("a.go")
	th := *bob.Announce("a.go").ThreadID
	b := open(t, home)
	b.wait("bob waits for alice", `document.querySelector('#agents .waiting')?.innerText.includes('waits for alice') && document.querySelector('.glance').innerText.includes('bob for alice')`)
	if name := eval[string](b, `document.querySelector('#agents .waiting .thread-link').getAttribute('aria-label')`); name != string(th)+": work of bob" {
		t.Errorf("the link is called %q", name)
	}
	coordtest.Call(bob, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: th, Summary: "alice goes first"})
	coordtest.Call(alice, tool.ApproveResolution, tool.ApproveResolutionIn{ThreadID: th})
	eval[string](b, `location.hash = '#/`+string(th)+`'`)
	b.wait("the thread is shown as agreed", `document.querySelector('.thread .proposal')?.innerText.includes('Agreed: proposal 1 by bob')`)
	if n := eval[int](b, `document.querySelector('.thread').innerText.split('alice goes first').length - 1`); n != 1 {
		t.Errorf("what was agreed is told %d times: %s", n, eval[string](b, `document.querySelector('.thread').innerText`))
	}
	b.window("agreed")
	b.clean()
}

// A lease that was left is in nobody's way: the page offers nothing to release,
// and a release that comes too late says so.
func TestALeftLeaseIsNotReleased(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "a.go")
	alice := home.HookSession("alice", shop.Dir)
	alice.Start()
	alice.Prompt()
	shop.Write("a.go", "changed")
	alice.Edit("a.go")
	b := open(t, home)
	b.wait("alice holds it", `document.querySelector('#leases .held button')`)
	b.do(chromedp.Click(chromedp.CSS("#leases button")))
	b.wait("it is asked first", `document.querySelector('dialog[open]')?.innerText.includes('may be in the middle of an edit')`)
	alice.Stop()
	b.wait("she has left it", `document.querySelector('#leases .left')`)
	if text := eval[string](b, `document.querySelector('#leases').innerText`); strings.Contains(text, "Release") || !strings.Contains(text, "left it, free to take") {
		t.Errorf("a left lease: %s", text)
	}
	b.do(chromedp.Click(chromedp.CSS("dialog .danger")))
	b.wait("it was free already", `document.querySelector('.toast')?.innerText.includes('was free already')`)
	b.clean()
}

// Who was told that a file is free does not wait for it any more: neither the
// summary nor the file says so.
func TestWhoWasToldThatAFileIsFreeWaitsNoMore(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "a.go")
	alice, bob := home.HookSession("alice", shop.Dir), home.HookSession("bob", shop.Dir)
	for _, s := range []*coordtest.HookSession{alice, bob} {
		s.Start()
		s.Prompt()
	}
	shop.Write("a.go", "changed")
	alice.Edit("a.go")
	bob.Edit("a.go")
	b := open(t, home)
	b.wait("the file is wanted", `/Files wanted\s+1\s+a\.go/.test(document.querySelector('.glance').innerText) && document.querySelector('#leases .wanted')`)
	alice.Stop()
	b.wait("it is kept for bob", `/bob\s+reserved/.test(document.querySelector('#leases .line').innerText)`)
	b.wait("nobody waits for it", `/Files wanted\s+0\s+no waiting line/.test(document.querySelector('.glance').innerText) && !document.querySelector('#leases .wanted')`)
	b.clean()
}
