package coordtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// running is a process that works with one coord home.
type running struct {
	pid     int
	program string // base name of its executable
}

// processesOf lists the live processes whose environment names the home, or a
// home below it. It reads /proc; where there is none the list is empty.
func processesOf(home string) []running {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	want := "COORDINATOR_HOME=" + home
	var out []running
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err != nil {
			continue // gone meanwhile, or not ours
		}
		for _, kv := range bytes.Split(env, []byte{0}) {
			if kv := string(kv); kv == want || strings.HasPrefix(kv, want+"/") {
				exe, _ := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
				out = append(out, running{pid, filepath.Base(exe)})
				break
			}
		}
	}
	return out
}

// name gives the process a name that a reused pid does not answer to.
func name(pid int) coord.Process {
	start, err := process.StartTime(pid)
	if err != nil {
		start = -1 // gone already: no process has started then
	}
	return coord.Process{PID: pid, Start: start}
}

// Eventually polls for a state of other processes that announces itself to
// nobody. It reports whether the state came before the deadline.
func Eventually(within time.Duration, reached func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return reached()
		}
	}
	return true
}

// kill ends a process at once and waits until it is gone.
func kill(t testing.TB, p coord.Process) {
	t.Helper()
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("kill %d: %v", p.PID, err)
	}
	if !Eventually(10*time.Second, func() bool { return !process.Alive(p) }) {
		t.Errorf("process %d survived SIGKILL", p.PID)
	}
}
