package coordtest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/process"
)

// patience is how long the harness waits for an answer before it calls it lost.
const patience = 60 * time.Second

// Home is a coord home of its own, with every process that works in it.
type Home struct {
	t    testing.TB
	bin  Binaries // "" = those of this test process, built when they are first needed
	Dir  string
	Path config.Home

	mu     sync.Mutex // guards stderr, stdin and ending
	stderr map[string]*log
	stdin  map[string]*log
	ending []string
}

// NewHome makes an empty home. At the end of the test its hub is stopped as a
// user would stop it, and whatever still runs fails the test and is killed.
func NewHome(t testing.TB) *Home {
	t.Helper()
	dir, err := os.MkdirTemp("", "coord-") // not t.TempDir: socket paths must stay short
	if err != nil {
		t.Fatal(err)
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	path, err := config.Find(func(key string) string {
		if key == "COORDINATOR_HOME" {
			return dir
		}
		return ""
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	h := &Home{t: t, Dir: dir, Path: path, stderr: map[string]*log{}, stdin: map[string]*log{}}
	t.Cleanup(h.finish)
	return h
}

// Use makes what is started from now on come from other binaries.
func (h *Home) Use(b Binaries) { h.bin = b }

func (h *Home) binaries() Binaries {
	if h.bin != "" {
		return h.bin
	}
	return Build(h.t)
}

// options says how a shim of this home is run.
func (h *Home) options(name, dir string, env ...string) driver.Options {
	h.mu.Lock()
	defer h.mu.Unlock()
	stdin, stderr := &log{}, &log{}
	h.stdin[name], h.stderr[name] = stdin, stderr
	return driver.Options{Shim: h.binaries().Shim(), Dir: dir, Home: h.Dir, Name: name, Stdin: stdin, Stderr: stderr,
		Env: append(env, "GORACE=atexit_sleep_ms=0")} // else each shim under the race detector takes a second to end
}

// sent reports whether a shim was sent something.
func (h *Home) sent(name, what string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stdin[name] != nil && bytes.Contains(h.stdin[name].Bytes(), []byte(what))
}

// closeAtEnd closes a shim with the test and reports what was wrong with its end.
func (h *Home) closeAtEnd(name string, shim interface{ Close() error }) {
	h.t.Cleanup(func() {
		if err := shim.Close(); err != nil {
			h.t.Errorf("%s: %v", name, err)
		}
	})
}

// Hub gives the discovery file of the running hub.
func (h *Home) Hub() config.Discovery {
	h.t.Helper()
	d, err := config.ReadDiscovery(h.Path)
	if err != nil {
		h.t.Fatalf("no hub to be found: %v", err)
	}
	return d
}

// Hubs lists the process ids of all hubs of this home.
func (h *Home) Hubs() []int {
	var pids []int
	for _, p := range processesOf(h.Dir) {
		if p.program == "coord-hub" {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// KillHub ends the hub with SIGKILL and gives what its discovery file said.
func (h *Home) KillHub() config.Discovery {
	h.t.Helper()
	d, err := h.TryKillHub()
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// TryKillHub is KillHub for goroutines, which must not end the test. When a hub
// has just died it waits for the next one.
func (h *Home) TryKillHub() (config.Discovery, error) {
	var d config.Discovery
	var err error
	if !Eventually(patience, func() bool {
		d, err = config.ReadDiscovery(h.Path)
		return err == nil && process.Alive(coord.Process{PID: d.PID, Start: d.PIDStart})
	}) {
		return d, fmt.Errorf("no hub to kill within %v: %w", patience, err)
	}
	kill(h.t, coord.Process{PID: d.PID, Start: d.PIDStart})
	return d, nil
}

// StopHub ends every hub of this home with SIGTERM and waits for it.
func (h *Home) StopHub() {
	h.t.Helper()
	for _, pid := range h.Hubs() {
		hub := name(pid)
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			h.t.Errorf("stop hub %d: %v", pid, err)
		}
		if !Eventually(20*time.Second, func() bool { return !process.Alive(hub) }) {
			h.t.Errorf("hub %d did not stop within 20 s of SIGTERM", pid)
			kill(h.t, hub)
		}
	}
}

// Command prepares a coord-hub command line in this home.
func (h *Home) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(h.binaries().Hub(), args...) // #nosec G204 -- the binary under test
	cmd.Env = append(os.Environ(), "COORDINATOR_HOME="+h.Dir)
	return cmd
}

func (h *Home) finish() {
	h.mu.Lock()
	ending := h.ending
	h.mu.Unlock()
	if len(ending) > 0 {
		h.Settle(ending...)
	}
	h.StopHub()
	h.Settle("coord-hook", "git") // what hooks have left behind to look at a working tree
	for _, p := range processesOf(h.Dir) {
		h.t.Errorf("%s (process %d) outlives the test", p.program, p.pid)
		kill(h.t, name(p.pid))
	}
	h.report()
	if err := errors.Join(os.RemoveAll(h.Path.RunDir()), os.RemoveAll(h.Dir)); err != nil {
		h.t.Errorf("remove home: %v", err)
	}
}

// faultsIn lists what no log may hold; the last two are how a program words a panic
// that it survived.
func faultsIn(content []byte) (found []string) {
	for _, bad := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: ", "panicked", "panic in a handler"} {
		if bytes.Contains(content, []byte(bad)) {
			found = append(found, bad)
		}
	}
	return found
}

// report fails the test for data races and panics, and shows the logs of a
// failed test.
func (h *Home) report() {
	logs := map[string][]byte{}
	files, err := filepath.Glob(filepath.Join(h.Dir, "logs", "*"))
	if err != nil {
		h.t.Errorf("list logs: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file) // #nosec G304 -- a file of our own home
		if err != nil {
			h.t.Errorf("read log: %v", err)
		}
		logs[filepath.Base(file)] = content
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, l := range h.stderr {
		logs["stderr of "+name] = l.Bytes()
	}
	for name, content := range logs {
		for _, bad := range faultsIn(content) {
			h.t.Errorf("%s holds %q", name, bad)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		if h.t.Failed() && len(logs[name]) > 0 {
			h.t.Logf("%s:\n%s", name, tail(string(logs[name]), 40))
		}
	}
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// log is a buffer that a process writes its stderr to.
type log struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buf.Bytes())
}

// Program gives the path of one of our binaries.
func (h *Home) Program(name string) string { return filepath.Join(string(h.binaries()), name) }

// SettleAtEnd makes the end of the test wait for the programs, which end by
// themselves when their client has.
func (h *Home) SettleAtEnd(programs ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ending = programs
}

// Settle waits until none of the programs works in this home any more, and kills
// those that do not end by themselves.
func (h *Home) Settle(programs ...string) {
	h.t.Helper()
	var left []running
	if Eventually(10*time.Second, func() bool {
		left = slices.DeleteFunc(processesOf(h.Dir), func(p running) bool { return !slices.Contains(programs, p.program) })
		return len(left) == 0
	}) {
		return
	}
	for _, p := range left {
		h.t.Errorf("%s (process %d) goes on", p.program, p.pid)
		kill(h.t, name(p.pid))
	}
}
