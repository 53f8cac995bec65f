package claude_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/coordtest/claude"
)

// TestAnEditIsRefusedUntilTheOtherStops: two sessions whose models know nothing
// of coord. While one is at work on a file the other's edit of it is refused,
// with the reason before its model; when the first stops, the second is told and
// edits on top.
func TestAnEditIsRefusedUntilTheOtherStops(t *testing.T) {
	st := newStage(t, "a.go")
	alice := st.terminal("alice", claude.Options{})
	bob := st.print("bob", "improve a.go")

	alice.Type("change a.go")
	a := alice.edits(alice.reads(alice.asked("change a.go"), "a.go"), "a.go", "a.go", "alice was here")
	alice.wrote(a)
	alice.silent(a)

	b := bob.edits(bob.reads(bob.asked("improve a.go"), "a.go"), "a.go", "alice was here", "bob was here")
	bob.refused(b, "not written", "a.go", "alice is editing it", "coord-hub release")

	a.Reply(claude.Say("that is all"))
	alice.Shows("that is all")
	for !told(b, "is free for you") {
		b = bob.runs(b, "true")
	}

	b = bob.edits(bob.reads(b, "a.go"), "a.go", "TestAn", "bob too: TestAn")
	bob.wrote(b)
	bob.Finish(b)
	if got, want := read(t, alice.path("a.go")), "bob too: TestAnEditIsRefusedUntilTheOtherStops alice was here\n"; got != want {
		t.Errorf("a.go holds %q, not %q", got, want)
	}
}
