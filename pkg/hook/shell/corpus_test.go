package shell_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/hook/shell"
)

var update = flag.Bool("update", false, "write what is read now into the corpus")

// entry is a command of the corpus with the lines that stand below it:
//
//	command
//	| its further lines
//		OP PATH [glob] [tree] [searched] [into BASE]   a target
//		missed OP PATH                      a target that cannot be read from the text
//		git VERB HARM REACH [PATHS] …       an act of git
//		?                                   some part is unreadable
type entry struct {
	heading []string // comments before it
	command string
	want    []string
}

func readCorpus(t testing.TB, name string) []entry {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	var heading []string
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		last := len(entries) - 1
		switch {
		case strings.HasPrefix(line, "\t"):
			entries[last].want = append(entries[last].want, line[1:])
		case line == "|" || strings.HasPrefix(line, "| "):
			entries[last].command += "\n" + strings.TrimPrefix(line[1:], " ")
		case strings.HasPrefix(line, "# "):
			heading = append(heading, line)
		default:
			entries = append(entries, entry{heading: heading, command: line})
			heading = nil
		}
	}
	return entries
}

func writeCorpus(t *testing.T, name string, entries []entry) {
	t.Helper()
	var out strings.Builder
	for _, e := range entries {
		for _, line := range e.heading {
			out.WriteString(line + "\n")
		}
		out.WriteString(strings.ReplaceAll(strings.ReplaceAll(e.command, "\n", "\n| "), "\n| \n", "\n|\n") + "\n")
		for _, line := range e.want {
			out.WriteString("\t" + line + "\n")
		}
	}
	if err := os.WriteFile(filepath.Join("testdata", name), []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// place is where the commands of the corpus run.
var place = shell.Place{Dir: "/w", Top: "/w", Getenv: func(key string) string { return map[string]string{"HOME": "/home/u"}[key] },
	Read: func(name string) (string, bool) {
		raw, err := os.ReadFile(filepath.Join("testdata", "patches", filepath.Base(name)))
		return string(raw), err == nil
	}}

func render(p shell.Plan) []string {
	var out []string
	for _, target := range p.Targets {
		out = append(out, renderTarget(target))
	}
	for _, act := range p.Git {
		line := fmt.Sprintf("git %s: %s %s", act.Verb, act.Harm, reach(act.Reach))
		if act.Dir != "/w" {
			line += " in " + act.Dir
		}
		if len(act.Paths) > 0 {
			line += fmt.Sprintf(" %q", act.Paths)
		}
		if act.MaybePath {
			line += " or branch"
		}
		out = append(out, line)
	}
	if p.Unreadable {
		out = append(out, "?")
	}
	return out
}

func renderTarget(target shell.Target) string {
	line := fmt.Sprintf("%s %s", target.Op, strings.NewReplacer("\t", `\t`, "\n", `\n`).Replace(strings.TrimPrefix(target.Path, "/w/")))
	if target.Glob {
		line += " glob"
	}
	if target.Tree {
		line += " tree"
	}
	if target.Search != nil {
		line += " searched"
	}
	if target.Base != "" {
		line += " into " + target.Base
	}
	return line
}

func reach(r shell.Reach) string {
	var names []string
	for i, name := range []string{"tracked", "untracked", "staged"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// Every command of the corpus is read as written down there; the two rates are
// what the gate needs: plain writes recognised, nothing refused for nothing.
func TestCorpusIsReadAsWrittenDown(t *testing.T) {
	recognised, missed, total := 0, 0, 0
	for _, name := range []string{"plain.txt", "git.txt", "unreadable.txt", "readonly.txt"} {
		entries := readCorpus(t, name)
		for i, e := range entries {
			total++
			got := render(shell.Read(e.command, place))
			var misses, want []string
			for _, line := range e.want {
				if strings.HasPrefix(line, "missed ") {
					misses = append(misses, line)
				} else {
					want = append(want, line)
				}
			}
			if name == "plain.txt" && len(misses) > 0 {
				missed++
			} else if name == "plain.txt" && cmp.Equal(want, got) {
				recognised++
			}
			if *update {
				entries[i].want = append(misses, got...)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s\n%s", name, e.command, diff)
			}
		}
		if *update {
			writeCorpus(t, name, entries)
		}
	}
	rate := 100 * float64(recognised) / float64(recognised+missed)
	t.Logf("%d commands; of %d plain writes %.1f %% recognised", total, recognised+missed, rate)
	if total < 300 || rate < 95 {
		t.Errorf("%d commands, %.1f %% recognised: at least 300 and 95 %% are promised", total, rate)
	}
}

func TestReadOnlyCommandsNeverYieldATarget(t *testing.T) {
	proved, refused := 0, 0
	entries := readCorpus(t, "readonly.txt")
	mayBeUnproved := false
	for _, e := range entries {
		for _, line := range e.heading {
			mayBeUnproved = mayBeUnproved || line == "# not proved"
		}
		p := shell.Read(e.command, place)
		if len(p.Targets) > 0 || len(p.Git) > 0 {
			refused++
			t.Errorf("%s\nwould be asked about: %v", e.command, render(p))
		}
		if p.ReadOnly {
			proved++
		} else if !mayBeUnproved {
			t.Errorf("%s\nis not known to be read-only: %s %v", e.command, p.Reason, render(p))
		}
	}
	t.Logf("%d of %d refused for nothing, %d proved to be read-only", refused, len(entries), proved)
}
