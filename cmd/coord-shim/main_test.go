package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/build"
)

// The test binary is the program when this variable is set.
const asProgram = "COORD_SHIM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const (
	hello    = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}` + "\n"
	patience = 20 * time.Second
)

// command prepares a run of the program in a home that does not exist.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...) // #nosec G204 G702 -- this test binary
	cmd.Dir = t.TempDir()
	cmd.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "COORDINATOR_HOME=" + filepath.Join(cmd.Dir, "home")}
	return cmd
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -2
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string // some of it; "" = empty
	}{
		{[]string{"--version"}, 0, "coord-shim " + build.Version(linked), ""},
		{[]string{"--help"}, 0, `"command": "coord-shim"`, ""},
		{[]string{"-h"}, 0, "--version", ""},
		{[]string{"--frobnicate"}, 2, "", "coord-shim --help"},
		{[]string{"serve"}, 2, "", `unexpected argument "serve"`},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cmd := command(t, c.args...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if code := exitCode(cmd.Run()); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, s := range []struct{ name, got, want string }{{"stdout", stdout.String(), c.stdout}, {"stderr", stderr.String(), c.stderr}} {
				if !strings.Contains(s.got, s.want) || (s.want == "" && s.got != "") {
					t.Errorf("%s is %q, want %q in it", s.name, s.got, s.want)
				}
			}
		})
	}
}

func TestAWrongSettingIsNamedInTheAnswers(t *testing.T) {
	for setting, says := range map[string]string{"COORDINATOR_TOOLS=few": "core", "COORDINATOR_URL=https://coord.example.com": "no hubs for teams"} {
		var stdout bytes.Buffer
		cmd := command(t)
		cmd.Env = append(cmd.Env, setting)
		cmd.Stdin = strings.NewReader(hello + `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"nothing","arguments":{}}}` + "\n")
		cmd.Stdout = &stdout
		name, _, _ := strings.Cut(setting, "=")
		if code := exitCode(cmd.Run()); code != 0 || !strings.Contains(stdout.String(), name) || !strings.Contains(stdout.String(), says) {
			t.Errorf("%s: exit code %d, stdout %q", setting, code, &stdout)
		}
	}
}

// running is the program with a client at its streams.
type running struct {
	*exec.Cmd
	t      *testing.T
	in     io.WriteCloser
	out    io.ReadCloser
	ended  chan int // its exit code
	stderr *bytes.Buffer
}

func startProgram(t *testing.T) *running {
	t.Helper()
	r := &running{Cmd: command(t), t: t, ended: make(chan int, 1), stderr: &bytes.Buffer{}}
	var err error
	if r.in, err = r.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if r.out, err = r.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	r.Stderr = r.stderr
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(r.in, hello); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(r.out).ReadString('\n')
	if err != nil || !strings.Contains(line, `"protocolVersion":"2025-11-25"`) {
		t.Fatalf("answered %q, %v", line, err)
	}
	go func() { r.ended <- exitCode(r.Wait()) }()
	t.Cleanup(func() { _ = r.Process.Kill() })
	return r
}

func (r *running) wantExit(code int) {
	r.t.Helper()
	select {
	case got := <-r.ended:
		if got != code {
			r.t.Errorf("exit code %d, want %d; stderr %q", got, code, r.stderr)
		}
	case <-time.After(patience):
		r.t.Error("it does not end")
	}
}

func TestItEndsWithItsInput(t *testing.T) {
	r := startProgram(t)
	_ = r.in.Close()
	r.wantExit(0)
}

func TestItEndsAtASignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			r := startProgram(t)
			if err := r.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			r.wantExit(0)
		})
	}
}

func TestAClientThatReadsNoMoreEndsItInOrder(t *testing.T) {
	r := startProgram(t)
	_ = r.out.Close()
	_, _ = io.WriteString(r.in, `{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n")
	r.wantExit(0)
}

// A client that is killed may leave our stdin open in another of its children.
func TestItEndsWhenItsParentIsKilled(t *testing.T) {
	cmd := command(t)
	shell := exec.Command("sh", "-c", `"$0" <&3 & echo started; wait`, cmd.Path) // #nosec G204 G702 -- this test binary
	shell.Dir, shell.Env = cmd.Dir, cmd.Env
	keepOpen, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keepOpen.Close()
	defer in.Close()
	shell.ExtraFiles = []*os.File{keepOpen}
	out, stdout, err := os.Pipe() // ours, so that Wait does not close it
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	shell.Stdout = stdout
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	_ = stdout.Close()
	if _, err := fmt.Fprint(in, hello); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	for _, want := range []string{"started", "protocolVersion"} {
		if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, want) {
			t.Fatalf("answered %q, %v", line, err)
		}
	}
	if err := shell.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = shell.Wait()
	if err := out.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) != 0 { // the end of stdout is the end of the shim
		t.Errorf("it said %q and did not end: %v", rest, err)
	}
}
