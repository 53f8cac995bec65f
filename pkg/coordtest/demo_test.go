package coordtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coordtest"
)

// demo prepares "coord-hub demo" with a temp directory of its own, and checks at
// the end that nothing is left in it.
func demo(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	home := coordtest.NewHome(t)
	temp := filepath.Join(home.Dir, "tmp") // short enough for the demo's sockets
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("the demo leaves %v behind (%v)", left, err)
		}
	})
	cmd := home.Command(append([]string{"demo"}, args...)...)
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	return cmd
}

type demoStep struct {
	Millis    float64 `json:"ms"`
	Who, Step string
	OK        bool
}

func TestDemoHoldsInEveryStep(t *testing.T) {
	cmd := demo(t, "--json")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("demo: %v\n%s%s", err, out, stderr.String())
	}
	var steps []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var s demoStep
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil || !s.OK {
			t.Errorf("line %q: %v", lines.Text(), err)
		}
		steps = append(steps, s.Who+" "+s.Step)
	}
	told := strings.Join(steps, "\n")
	for _, part := range []string{"alice wait_for_message\nbob announce_work\nalice thread.opened", "hub kill\nbob propose_resolution", "alice approve_resolution\nbob resolved"} {
		if !strings.Contains(told, part) {
			t.Errorf("the demo does not tell %q; it tells\n%s", part, told)
		}
	}
}

func TestDemoFailsNamingTheStep(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "coord-shim")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no shim today >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := demo(t, "--shim", broken)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("exit code %d (%v), want 1", cmd.ProcessState.ExitCode(), err)
	}
	for _, part := range []string{"alice", "start", "did not hold", "no shim today"} {
		if !bytes.Contains(out, []byte(part)) {
			t.Errorf("the output does not say %q:\n%s", part, out)
		}
	}
}

func TestDemoInterruptedLeavesNothing(t *testing.T) {
	cmd := demo(t, "--json")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for n := 0; n < 4 && lines.Scan(); n++ { // until alice has announced: shims and hub run
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("demo ends with %v, want exit code 1", err)
	}
	if !strings.Contains(last, "interrupted") {
		t.Errorf("the last line is %q, want it to say interrupted", last)
	}
}

// A hook of a repository runs with GIT_DIR and its kin set; what the demo does
// with git must not land there.
func TestDemoLeavesTheRepositoryOfItsCallerAlone(t *testing.T) {
	victim := coordtest.NewRepo(t, "victim", "src/mine.go")
	before := contentOf(t, victim.Dir)
	cmd := demo(t, "--json")
	git := filepath.Join(victim.Dir, ".git")
	cmd.Env = append(cmd.Env, "GIT_DIR="+git, "GIT_WORK_TREE="+victim.Dir, "GIT_INDEX_FILE="+filepath.Join(git, "index"),
		"GIT_OBJECT_DIRECTORY="+filepath.Join(git, "objects"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("demo: %v\n%s", err, out)
	}
	if diff := cmp.Diff(before, contentOf(t, victim.Dir)); diff != "" {
		t.Errorf("the demo changed the repository (-before +after):\n%s", diff)
	}
}

// contentOf gives every file below a directory with its content.
func contentOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path) // #nosec G304,G122 -- a file of the test's own repository
		files[path] = string(raw)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// The harness has the same duty: the tests may run in a hook.
func TestReposOfTestsStayApartFromTheCallers(t *testing.T) {
	victim := coordtest.NewRepo(t, "victim", "src/mine.go")
	before := contentOf(t, victim.Dir)
	t.Setenv("GIT_DIR", filepath.Join(victim.Dir, ".git"))
	t.Setenv("GIT_WORK_TREE", victim.Dir)
	coordtest.NewRepo(t, "other", "b.go")
	if diff := cmp.Diff(before, contentOf(t, victim.Dir)); diff != "" {
		t.Errorf("a repository of a test landed in the caller's (-before +after):\n%s", diff)
	}
}
