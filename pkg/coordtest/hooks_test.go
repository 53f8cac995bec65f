package coordtest_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coordtest"
)

// two starts two sessions in one working tree, each in a turn.
func two(t *testing.T) (alice, bob *coordtest.HookSession, home *coordtest.Home) {
	t.Helper()
	home = coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go", "cart.go")
	alice, bob = home.HookSession("alice", repo.Dir), home.HookSession("bob", repo.Dir)
	for _, c := range []*coordtest.HookSession{alice, bob} {
		c.Start()
		c.Prompt()
	}
	return alice, bob, home
}

func silent(t *testing.T, what string, said coordtest.Said) {
	t.Helper()
	if said.Raw != "" || said.Code != 0 || said.Stderr != "" {
		t.Errorf("%s: %+v, want silence", what, said)
	}
}

func TestEditOfWhatAPeerEditsIsRefusedUntilItsTurnEnds(t *testing.T) {
	alice, bob, _ := two(t)
	silent(t, "alice's edit of a free file", alice.Edit("login.go"))
	silent(t, "bob's edit of another file", bob.Edit("cart.go"))
	said := bob.Edit("login.go")
	if !said.Denied || !strings.Contains(said.Reason, "alice") || !strings.Contains(said.Reason, "coord-hub release") {
		t.Fatalf("bob's edit of alice's file: %+v, want a refusal that names alice and the way out", said)
	}
	if n := utf8.RuneCountInString(said.Reason); n > 600 {
		t.Errorf("the reason has %d characters, at most 600 are allowed", n)
	}
	if said := alice.Edit("login.go"); said.Denied || !strings.Contains(said.Context, "bob waits for") {
		t.Errorf("alice's next edit: %+v, want news that bob waits", said)
	}
	alice.Stop()
	if said := bob.Hook("post-tool", "post_read", coordtest.Fill{"file": "cart.go"}); !strings.Contains(said.Context, "is free for you") {
		t.Errorf("bob's next tool result: %+v, want news that the file is free", said)
	}
	if said := bob.Edit("login.go"); said.Denied {
		t.Errorf("bob's edit after alice's turn: %+v, want it to pass", said)
	}
	alice.Prompt()
	if said := alice.Edit("login.go"); !said.Denied || !strings.Contains(said.Reason, "bob") {
		t.Errorf("alice's edit of what is bob's now: %+v, want a refusal that names bob", said)
	}
}

func TestAnotherWorkingTreeIsOnlyTold(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go")
	alice, bob := home.HookSession("alice", repo.Dir), home.HookSession("bob", repo.Worktree("feature").Dir)
	for _, c := range []*coordtest.HookSession{alice, bob} {
		c.Start()
		c.Prompt()
	}
	alice.Edit("login.go")
	said := bob.Edit("login.go")
	if said.Denied || !strings.Contains(said.Context, "another working tree") {
		t.Errorf("bob's edit in a tree of his own: %+v, want it to pass with a hint", said)
	}
	silent(t, "bob's second edit", bob.Edit("login.go"))
	if said := alice.Hook("post-tool", "post_read", coordtest.Fill{"file": "login.go"}); strings.Count(said.Context, "- E-") != 1 {
		t.Errorf("alice is told %+v, want one piece of news", said)
	}
	silent(t, "alice's next edit", alice.Edit("login.go"))
}

func TestASubagentGetsVerdictsAndItsSessionTheNews(t *testing.T) {
	alice, bob, _ := two(t)
	silent(t, "the start of alice's subagent", alice.Hook("subagent-start", "subagent_start", coordtest.Fill{"agent": "sub-1"}))
	silent(t, "the subagent's edit", alice.Edit("login.go", "sub-1"))
	if said := alice.Edit("login.go"); said.Denied || !strings.Contains(said.Context, "subagent") {
		t.Errorf("alice's own edit of it: %+v, want a hint", said)
	}
	if said := bob.Edit("login.go"); !said.Denied {
		t.Errorf("bob's edit: %+v, want a refusal", said)
	}
	silent(t, "the subagent's next edit, while news waits", alice.Edit("cart.go", "sub-1"))
	if said := bob.Edit("cart.go", "sub-9"); !said.Denied || said.Context != "" {
		t.Errorf("an edit of bob's subagent: %+v, want a refusal and nothing else", said)
	}
	silent(t, "the subagent's end", alice.Hook("subagent-stop", "subagent_stop", coordtest.Fill{"agent": "sub-1"}))
	if said := alice.Hook("post-tool", "post_read", coordtest.Fill{"file": "cart.go"}); strings.Count(said.Context, "bob waits for") != 2 {
		t.Errorf("the main thread: %+v, want both pieces of news", said)
	}
	silent(t, "an edit of what the subagent left to its session", alice.Edit("cart.go"))
}

func TestMainStopDoesNotEndTheTurnWhileASubagentWorks(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go", "sub-1")
	alice.Hook("stop", "stop_background", nil)
	if said := bob.Edit("login.go"); !said.Denied {
		t.Errorf("bob's edit while alice's subagent works: %+v, want a refusal", said)
	}
	alice.Stop() // news was waiting: blocked or not, the next one ends the turn
	alice.Hook("idle", "idle", nil)
	if said := bob.Edit("login.go"); said.Denied {
		t.Errorf("bob's edit after that: %+v, want it to pass", said)
	}
}

func TestClearKeepsTheAgentAndLeavesWhatItHeld(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	alice.Hook("session-end", "session_end", coordtest.Fill{"source": "clear"})
	alice.Session = "session-alice-2"
	alice.Hook("session-start", "session_start", coordtest.Fill{"source": "clear"})
	if said := bob.Edit("login.go"); said.Denied {
		t.Errorf("bob's edit after alice's /clear: %+v, want it to pass", said)
	}
	alice.Prompt()
	if said := alice.Edit("login.go"); !said.Denied {
		t.Errorf("alice's edit: %+v, want a refusal", said)
	}
	if names := alice.Peers(); len(names) != 2 {
		t.Errorf("the hub knows %v, want alice and bob", names)
	}
}

func TestEscIsNoticedAsSoonAsSomebodyAsks(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	alice.Wrote(`{"type":"user","message":{"role":"user","content":"fix it"}}`, `{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"ok"}]}}`)
	if said := bob.Edit("login.go"); !said.Denied {
		t.Fatalf("bob's edit while alice works: %+v, want a refusal", said)
	}
	alice.Wrote(`{"type":"user","message":{"role":"user","content":[{"type":"text","text":"[Request interrupted by user]"}]}}`, `{"type":"system","subtype":"x"}`)
	if said := bob.Edit("login.go"); said.Denied {
		t.Errorf("bob's edit after alice's user pressed Esc: %+v, want it to pass", said)
	}
}

func TestADeniedEditLapsesAtTheNextHook(t *testing.T) {
	alice, bob, _ := two(t)
	silent(t, "an edit that alice's user will say no to", alice.BeginEdit("login.go"))
	if said := bob.Edit("login.go"); !said.Denied {
		t.Fatalf("bob's edit meanwhile: %+v, want a refusal", said)
	}
	alice.Hook("post-tool", "post_read", coordtest.Fill{"file": "cart.go"})
	if said := bob.Edit("login.go"); said.Denied {
		t.Errorf("bob's edit afterwards: %+v, want it to pass", said)
	}
}

func TestADeadClientHoldsNothing(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	alice.Kill()
	if !coordtest.Eventually(3*time.Second, func() bool { return !bob.Edit("login.go").Denied }) {
		t.Error("alice's client is gone for three seconds and bob is still refused")
	}
}

func TestAGuestIsCoordinatedWhereTheFileIs(t *testing.T) {
	home := coordtest.NewHome(t)
	shop, site := coordtest.NewRepo(t, "shop", "a.go"), coordtest.NewRepo(t, "site", "b.go")
	alice, bob := home.HookSession("alice", shop.Dir), home.HookSession("bob", site.Dir)
	for _, c := range []*coordtest.HookSession{alice, bob} {
		c.Start()
		c.Prompt()
	}
	file := filepath.Join(site.Dir, "b.go")
	silent(t, "alice's edit in another repository", alice.Edit(file))
	if said := bob.Edit("b.go"); !said.Denied || !strings.Contains(said.Reason, "alice") {
		t.Errorf("bob's edit of it: %+v, want a refusal that names alice", said)
	}
	alice.Hook("post-tool", "post_read", coordtest.Fill{"file": "a.go"}) // news that bob waits
	for _, name := range []string{filepath.Join(t.TempDir(), "notes.txt"), filepath.Join(shop.Dir, ".git", "config"), filepath.Join(home.Dir, "config.json")} {
		silent(t, "edit of "+name, alice.Edit(name))
		silent(t, "edit of "+name, bob.Edit(name))
	}
}

func TestWhatIsNoHookIsLetPass(t *testing.T) {
	t.Parallel()
	alice, _, _ := two(t)
	for name, stdin := range map[string]string{
		"nothing":         "",
		"garbage":         "\x00\xff{{{",
		"another value":   "[1,2,3]",
		"empty object":    "{}",
		"wrong types":     `{"session_id": 5, "cwd": [], "hook_event_name": {}, "tool_name": 1, "tool_input": "x"}`,
		"no session":      `{"cwd": "/", "hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"file_path": "/x"}}`,
		"no such place":   `{"session_id": "s", "cwd": "/does/not/exist", "hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"file_path": "/x"}}`,
		"input is a list": `{"session_id": "s", "cwd": "/", "hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": [1]}`,
		"too much":        `{"session_id": "s", "cwd": "/", "x": "` + strings.Repeat("x", 65<<20) + `"}`,
	} {
		said := alice.Run("pre-tool", []byte(stdin))
		if said.Code != 0 || said.Denied || said.Context != "" {
			t.Errorf("%s: code %d, %.200s", name, said.Code, said.Raw)
		}
	}
	huge := strings.Replace(alice.Payload("pre_write", coordtest.Fill{"file": "cart.go"}), "package x", strings.Repeat("y", 20<<20), 1)
	silent(t, "a file of 20 MB", alice.Run("pre-tool", []byte(huge)))
	said := alice.Run("no-such-event", []byte("{}"))
	if said.Code == 2 {
		t.Error("an unknown event would refuse the tool call")
	}
}
