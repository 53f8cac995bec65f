package setup

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// statusLine is Claude Code's status line. A client has one, so it is written
// only where there is none.
type statusLine struct{ program string }

// statusLineName is the setting, statusLineArg what our program is told.
const (
	statusLineName = "statusLine"
	statusLineArg  = "statusline"
)

// command runs the program through a shell, as the client does with this setting.
func (s statusLine) command() string {
	program := s.program
	if strings.ContainsFunc(program, func(r rune) bool { return !strings.ContainsRune(plainInShell, r) }) {
		program = "'" + strings.ReplaceAll(program, "'", `'\''`) + "'"
	}
	return program + " " + statusLineArg
}

// plainInShell are the characters that a shell takes as they are.
const plainInShell = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+"

func (s statusLine) paths() [][]string { return nil }

func (s statusLine) add(root cursor) error {
	is, err := statusLineOf(root)
	if err != nil || is != noStatusLine {
		return err
	}
	return root.add(statusLineName, struct {
		Type    string `json:"type"`
		Command string `json:"command"`
	}{"command", s.command()})
}

func (s statusLine) remove(root cursor) error {
	is, err := statusLineOf(root)
	if err != nil || is != ourStatusLine {
		return err
	}
	return root.removeMember(statusLineName)
}

// whose says whose status line a file of settings has.
type whose int

const (
	noStatusLine whose = iota
	ourStatusLine
	theirStatusLine
)

func statusLineOf(root cursor) (whose, error) {
	m, ok, err := root.member(statusLineName)
	if err != nil || !ok {
		return noStatusLine, err
	}
	var is struct {
		Command string `json:"command"`
	}
	program, ours := "", false
	if m.decode(&is) == nil {
		program, ours = strings.CutSuffix(is.Command, " "+statusLineArg)
	}
	name := filepath.Base(filepath.ToSlash(strings.Trim(program, `'"`)))
	if ours && strings.TrimSuffix(name, ".exe") == shimProgram {
		return ourStatusLine, nil
	}
	return theirStatusLine, nil
}

// settleStatusLine leaves a status line alone that the user has anywhere a
// session here would read it: the nearest one would hide the others.
func (o *Options) settleStatusLine(out *Result) error {
	if !o.StatusLine {
		return nil
	}
	if !slices.Contains(o.Clients, Claude) {
		return coord.Errorf(coord.Invalid, "leave --statusline out", "the status line is Claude Code's")
	}
	files := []string{filepath.Join(o.place().claudeDir(), "settings.json")}
	if o.Dir != "" {
		files = append(files, filepath.Join(o.Dir, ".claude", "settings.json"), filepath.Join(o.Dir, ".claude", "settings.local.json"))
	}
	for _, name := range files {
		f, err := openFile("", name)
		if err != nil {
			return err
		}
		if f.text == nil {
			continue
		}
		t, err := readJSON(f.text)
		if err != nil {
			return invalid(name, err)
		}
		is, err := statusLineOf(t.top())
		if err != nil {
			return invalid(name, err)
		}
		if is == theirStatusLine || is == ourStatusLine && name != o.settingsFile() {
			o.StatusLine = false
			out.note("No status line was written: " + name + " has one. Its command may call coord-shim statusline with the same input.")
			return nil
		}
	}
	return nil
}
