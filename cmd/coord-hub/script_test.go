package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/workspace"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"coord-hub": main})
}

// The scripts run this program as processes of its own, each in a home of its
// own; a hub that a script leaves running is stopped.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("COORDINATOR_HOME", env.WorkDir+"/home")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // no second of waiting at each exit
			env.Setenv("NO_COLOR", "1")
			env.Defer(func() { stopAll(t, env.WorkDir+"/home", env.WorkDir+"/other") })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"json":       jsonField,
			"lines":      lines,
			"busy":       busy,
			"eventually": eventually,
			"gone":       gone,
			"usage":      usage,
			"works":      works,
		},
	})
}

func stopAll(t *testing.T, homes ...string) {
	for _, dir := range homes {
		home, err := config.Find(func(key string) string { return map[string]string{"COORDINATOR_HOME": dir}[key] }, "")
		if err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			_, err = daemon.StopHub(ctx, home, "end of the script")
			cancel()
		}
		if err != nil && !errors.Is(err, daemon.ErrNotRunning) {
			t.Error(err)
		}
	}
}

// exits runs a command that must end with the exit code: exits CODE PROGRAM ARG...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v ended with %d, want %d", args[1:], got, want)
	}
}

// json compares a field of the JSON object on stdout: json FIELD[.FIELD] VALUE.
// With only a field it must be there and not be empty; it is then $FIELD.
func jsonField(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for name := range strings.SplitSeq(args[0], ".") {
		object, ok := v.(map[string]any)
		if !ok {
			ts.Fatalf("%s: no object around %s", args[0], name)
		}
		v = object[name]
	}
	got := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		got = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if v == nil || got == "" || len(args) > 1 && got != args[1] {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1:])
	}
	ts.Setenv(strings.ToUpper(args[0][strings.LastIndex(args[0], ".")+1:]), got)
}

// lines compares the number of lines on stdout: lines N.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(strings.Count(ts.ReadFile("stdout"), "\n")); got != args[0] {
		ts.Fatalf("%s lines on stdout, want %s", got, args[0])
	}
}

// usage serves the API of the quota, with a use in percent, until the end of the
// script, and turns measuring on: usage PERCENT.
func usage(ts *testscript.TestScript, _ bool, args []string) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-login" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(w, `{"five_hour":{"utilization":%s,"resets_at":"2030-01-01T00:00:00Z"},"seven_day":{"utilization":2}}`, args[0])
	}))
	ts.Defer(api.Close)
	ts.Setenv("COORDINATOR_QUOTA", "on")
	ts.Setenv("COORDINATOR_QUOTA_URL", api.URL)
	ts.Setenv("CLAUDE_CODE_OAUTH_TOKEN", "the-login")
}

// busy holds a TCP port until the end of the script: busy VARIABLE.
func busy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// eventually runs a command until it succeeds: eventually PROGRAM ARG...
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(20 * time.Second); ; {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%v fails for 20 s: %v", args, err)
		}
	}
}

// gone wants a process to have ended, reaped or not: gone PID.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	pid, err := strconv.Atoi(args[0])
	ts.Check(err)
	if alive := process.Alive(coord.Process{PID: pid}); alive != neg {
		ts.Fatalf("process %d alive: %v", pid, alive)
	}
}

// works brings an agent on that holds a file, or is refused it: works NAME FILE.
// Two that announce it as well open a thread.
func works(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	home, err := config.Find(ts.Getenv, "")
	ts.Check(err)
	host, err := home.HostID()
	ts.Check(err)
	w, err := workspace.Locate(ctx, filepath.Dir(ts.MkAbs(args[1])), ts.Getenv, host)
	ts.Check(err)
	p, err := w.Resolve(ts.MkAbs(args[1]))
	ts.Check(err)
	c := client.Dial(home.Socket())
	defer c.Close()
	me, err := c.Register(ctx, coord.Registration{Client: coord.ClientInfo{Name: "script"}, Project: w.Project, Workspace: w.ID, Host: host, Label: args[0]})
	ts.Check(err)
	for _, call := range [][2]string{
		{"turn", `{"event":"begin"}`},
		{"announce_work", fmt.Sprintf(`{"subject":"work","target_files":[%q]}`, p)},
		{"acquire", fmt.Sprintf(`{"file_paths":[%q]}`, p)},
	} {
		_, err := c.Call(ctx, me.SessionKey, call[0], json.RawMessage(call[1]), "")
		ts.Check(err)
	}
}
