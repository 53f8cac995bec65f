package coordtest_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

// crossed has each of two sessions edit a file, and alice refused bob's.
func crossed(t *testing.T) (alice, bob *coordtest.HookSession) {
	t.Helper()
	alice, bob, _ = two(t)
	edits(t, alice, "login.go")
	edits(t, bob, "cart.go")
	if said := alice.Edit("cart.go"); !said.Denied {
		t.Fatalf("alice's edit of bob's file: %+v, want a refusal", said)
	}
	return alice, bob
}

func TestInACircleNoCommandWritesOverAPeersFreshWork(t *testing.T) {
	alice, bob := crossed(t)
	for _, command := range []string{"echo x > login.go", "sed -i s/a/b/ login.go", "rm login.go", "mv cart.go login.go", "git rm -f login.go",
		"git checkout -- login.go", "git restore .", "git stash", "git reset --hard"} {
		said := shell(bob, command)
		if !said.Denied || !strings.Contains(said.Reason, "alice") {
			t.Errorf("%s: %+v, want a refusal that names alice", command, said)
		}
	}
	if said := shell(bob, "echo x > login.go"); !strings.Contains(said.Reason, "your edit tool may go first here; a command may not") {
		t.Errorf("bob is told %q, want what he can do", said.Reason)
	}
	said := edits(t, bob, "login.go")
	if said.Denied || !strings.Contains(said.Context, "so you go first: read it again") {
		t.Errorf("bob's edit: %+v, want it to pass with a hint", said)
	}
	if said := reads(alice, "README.md"); !strings.Contains(said.Context, `bob edits "login.go", which you held`) || strings.Contains(said.Context, "had left") {
		t.Errorf("alice is told %+v, want that bob goes first", said)
	}
}

func TestWorkThatWasHandedOverIsNotThrownAway(t *testing.T) {
	t.Parallel()
	circle := func(t *testing.T) (alice, bob *coordtest.HookSession) { return crossed(t) }
	left := func(t *testing.T) (alice, bob *coordtest.HookSession) {
		alice, bob, _ = two(t)
		edits(t, alice, "login.go")
		alice.Stop()
		edits(t, bob, "cart.go")
		return alice, bob
	}
	for name, play := range map[string]func(*testing.T) (alice, bob *coordtest.HookSession){"alice (busy)": circle, "alice (idle)": left} {
		alice, bob := play(t)
		owner := strings.Replace(name, "alice", `"alice"`, 1)
		if said := edits(t, bob, "login.go"); said.Denied {
			t.Fatalf("%s: bob's edit of her file: %+v, want it to pass", name, said)
		}
		for _, command := range []string{"git checkout -- login.go", "git restore .", "git stash", "git reset --hard"} {
			said := shell(bob, command)
			if !said.Denied || !strings.Contains(said.Reason, owner) || strings.Contains(said.Reason, "-- login.go") || strings.Contains(said.Reason, "cart.go login.go") {
				t.Errorf("%s: bob's %s: %+v, want a refusal that names her and limits him to cart.go", name, command, said)
			}
		}
		for _, command := range []string{"git add login.go", "git commit -am done", "git checkout -- cart.go"} {
			if said := shell(bob, command); said.Denied {
				t.Errorf("%s: bob's %s: %+v, want it to pass", name, command, said)
			}
		}
		git(t, alice, "commit", "-qam", "all of it")
		bob.Stop()
		bob.Prompt()
		edits(t, bob, "login.go")
		if said := shell(bob, "git checkout -- login.go"); said.Denied {
			t.Errorf("%s: after a commit, bob takes back what is his alone: %+v, want it to pass", name, said)
		}
	}
}

func TestWhatACommandWouldDoIsLimitedAtTheEndOfTheWords(t *testing.T) {
	alice, bob, _ := two(t)
	edits(t, alice, "login.go")
	edits(t, bob, "cart.go")
	for command, want := range map[string]string{
		"git stash":                      "Wait until they have committed, or limit it to your own files: git stash push -- cart.go",
		"git checkout README":            "Wait until they have committed, or work in a tree of your own: git worktree add ../README README",
		"git clean -fd; git rebase main": "Your user can run it. Wait until they have committed.",
	} {
		if said := shell(bob, command); !said.Denied || !strings.HasSuffix(said.Reason, want) {
			t.Errorf("%s: %q, want it to end %q", command, said.Reason, want)
		}
	}
}
