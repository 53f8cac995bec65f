package coordtest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coordtest"
)

// two starts two sessions in one working tree, each in a turn.
func two(t *testing.T) (alice, bob *coordtest.Claude, home *coordtest.Home) {
	t.Helper()
	home = coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go", "cart.go")
	alice, bob = home.Claude("alice", repo.Dir), home.Claude("bob", repo.Dir)
	for _, c := range []*coordtest.Claude{alice, bob} {
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
	silent(t, "alice's next edit", alice.Edit("login.go"))
	alice.Stop()
	if said := bob.Edit("login.go"); said.Denied {
		t.Errorf("bob's edit after alice's turn: %+v, want it to pass", said)
	}
	if said := alice.Hook("prompt", "prompt", nil); said.Denied {
		t.Errorf("alice's prompt: %+v", said)
	}
	if said := alice.Edit("login.go"); !said.Denied {
		t.Errorf("alice's edit of what is bob's now: %+v, want a refusal", said)
	}
}
