package claude_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest/claude"
)

// errand is what the subagent of a test is asked to do.
const errand = "run the errand in b.go"

// split waits for one request of the main conversation and one of the
// subagent's, in any order.
func (s *session) split() (main, sub *claude.Request) {
	s.t.Helper()
	for main == nil || sub == nil {
		r := s.Model.Next()
		if strings.Contains(r.First(), errand) {
			sub = r
		} else {
			main = r
		}
	}
	return main, sub
}

// TestASubagentsEditIsItsSessions: a file that a subagent has edited is refused
// to others in the name of the session, and news for the session does not end in
// the subagent.
func TestASubagentsEditIsItsSessions(t *testing.T) {
	st := newStage(t, "a.go", "b.go")
	alice := st.print("alice", "delegate")
	alice.asked().Reply(claude.Use("Agent", map[string]any{"description": "an errand", "prompt": errand, "subagent_type": "general-purpose"}))
	main, sub := alice.split()
	sub = alice.edits(alice.reads(sub, "b.go"), "b.go", "b.go", "a subagent was here")
	alice.wrote(sub)

	bob := st.print("bob", "improve b.go")
	b := bob.edits(bob.reads(bob.asked(), "b.go"), "b.go", "subagent", "bob")
	bob.refused(b, "alice is editing it")
	b = bob.announces(b, "rename everything", "b.go")

	const news = "bob opened a consultation that concerns you"
	sub = alice.reads(sub, "a.go")
	alice.silent(sub)
	main = alice.reads(main, "a.go")
	if !told(main, news) {
		t.Errorf("alice's model was told\n%s", main.News())
	}
	sub.Reply(claude.Say("the errand is run"))
	alice.Finish(main)
	bob.Finish(b)
}
