package coordtest_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/process"
)

// The hub of this demo tells the test that it is about to start, and starts when
// the test says so, which is never: the interruption comes in between.
func TestDemoInterruptedWhileItsHubStartsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	shim := filepath.Join(dir, "coord-shim")
	if err := os.Link(coordtest.Build(t).Shim(), shim); err != nil {
		copyFile(t, coordtest.Build(t).Shim(), shim)
	}
	about, begin := filepath.Join(dir, "about"), filepath.Join(dir, "begin")
	for _, fifo := range []string{about, begin} {
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hub := fmt.Sprintf("#!/bin/sh\necho $$ > %s\nread word < %s\nexec %s \"$@\"\n", about, begin, coordtest.Build(t).Hub())
	if err := os.WriteFile(filepath.Join(dir, "coord-hub"), []byte(hub), 0o700); err != nil { // #nosec G306 -- a program
		t.Fatal(err)
	}
	cmd := demo(t, "--json", "--shim", shim)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(about) // blocks until the hub is about to start
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(said)))
	if err != nil {
		t.Fatal(err)
	}
	starting := coord.Process{PID: pid}
	if starting.Start, err = process.StartTime(pid); err != nil {
		t.Fatal(err)
	}
	interrupted := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("demo ends with %v, want exit code 1; it says %s", err, out.String())
	}
	t.Logf("it took %v to clean up", time.Since(interrupted))
	if process.Alive(starting) {
		t.Errorf("the hub, process %d, is still starting after the demo has ended", pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(from) // #nosec G304 -- built by the test
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, raw, 0o700); err != nil { // #nosec G306 -- a program
		t.Fatal(err)
	}
}

// With a long temp directory the sockets of the demo lie elsewhere.
func TestDemoLeavesNoRuntimeDirectoryBehind(t *testing.T) {
	cmd := demo(t, "--json")
	runtime, err := os.MkdirTemp("", "rt-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(runtime)
	for i, kv := range cmd.Env {
		if temp, ok := strings.CutPrefix(kv, "TMPDIR="); ok && strings.Contains(temp, "coord-") {
			long := filepath.Join(temp, strings.Repeat("long", 25))
			if err := os.Mkdir(long, 0o700); err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(long)
			cmd.Env[i] = "TMPDIR=" + long
		}
	}
	cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+runtime)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	if left, err := os.ReadDir(runtime); err != nil || len(left) > 0 {
		t.Errorf("the demo leaves %v (%v)", left, err)
	}
}
