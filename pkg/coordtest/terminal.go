package coordtest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest/machine"
	"github.com/coordhq/coord/pkg/process"
)

// Terminal is a tmux server of its own with one window.
type Terminal struct {
	t      testing.TB
	socket string
}

// NewTerminal runs a program in a terminal of so many columns and lines. Its
// environment is exactly env.
func NewTerminal(t testing.TB, width, height int, dir string, env, argv []string) *Terminal {
	t.Helper()
	_, err := exec.LookPath("tmux")
	machine.Has(t, err == nil, "tmux (apt install tmux)")
	term := &Terminal{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	args := append([]string{"-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", dir, "env", "-i"}, env...)
	term.run(append(args, argv...)...)
	program := term.program()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the terminal at the end:\n%s", term.Text())
		}
		_ = term.command("kill-server").Run() // its program may have ended it
		if !Eventually(patience, func() bool { return !process.Alive(program) }) {
			t.Errorf("the program goes on without its terminal")
		}
	})
	return term
}

// program is what runs in the terminal. One that has ended already has a name
// that no process answers to.
func (t *Terminal) program() coord.Process {
	t.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(t.run("display-message", "-p", "#{pane_pid}")))
	if err != nil {
		t.t.Fatal(err)
	}
	return name(pid)
}

func (t *Terminal) command(args ...string) *exec.Cmd {
	return exec.Command("tmux", append([]string{"-S", t.socket}, args...)...) // #nosec G204 G702 -- arguments of tests
}

func (t *Terminal) run(args ...string) string {
	t.t.Helper()
	out, err := t.command(args...).CombinedOutput()
	if err != nil {
		t.t.Fatalf("tmux %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// Keys presses keys, by their tmux names; after "-l" the texts as they are.
func (t *Terminal) Keys(args ...string) {
	t.t.Helper()
	t.run(append([]string{"send-keys"}, args...)...)
}

// Resize gives the terminal another size.
func (t *Terminal) Resize(width, height int) {
	t.t.Helper()
	t.run("resize-window", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
}

// Text is what stands on the screen; "" when the program has ended.
func (t *Terminal) Text() string { return t.capture("-p", "-J") }

// Painted is Text with colours, as escape sequences.
func (t *Terminal) Painted() string { return t.capture("-p", "-e") }

func (t *Terminal) capture(args ...string) string {
	out, err := t.command(append([]string{"capture-pane"}, args...)...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(out), "\n ")
}

// Ended reports whether the program has ended.
func (t *Terminal) Ended() bool { return t.command("has-session").Run() != nil }
