package setup_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/setup"
)

const local = ".claude/settings.local.json"

// statusLineIn gives the command of the status line in a text of settings.
func statusLineIn(t *testing.T, text string) string {
	t.Helper()
	var s struct {
		StatusLine struct {
			Type    string `json:"type"`
			Command string `json:"command"`
		} `json:"statusLine"`
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s.StatusLine.Command
}

func TestAStatusLineIsWrittenWhenAskedForAndTakenBack(t *testing.T) {
	u := newUser(t)
	u.init()
	if got := statusLineIn(t, u.read(local)); got != "" {
		t.Errorf("without --statusline there is %q", got)
	}
	u.uninstall()
	const before = "{\n  \"model\": \"opus\"\n}\n"
	u.write(local, before)
	u.o.StatusLine = true
	for range 2 { // the second time changes nothing
		u.init()
		if got := statusLineIn(t, u.read(local)); got != "coord-shim statusline" {
			t.Errorf("the status line is %q", got)
		}
	}
	u.uninstall()
	if got := u.read(local); got != before {
		t.Errorf("uninstall leaves %q", got)
	}
}

// The record is of no use when the file has changed since: then only ours goes.
func TestUninstallTakesTheStatusLineOutOfAChangedFile(t *testing.T) {
	u := newUser(t)
	u.o.StatusLine = true
	u.init()
	u.write(local, strings.Replace(u.read(local), "{", "{\n  \"model\": \"opus\",", 1))
	u.uninstall()
	if got := u.read(local); statusLineIn(t, got) != "" || !strings.Contains(got, "opus") {
		t.Errorf("uninstall leaves %q", got)
	}
}

func TestTheUsersOwnStatusLineStays(t *testing.T) {
	const theirs = `{"statusLine": {"type": "command", "command": "~/bin/line.sh"}}`
	for _, where := range []string{local, ".claude/settings.json", "home"} {
		t.Run(where, func(t *testing.T) {
			u := newUser(t)
			name := filepath.Join(u.dir, where)
			if where == "home" {
				name = filepath.Join(u.env["HOME"], ".claude", "settings.json")
			}
			if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(theirs), 0o600); err != nil {
				t.Fatal(err)
			}
			u.o.StatusLine = true
			r := u.init()
			if len(r.Notes) == 0 || !strings.Contains(strings.Join(r.Notes, "\n"), "No status line was written") {
				t.Errorf("nothing is said: %q", r.Notes)
			}
			if got := statusLineIn(t, u.read(local)); strings.Contains(got, "coord-shim") {
				t.Errorf("it was written all the same: %q", got)
			}
			u.uninstall()
			raw, err := os.ReadFile(name) // #nosec G304 -- of this test
			if err != nil || string(raw) != theirs {
				t.Errorf("the user's file is %q now, %v", raw, err)
			}
		})
	}
}

func TestAStatusLineForAllProjectsNamesTheWholePath(t *testing.T) {
	u := newUser(t)
	u.o.Dir, u.o.User, u.o.StatusLine = "", true, true
	u.o.Find = func(program string) (string, error) { return "/opt/my tools/" + program, nil }
	u.init()
	raw, err := os.ReadFile(filepath.Join(u.env["HOME"], ".claude", "settings.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := statusLineIn(t, string(raw)); got != "'/opt/my tools/coord-shim' statusline" {
		t.Errorf("the command is %s", got)
	}
	u.uninstall()
	if _, err := os.Stat(filepath.Join(u.env["HOME"], ".claude", "settings.json")); !os.IsNotExist(err) {
		t.Errorf("uninstall leaves the file: %v", err)
	}
}

func TestAStatusLineIsForClaudeCode(t *testing.T) {
	u := newUser(t)
	u.o.Clients, u.o.StatusLine = []setup.Client{setup.Cursor}, true
	if _, err := setup.Init(t.Context(), u.o); coord.CodeOf(err) != coord.Invalid {
		t.Errorf("error %v", err)
	}
}
