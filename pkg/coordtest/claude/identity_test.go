package claude_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/claude"
	"github.com/coordhq/coord/pkg/tool"
)

// TestClearAndResumeKeepTheAgent: a session stays one agent through /clear, which
// changes its id, and through its client's end and resumption, after which its
// model is told where it stands.
func TestClearAndResumeKeepTheAgent(t *testing.T) {
	st := newStage(t, "a.go")
	watcher := st.home.Agent("watcher", st.repo.Dir)
	alice := st.terminal("alice", claude.Options{})
	alice.Type("change a.go")
	a := alice.edits(alice.reads(alice.asked(), "a.go"), "a.go", "a.go", "one")
	alice.wrote(a)
	a.Reply(claude.Say("that is all"))
	alice.Shows("· done")
	before := peers(watcher)

	alice.Type("/clear")
	alice.hides("that is all")
	alice.Type("change it again")
	a = alice.edits(alice.reads(alice.asked("change it again"), "a.go"), "a.go", "one", "two")
	alice.wrote(a)
	alice.silent(a) // what lies there is its own
	a.Reply(claude.Say("that is more"))
	alice.Shows("· done")
	if diff := cmp.Diff(before, peers(watcher)); diff != "" {
		t.Errorf("agents after /clear (-before +after):\n%s", diff)
	}

	alice.Type("/exit")
	alice.ended()
	again := st.print("alice", "go on", "--continue")
	a = again.asked("you are alice", `you left uncommitted, others may go on with it: "a.go"`)
	// A shim that was heard before its hooks is somebody new until the next tick.
	var after map[coord.AgentID]string
	if !coordtest.Eventually(patience, func() bool { after = peers(watcher); return cmp.Equal(before, after) }) {
		t.Errorf("agents after the resumption (-before +after):\n%s", cmp.Diff(before, after))
	}
	again.Finish(a)
}

// TestAfterEscTheLeaseRefusesNobody: Esc fires no hook, so the holder still
// seems to be at work when another asks for its file.
func TestAfterEscTheLeaseRefusesNobody(t *testing.T) {
	st := newStage(t, "a.go")
	alice := st.terminal("alice", claude.Options{})
	alice.Type("change a.go")
	a := alice.edits(alice.reads(alice.asked(), "a.go"), "a.go", "a.go", "alice was here")
	alice.wrote(a)
	alice.Key("Escape")
	alice.Shows("Interrupted")

	bob := st.print("bob", "improve a.go")
	b := bob.edits(bob.reads(bob.asked(), "a.go"), "a.go", "alice was here", "alice and bob were here")
	bob.wrote(b)
	if !told(b, "uncommitted changes of alice (idle) lie here") {
		t.Errorf("bob's model was told\n%s", b.News())
	}
	bob.Finish(b)

	alice.Type("go on")
	a = alice.asked(`bob took over "a.go"`)
	a.Reply(claude.Say("I see"))
	alice.Shows("I see")
}

// peers lists the agents that the hub knows besides the one that asks, gone ones
// too.
func peers(a *coordtest.Agent) map[coord.AgentID]string {
	all := false
	out := map[coord.AgentID]string{}
	for _, p := range coordtest.Call(a, tool.ListAgents, tool.ListAgentsIn{OnlineOnly: &all}).Agents {
		if !p.Me {
			out[p.ID] = p.Name
		}
	}
	return out
}

// ended waits until the program in the terminal has ended.
func (s *session) ended() {
	s.t.Helper()
	if !coordtest.Eventually(patience, func() bool { return s.Screen() == "" }) {
		s.t.Fatalf("the terminal program goes on:\n%s", s.Screen())
	}
}

// hides waits until the terminal no longer shows the text.
func (s *session) hides(text string) {
	s.t.Helper()
	if !coordtest.Eventually(patience, func() bool { return !strings.Contains(s.Screen(), text) }) {
		s.t.Fatalf("the terminal still shows %q:\n%s", text, s.Screen())
	}
}
