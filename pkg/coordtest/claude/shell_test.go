package claude_test

import (
	"strings"
	"testing"
)

// TestShellCommandsAreGated: a command that would write a file which another
// session is editing is refused and both are told; so is a git command that
// would take away what another session has not committed.
func TestShellCommandsAreGated(t *testing.T) {
	st := newStage(t, "a.go", "b.go")
	alice, bob := st.print("alice", "change b.go"), st.print("bob", "change a.go")
	b := bob.edits(bob.reads(bob.asked(), "a.go"), "a.go", "a.go", "bob was here")
	bob.wrote(b)
	a := alice.edits(alice.reads(alice.asked(), "b.go"), "b.go", "b.go", "alice was here")
	alice.wrote(a)

	a = alice.runs(a, "sed -i s/bob/alice/ a.go")
	alice.refused(a, "not written", "a.go", "bob is editing it")
	b = bob.reads(b, "README.md")
	if !told(b, `alice waits for "a.go", which you hold`) {
		t.Errorf("bob's model was told\n%s", b.News())
	}

	b = bob.runs(b, "git stash")
	bob.refused(b, "not run: git stash", "b.go", "alice")
	for file, want := range map[string]string{"a.go": "bob was here", "b.go": "alice was here"} {
		if got := read(t, alice.path(file)); !strings.Contains(got, want) {
			t.Errorf("%s holds %q, not %q", file, got, want)
		}
	}
	bob.Finish(b)
	alice.Finish(a)
}
