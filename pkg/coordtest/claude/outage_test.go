package claude_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/claude"
)

const outageNote = "edits are not coordinated now"

// TestAHubThatDiesStopsNobody: with the hub killed, and none to be started, the
// session goes on editing and its user is told once; when one can be started
// again the next call does so.
func TestAHubThatDiesStopsNobody(t *testing.T) {
	bin := t.TempDir() // made before the home, so that it outlives its hub
	st := newStage(t, "a.go")
	st.useOwn(bin)
	alice := st.terminal("alice", claude.Options{})
	alice.Type("change a.go")
	a := alice.edits(alice.reads(alice.asked(), "a.go"), "a.go", "a.go", "one")
	alice.wrote(a)

	first := st.home.KillHub()
	a = alice.edits(a, "a.go", "one", "two")
	alice.wrote(a)
	second := st.home.Hub()
	if second.Instance == first.Instance {
		t.Error("the hub that was killed has no successor")
	}

	back := st.withoutHub()
	st.home.KillHub()
	a = alice.edits(a, "a.go", "two", "three")
	alice.wrote(a)
	a = alice.edits(a, "a.go", "three", "four")
	alice.wrote(a)
	alice.Shows(outageNote)

	back()
	a = alice.edits(a, "a.go", "four", "five")
	alice.wrote(a)
	if third := st.home.Hub(); third.Instance == second.Instance {
		t.Error("the next call found no new hub")
	}
	a.Reply(claude.Say("that is all"))
	alice.Shows("that is all")
	if n := strings.Count(alice.Screen(), outageNote); n != 1 {
		t.Errorf("the user was told %d times:\n%s", n, alice.Screen())
	}
	if got := read(t, alice.path("a.go")); !strings.Contains(got, "five") {
		t.Errorf("a.go holds %q", got)
	}
}

// withoutHub makes that no hub can be started, until the function it gives.
func (s *stage) withoutHub() (back func()) {
	s.t.Helper()
	program := s.home.Program("coord-hub")
	if err := os.Rename(program, program+".away"); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		s.t.Helper()
		if err := os.Rename(program+".away", program); err != nil {
			s.t.Fatal(err)
		}
	}
}

// useOwn makes the stage's sessions use programs in a directory of their own,
// which no other test uses.
func (s *stage) useOwn(dir string) {
	s.t.Helper()
	for _, name := range []string{"coord-shim", "coord-hook", "coord-hub"} {
		if err := os.Link(s.home.Program(name), filepath.Join(dir, name)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.home.Use(coordtest.Binaries(dir))
}
