package driver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/driver"
)

// script makes a program that stands in for a shim.
func script(t *testing.T, body string) driver.Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shim")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return driver.Options{Shim: path, Dir: t.TempDir(), Home: "/nowhere", Name: "alice", Grace: 5 * time.Second}
}

// lines runs a program to its end and gives what it printed.
func lines(t *testing.T, o driver.Options) ([]string, error) {
	t.Helper()
	var got []string
	p, err := driver.Spawn(o, func(line []byte) { got = append(got, string(line)) })
	if err != nil {
		t.Fatal(err)
	}
	err = p.Close()
	return got, err
}

func TestCloseEndsAShimByTheEndOfItsStdin(t *testing.T) {
	got, err := lines(t, script(t, `echo '{"jsonrpc":"2.0","id":1}'; cat >/dev/null; echo '{"jsonrpc":"2.0","id":2}'`))
	if err != nil || len(got) != 2 || !strings.Contains(got[1], `"id":2`) {
		t.Errorf("got %q and error %v, want both lines and none", got, err)
	}
}

func TestCloseReports(t *testing.T) {
	for name, c := range map[string]struct{ body, words string }{
		"what is no protocol on stdout": {`echo "listening on 3100"`, `"listening on 3100"`},
		"JSON that is no message":       {`echo '{"level":"info"}'`, `level`},
		"an exit code":                  {`exit 3`, "exit status 3"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if _, err := lines(t, script(t, c.body)); err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("Close: %v, want an error that says %q", err, c.words)
			}
		})
	}
}

func TestCloseForcesAShimThatStays(t *testing.T) {
	o := script(t, "exec sleep 1000")
	o.Grace = 50 * time.Millisecond
	if _, err := lines(t, o); err == nil || !strings.Contains(err.Error(), "did not leave") {
		t.Errorf("Close: %v, want an error that says it had to be forced", err)
	}
}

func TestAShimInheritsNothingThatSpeaksToCoord(t *testing.T) {
	t.Setenv("COORDINATOR_URL", "http://elsewhere")
	t.Setenv("CLAUDE_CODE_SESSION_ID", "outer")
	t.Setenv("PORT", "3000")
	got, err := lines(t, script(t, `echo "{\"jsonrpc\":\"2.0\",\"env\":\"$COORDINATOR_URL $CLAUDE_CODE_SESSION_ID $PORT $COORDINATOR_HOME $COORDINATOR_AGENT_NAME\"}"`))
	want := `{"jsonrpc":"2.0","env":"   /nowhere alice"}`
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %q and error %v, want %q", got, err, want)
	}
}

func TestOptionsNameTheMissingField(t *testing.T) {
	for _, field := range []string{"Shim", "Dir", "Home"} {
		o := driver.Options{Shim: "s", Dir: "d", Home: "h"}
		switch field {
		case "Shim":
			o.Shim = ""
		case "Dir":
			o.Dir = ""
		case "Home":
			o.Home = ""
		}
		if _, err := driver.Spawn(o, func([]byte) {}); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("without %s: error %v, want one that names it", field, err)
		}
	}
}
