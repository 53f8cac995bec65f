package claude

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/process"
)

// terminal is a tmux server of its own with one window.
type terminal struct {
	t      testing.TB
	socket string
}

// newTerminal runs a program in a terminal. Its environment is exactly env.
func newTerminal(t testing.TB, dir string, env, argv []string) *terminal {
	t.Helper()
	_, err := exec.LookPath("tmux")
	coordtest.Need(t, err == nil, "tmux (apt install tmux)")
	term := &terminal{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	args := append([]string{"-f", "/dev/null", "new-session", "-d", "-x", "180", "-y", "50", "-c", dir, "env", "-i"}, env...)
	term.run(append(args, argv...)...)
	program := term.program()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the terminal at the end:\n%s", term.text())
		}
		_ = term.command("kill-server").Run() // its program may have ended it
		if !coordtest.Eventually(patience, func() bool { return !process.Alive(program) }) {
			t.Errorf("the client goes on without its terminal")
		}
	})
	return term
}

// program is what runs in the terminal.
func (t *terminal) program() coord.Process {
	t.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(t.run("display-message", "-p", "#{pane_pid}")))
	if err != nil {
		t.t.Fatal(err)
	}
	start, err := process.StartTime(pid)
	if err != nil {
		t.t.Fatal(err)
	}
	return coord.Process{PID: pid, Start: start}
}

func (t *terminal) command(args ...string) *exec.Cmd {
	return exec.Command("tmux", append([]string{"-S", t.socket}, args...)...) // #nosec G204 G702 -- arguments of tests
}

func (t *terminal) run(args ...string) string {
	t.t.Helper()
	out, err := t.command(args...).CombinedOutput()
	if err != nil {
		t.t.Fatalf("tmux %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

func (t *terminal) keys(args ...string) {
	t.t.Helper()
	t.run(append([]string{"send-keys"}, args...)...)
}

func (t *terminal) text() string {
	out, err := t.command("capture-pane", "-p", "-J").Output()
	if err != nil {
		return "" // the program has ended
	}
	return strings.TrimRight(string(out), "\n ")
}
