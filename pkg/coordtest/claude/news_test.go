package claude_test

import (
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest/claude"
)

// announces makes a session's model announce work on files.
func (s *session) announces(r *claude.Request, subject string, files ...string) *claude.Request {
	s.t.Helper()
	r.Reply(claude.Use("mcp__coord__announce_work", map[string]any{"subject": subject, "target_files": files}))
	r = s.asked()
	s.wrote(r)
	return r
}

// TestNewsComesWithTheNextResult: a session is at work on something else, with a
// tool that is not ours, when another announces a file that it has edited.
func TestNewsComesWithTheNextResult(t *testing.T) {
	st := newStage(t, "a.go", "b.go")
	alice := st.print("alice", "change a.go")
	a := alice.asked()
	a = alice.edits(alice.reads(a, "a.go"), "a.go", "a.go", "alice was here")
	alice.wrote(a)

	bob := st.print("bob", "plan")
	b := bob.announces(bob.asked(), "rename everything", "a.go")

	a = alice.reads(a, "b.go")
	if !told(a, "bob opened a consultation that concerns you") || !told(a, "rename everything") {
		t.Fatalf("alice's model was told\n%s", a.News())
	}
	a = alice.reads(a, "b.go")
	alice.silent(a) // told once
	alice.Finish(a)
	bob.Finish(b)
}

// TestAnIdleSessionIsWoken by news about a file that it has edited: at once
// through the client's own socket, through the background hook where that socket
// is not ours to use, and not before its user's next word where the user does not
// want it.
func TestAnIdleSessionIsWoken(t *testing.T) {
	for _, c := range []struct {
		name   string
		env    []string
		socket bool
		want   string // how the client frames the news; "" = nothing wakes it
	}{
		{name: "Socket", socket: true, want: "Another Claude session sent a message"},
		{name: "Rewake", want: "<task-notification>"},
		{name: "Off", socket: true, env: []string{"COORDINATOR_WAKE=off"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStage(t, "a.go")
			if !c.socket {
				st.withoutSocket()
			}
			alice := st.terminal("alice", claude.Options{Env: c.env})
			alice.Type("change a.go")
			a := alice.edits(alice.reads(alice.asked(), "a.go"), "a.go", "a.go", "alice was here")
			a.Reply(claude.Say("that is all"))
			alice.Shows("· done") // the turn is over, its hooks are too

			bob := st.print("bob", "plan")
			b := bob.announces(bob.asked(), "rename everything", "a.go")

			if c.want == "" {
				if !alice.Model.Quiet(3 * time.Second) {
					t.Error("woken though its user does not want it")
				}
				alice.Type("go on")
			}
			a = alice.asked("bob opened a consultation that concerns you", "rename everything", c.want)
			a.Reply(claude.Say("I see"))
			alice.Shows("I see")
			bob.Finish(b)
		})
	}
}

// withoutSocket keeps the client's messaging socket from the shim.
func (s *stage) withoutSocket() {
	s.t.Helper()
	write(s.t, s.repo.Dir+"/.mcp.json", `{"mcpServers":{"coord":{"command":"coord-shim","env":{"CLAUDE_CODE_MESSAGING_SOCKET":""}}}}`)
}
