package dashboard_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// An announcement in a real shim is on the page within a second; a consultation
// counts down, says who is awaited, and is settled before the reader's eyes.
func TestThePageShowsWhatHappensWithoutAReload(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "src/user.ts")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	alice.Status()
	b := open(t, home)
	b.wait("both agents are listed", `document.querySelectorAll('#agents .agent').length === 2`)
	eval[bool](b, `(window.loaded = true)`)

	start := time.Now()
	alice.Announce("src/user.ts")
	b.wait("the announcement is in the timeline", `document.querySelector('#timeline').innerText.includes('work of alice')`)
	if took := time.Since(start); took > time.Second {
		t.Errorf("an announcement took %v to appear", took)
	} else {
		t.Logf("an announcement took %v from the shim's call to the page", took)
	}

	th := *bob.Announce("src/user.ts").ThreadID
	card := `document.querySelector('#consultations [data-thread="` + string(th) + `"]')`
	b.wait("the consultation has a card", card)
	b.wait("alice is awaited", card+`.querySelector('.awaited')?.innerText.includes('alice')`)
	first := eval[string](b, card+`.querySelector('.countdown').innerText`)
	b.wait("the countdown moves", card+`.querySelector('.countdown').innerText !== "`+first+`"`)
	if !strings.HasPrefix(first, "9:5") && first != "10:00" {
		t.Errorf("the countdown begins at %s, want just under 10 min", first)
	}

	coordtest.Call(bob, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: th, Summary: "bob first, then alice"})
	b.wait("the proposal is shown", card+`.innerText.includes('bob first, then alice')`)
	coordtest.Call(alice, tool.ApproveResolution, tool.ApproveResolutionIn{ThreadID: th})
	b.wait("the card is gone and the thread among the settled ones", card+` === null && document.querySelector('#consultations .settled').innerText.includes('agreed')`)
	b.wait("consensus counts it", `document.querySelector('#consensus').innerText.includes('agreed')`)

	if !eval[bool](b, `window.loaded === true`) {
		t.Error("the page was loaded again")
	}
	if at := eval[string](b, `location.href`); !strings.HasSuffix(at, "/dashboard") {
		t.Errorf("the page is at %s", at)
	}
	b.clean()
}

// What peers write is shown as they wrote it and never becomes markup, wherever
// it stands.
func TestPeerTextIsShownAsText(t *testing.T) {
	const evil = `<img src=x onerror="window.evil=1"><script>window.evil=1</script>`
	home, shop := newHome(t), coordtest.NewRepo(t, "shop")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	coordtest.Call(alice, tool.RegisterAgent, tool.RegisterAgentIn{Name: `<b onclick=evil()>al`})
	coordtest.Call(alice, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "start " + evil, TargetFiles: []string{`src/<svg onload=1>.ts`}})
	coordtest.Call(alice, tool.LogActionSummary, tool.LogActionSummaryIn{Summary: evil})
	th := *coordtest.Call(bob, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: evil, TargetFiles: []string{`src/<svg onload=1>.ts`}}).ThreadID
	coordtest.Call(bob, tool.PostToThread, tool.PostToThreadIn{ThreadID: th, Content: evil + "\njavascript:evil()", Type: coord.WarningMessage})
	coordtest.Call(bob, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: th, Summary: evil})

	b := open(t, home)
	b.do(chromedp.Click(chromedp.CSS(`#consultations .thread-link`)))
	b.wait("the conversation is shown", `document.querySelector('.talk')?.innerText.includes('onerror')`)
	for _, place := range []string{"#consultations", "#timeline", ".thread h2", ".talk"} {
		if !eval[bool](b, `document.querySelector('`+place+`').innerText.includes('<img src=x onerror=')`) {
			t.Errorf("%s does not show the text as it is", place)
		}
	}
	if n := eval[int](b, `document.querySelectorAll('#app img[src="x"], #app script, #app svg[onload], #app [onclick], #app a[href^="javascript"]').length`); n > 0 {
		t.Errorf("%d pieces of peer text became elements", n)
	}
	if eval[bool](b, `'evil' in window`) {
		t.Error("peer text has run")
	}
	b.clean()
}

// A hub that dies is said to be gone; with the next one the page goes on where it
// was, without a gap, a repetition or a reload.
func TestThePageGoesOnWithTheNextHub(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop", "a.go")
	alice := home.Agent("alice", shop.Dir)
	alice.Announce("a.go")
	b := open(t, home)
	b.wait("the first announcement is there", `document.querySelectorAll('#timeline .event.of-work').length === 1`)
	eval[bool](b, `(window.loaded = true)`)
	home.KillHub()
	for _, file := range []string{"b.go", "c.go", "d.go"} {
		alice.Announce(file) // the shim starts the next hub
	}
	b.wait("the page is live again and has all four", `document.querySelector('.link-state.live') && document.querySelectorAll('#timeline .event.of-work').length === 4`)
	seqs := eval[[]int](b, `[...document.querySelectorAll('#timeline .event')].map(e => +e.dataset.seq)`)
	for i := 1; i < len(seqs); i++ {
		if seqs[i] != seqs[i-1]-1 {
			t.Errorf("events %v: a gap or a repetition after %d", seqs, seqs[i-1])
		}
	}
	if !eval[bool](b, `window.loaded === true`) {
		t.Error("the page was loaded again")
	}
	b.forgive()
	b.clean()
}

// While there is no hub the page says that what it shows is old.
func TestThePageSaysThatTheHubIsGone(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", shop.Dir)
	alice.Announce("a.go")
	b := open(t, home)
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	home.KillHub()
	b.wait("the page says so", `document.querySelector('.gone')?.innerText.includes('does not answer')`)
	b.prefer("prefers-color-scheme", "light")
	b.shoot("disconnected")
}

// The link works once; a browser without a key is told what to do.
func TestALinkLetsOneBrowserIn(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop")
	home.Agent("alice", shop.Dir).Status()
	link := linkOf(t, home)
	first, second := launch(t), launch(t)
	first.do(chromedp.Navigate(link.String()))
	first.wait("the first is in", `document.querySelector('.link-state.live')`)
	second.do(chromedp.Navigate(link.String()))
	second.wait("the second is told", `document.body.innerText.includes('coord-hub dashboard')`)
	second.shoot("denied")
	cookies := eval[string](first, `document.cookie`)
	if cookies != "" {
		t.Errorf("scripts can read the cookie: %s", cookies)
	}
}

// Tokens that are reported while somebody looks are shown without a reload.
func TestTokensAndQuotaAreShown(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", shop.Dir)
	id := alice.ID()
	b := open(t, home)
	b.wait("quota is said to be off", `document.querySelector('#quota').innerText.includes('COORDINATOR_QUOTA')`)
	b.wait("no tokens so far", `document.querySelector('#tokens').innerText.includes('No agent')`)
	body := fmt.Sprintf(`{"agent":%q,"uses":[{"model":"claude-sonnet","input":1200,"output":340,"cache_read":50000}]}`, id)
	if status := post(t, home, "/api/tokens", body); status != http.StatusOK {
		t.Fatalf("POST /api/tokens: %d", status)
	}
	b.wait("the tokens are there", `/alice\s+1\.2 k\s+340\s+50\.0 k/.test(document.querySelector('#tokens').innerText)`)
	b.clean()
}

// With a restored database the open page begins anew and says so: what the
// backup does not have is gone from it.
func TestThePageFollowsARestore(t *testing.T) {
	home, shop := newHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", shop.Dir)
	alice.Announce("kept.go")
	copied := filepath.Join(t.TempDir(), "copy.db")
	run := func(args ...string) {
		t.Helper()
		if out, err := home.Command(args...).CombinedOutput(); err != nil {
			t.Fatalf("coord-hub %v: %v: %s", args, err, out)
		}
	}
	run("backup", "--output", copied)
	alice.Announce("lost.go")
	b := open(t, home)
	const text = `document.querySelector('#timeline').innerText`
	b.wait("both announcements are there", text+`.includes('kept.go') && `+text+`.includes('lost.go')`)
	eval[bool](b, `(window.loaded = true)`)
	run("restore", copied)
	run("start")
	b.wait("the page shows the restored log and says so", text+`.includes('kept.go') && !`+text+`.includes('lost.go') && `+text+`.includes('restored') && document.querySelector('.link-state.live')`)
	alice.Announce("new.go")
	b.wait("it goes on", text+`.includes('new.go')`)
	if n := eval[int](b, `[...document.querySelectorAll('#timeline .event')].filter(e => e.innerText.includes('kept.go')).length`); n != 1 {
		t.Errorf("what the backup has is shown %d times", n)
	}
	if !eval[bool](b, `window.loaded === true`) {
		t.Error("the page was loaded again")
	}
	b.forgive()
	b.clean()
}
