//go:build unix

package process_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
	"golang.org/x/sys/unix"
)

// roleKey makes the test binary play another program.
const roleKey = "COORD_PROCESS_TEST_ROLE"

// quickExit spares a child the second that the race detector waits at exit.
const quickExit = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	switch os.Getenv(roleKey) {
	case "sleeper": // lives until its stdin closes
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	case "session":
		sid, err := unix.Getsid(0)
		fmt.Println(sid == os.Getpid(), err)
		fmt.Println(os.Getwd())
	default:
		os.Exit(m.Run())
	}
}

func helper(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), roleKey+"="+role, quickExit)
	return cmd
}

func startSleeper(t *testing.T) (cmd *exec.Cmd, end func()) {
	t.Helper()
	cmd = helper(t, "sleeper")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAliveFollowsAProcessToItsEnd(t *testing.T) {
	cmd, end := startSleeper(t)
	start, err := process.StartTime(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p := coord.Process{PID: cmd.Process.Pid, Start: start}
	if !process.Alive(p) {
		t.Error("a running process counts as gone")
	}
	if process.Alive(coord.Process{PID: p.PID, Start: p.Start + 1}) {
		t.Error("a pid that another process has taken over counts as the old process")
	}
	if !process.Alive(coord.Process{PID: p.PID}) {
		t.Error("a running process without a known start time counts as gone")
	}
	end()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if process.Alive(p) || process.Alive(coord.Process{PID: p.PID}) {
		t.Error("an ended process counts as alive")
	}
}

func TestAnUnknownProcessIsNeverVerifiedGone(t *testing.T) {
	if !process.Alive(coord.Process{}) {
		t.Error("the zero process counts as gone")
	}
}

func TestSelfIsAliveAndStable(t *testing.T) {
	me := process.Self()
	if me.PID != os.Getpid() || me.Start == 0 || !process.Alive(me) || process.Self() != me {
		t.Errorf("Self() = %+v", me)
	}
}

func TestACommandNameCannotForgeTheStartTime(t *testing.T) {
	// Linux shows the command inside the line the start time is read from.
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	odd := dir + "/a) R 1 1 (b"
	if err := os.Symlink(exe, odd); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), odd) // #nosec G204 -- the test binary itself
	cmd.Env = append(os.Environ(), roleKey+"=sleeper", quickExit)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	got, err := process.StartTime(cmd.Process.Pid)
	if self := process.Self(); err != nil || got < self.Start {
		t.Errorf("start time %d, %v; want one not before the parent's %d", got, err, self.Start)
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestADetachedChildLeadsItsOwnSession(t *testing.T) {
	cmd := helper(t, "session")
	process.Detach(cmd)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(out)), "true <nil>\n/ <nil>"; got != want {
		t.Errorf("child says %q, want %q", got, want)
	}
}
