package claude_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/coordtest/claude"
)

// TestARefusedEditStaysRefusedByOtherMeans: what Edit may not write a here
// document may not either.
func TestARefusedEditStaysRefusedByOtherMeans(t *testing.T) {
	st := newStage(t, "a.go")
	alice, bob := st.print("alice", "change a.go"), st.print("bob", "improve a.go")
	a := alice.edits(alice.reads(alice.asked(), "a.go"), "a.go", "a.go", "alice was here")
	alice.wrote(a)
	was := read(t, alice.path("a.go"))

	b := bob.edits(bob.reads(bob.asked(), "a.go"), "a.go", "alice was here", "bob was here")
	bob.refused(b, "same conflict")
	b = bob.runs(b, "cat > a.go <<'EOF'\nbob was here\nEOF\n")
	bob.refused(b, "not written", "a.go", "alice is editing it")
	if got := read(t, alice.path("a.go")); got != was {
		t.Errorf("a.go holds %q, not %q", got, was)
	}
	alice.Finish(a)
	bob.Finish(b)
}

// TestAnotherWorktreeIsNeverRefused: the same file in another working tree of
// the repository is edited freely; each side hears of it once.
func TestAnotherWorktreeIsNeverRefused(t *testing.T) {
	st := newStage(t, "a.go")
	other := st.repo.Worktree("feature")
	st.setUp(other)
	alice := st.print("alice", "change a.go")
	bob := st.start("bob", claude.Options{Dir: other.Dir, Prompt: "improve a.go"})
	a := alice.edits(alice.reads(alice.asked(), "a.go"), "a.go", "a.go", "alice was here")
	alice.wrote(a)
	alice.silent(a)

	const hint, news = "alice works on it in another working tree", `bob edits "a.go" in another working tree too`
	b := bob.edits(bob.reads(bob.asked(), "a.go"), "a.go", "a.go", "bob was here")
	bob.wrote(b)
	if !told(b, hint) {
		t.Errorf("bob's model was told\n%s", b.News())
	}
	a = alice.reads(a, "README.md")
	if !told(a, news) {
		t.Errorf("alice's model was told\n%s", a.News())
	}

	b = bob.edits(b, "a.go", "bob was here", "bob was here twice")
	bob.wrote(b)
	bob.silent(b)
	a = alice.edits(a, "a.go", "alice was here", "alice was here twice")
	alice.wrote(a)
	if told(a, news) {
		t.Errorf("alice's model was told again\n%s", a.News())
	}
	alice.Finish(a)
	bob.Finish(b)
}
