package coordtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// watched is coord-hub top in a terminal.
type watched struct {
	*coordtest.Terminal
	t *testing.T
}

func watchTop(t *testing.T, home *coordtest.Home, width, height int, env ...string) *watched {
	t.Helper()
	env = append([]string{"COORDINATOR_HOME=" + home.Dir, "TERM=tmux-256color", "LANG=C.UTF-8", "TZ=UTC", "GORACE=atexit_sleep_ms=0"}, env...)
	return &watched{coordtest.NewTerminal(t, width, height, t.TempDir(), env, []string{home.Program("coord-hub"), "top"}), t}
}

// shows waits until each text stands on the screen, and gives how long it took.
func (w *watched) shows(texts ...string) time.Duration {
	w.t.Helper()
	from := time.Now()
	for _, text := range texts {
		if !coordtest.Eventually(20*time.Second, func() bool { return strings.Contains(w.Text(), text) }) {
			w.t.Fatalf("the terminal does not show %q:\n%s", text, w.Text())
		}
	}
	return time.Since(from)
}

// fills waits until the page has a size: its keys stand in the last line, and the
// rule of a panel reaches the edge.
func (w *watched) fills(width, height int) {
	w.t.Helper()
	if !coordtest.Eventually(20*time.Second, func() bool {
		lines := strings.Split(w.Text(), "\n")
		return len(lines) == height && slices.ContainsFunc(lines, func(l string) bool {
			return strings.HasSuffix(l, "─") && utf8.RuneCountInString(l) == width
		})
	}) {
		w.t.Fatalf("the page does not fill %d×%d:\n%s", width, height, w.Text())
	}
}

// keepScreen puts the screen aside for somebody to look at, where
// COORD_TEST_SCREENS names a directory.
func (w *watched) keepScreen(name string) {
	dir := os.Getenv("COORD_TEST_SCREENS")
	if dir == "" {
		return
	}
	for suffix, text := range map[string]string{".txt": w.Text(), ".ansi": w.Painted()} {
		if err := os.WriteFile(filepath.Join(dir, name+suffix), []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// The README story as somebody sees it who runs coord-hub top beside it.
func TestTopShowsTheStory(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "src/models/user.ts")
	top := watchTop(t, home, 120, 40)
	top.shows("no hub; waiting")
	top.keepScreen("120-nohub")
	alice, bob := home.Agent("alice", repo.Dir), home.Agent("bob", repo.Dir)
	top.shows("● live", "alice", "bob", "is here")

	alice.Announce("src/models/user.ts")
	took := top.shows("alice announces src/models/user.ts")
	t.Logf("an announcement shows after %v", took)
	verdict := bob.Announce("src/models/user.ts", "db/migrations/0042_user_email.sql")
	thread := *verdict.ThreadID
	top.shows("awaits alice", "bob → alice", "9:5", "1 consultation")
	Post(bob, thread, "May I add the column \x1b[31mfirst\x1b[0m?", coord.QuestionMessage)
	top.shows("bob asks")
	top.keepScreen("120-open")
	for _, size := range [][2]int{{80, 24}, {40, 24}, {40, 12}, {120, 40}} {
		top.Resize(size[0], size[1])
		top.fills(size[0], size[1])
		top.shows(string(thread), "? help")
		top.keepScreen(fmt.Sprintf("%d-%d", size[0], size[1]))
	}
	if strings.Contains(top.Painted(), "\x1b[31mfirst") {
		t.Error("a peer's colours reach the terminal")
	}

	top.Keys("Enter")
	top.shows("May I add the column [31mfirst[0m?", "esc back")
	Post(alice, thread, "Yes, I only rename a field.", coord.ContextMessage)
	top.shows("Yes, I only rename a field.")
	top.keepScreen("120-talk")
	top.Keys("Escape")
	top.shows("CONSULTATIONS")

	home.KillHub()
	proposed := coordtest.Call(bob, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: thread, Summary: "bob first, then alice"})
	top.shows("● live", "proposal 1")
	coordtest.Call(alice, tool.ApproveResolution, tool.ApproveResolutionIn{ThreadID: thread, Proposal: proposed.Proposal.Number})
	top.shows("alice agrees", "agreed")
	top.keepScreen("120-agreed")
	top.Keys("?")
	top.shows("KEYS")
	top.keepScreen("120-help")
	top.Keys("Escape")
	top.shows("CONSULTATIONS")
	top.Keys("q")
	if !coordtest.Eventually(10*time.Second, top.Ended) {
		t.Errorf("q does not end it:\n%s", top.Text())
	}
}

// Colours are a help, no need: NO_COLOR takes them away.
func TestTopWithoutColours(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "src/models/user.ts")
	home.Agent("alice", repo.Dir).Announce("src/models/user.ts")
	colours := regexp.MustCompile(`\x1b\[[0-9;]*(3[0-7]|9[0-7])[0-9;]*m`)
	for env, want := range map[string]bool{"A=b": true, "NO_COLOR=1": false} {
		top := watchTop(t, home, 80, 24, env)
		top.shows("alice announces", "W alice")
		if got := colours.MatchString(top.Painted()); got != want {
			t.Errorf("with %s colours are used: %v", env, got)
		}
		top.Keys("C-c")
		if !coordtest.Eventually(10*time.Second, top.Ended) {
			t.Error("ctrl+c does not end it")
		}
	}
}
