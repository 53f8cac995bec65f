package shell_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/hook/shell"
)

// slowest is how long the worst command may take, with room for a busy machine
// and the race detector; without both it is a fraction.
const slowest = 20 * time.Second // far above what any of them takes, far below what unbounded work would

// Input made to hurt: each would cost the parser or the reader its stack, its
// memory or minutes.
var adversarial = map[string]string{
	"parentheses":    strings.Repeat("(", 1<<20),
	"closed":         strings.Repeat("(", 1<<19) + strings.Repeat(")", 1<<19),
	"few":            strings.Repeat("(", 16_000),
	"substitutions":  strings.Repeat("$(", 1<<18),
	"quoted":         strings.Repeat(`"$(`, 20_000),
	"backquotes":     strings.Repeat("`", 30_000),
	"defaults":       strings.Repeat("${a:-", 12_000),
	"braces":         "echo " + strings.Repeat("{a,b}", 6_000),
	"braces inside":  "echo " + strings.Repeat("{a,", 10_000),
	"sequence":       "rm {1..1000000000}",
	"ifs":            strings.Repeat("if ", 20_000),
	"whiles":         strings.Repeat("while ", 10_000),
	"nots":           strings.Repeat("! ", 16_000),
	"tests":          "[[ " + strings.Repeat("! ", 16_000) + "a ]]",
	"test parens":    "[[ " + strings.Repeat("( ", 30_000),
	"arithmetic":     "$((" + strings.Repeat("-", 30_000),
	"ternary":        "$((" + strings.Repeat("1?", 16_000),
	"pipes":          strings.Repeat("a|", 16_000) + "a",
	"ands":           strings.Repeat("a&&", 10_000) + "a",
	"elifs":          "if a;then b;" + strings.Repeat("elif a;then b;", 2_000) + "fi",
	"functions":      strings.Repeat("f(){ ", 6_000),
	"recursion":      "f(){ f; f; }; f",
	"two functions":  "f(){ g; g; g; }; g(){ f; f; f; }; f",
	"loops":          strings.Repeat("for a in 1 2 3 4 5 6 7 8 9 10; do ", 12) + "rm $a;" + strings.Repeat("done;", 12),
	"doubling":       "a=xx;" + strings.Repeat("a=$a$a;", 4_000) + "rm $a",
	"doubling words": "a='x x';" + strings.Repeat("a=\"$a $a\";", 2_500) + "rm $a",
	"eval":           "a='eval \"$a\"'; eval \"$a\"",
	"bash":           strings.Repeat("bash -c '", 5_000),
	"sudo":           strings.Repeat("sudo ", 6_000),
	"xargs":          strings.Repeat("xargs ", 5_000) + "rm",
	"find":           "find . " + strings.Repeat("-exec find . ", 2_000),
	"targets":        "rm " + strings.Repeat("a ", 16_000),
	"many targets":   "rm f{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4,5,6,7,8,9}",
	"heredocs":       strings.Repeat("cat <<A\n", 8_000),
	"dashes":         "tr " + strings.Repeat("-a ", 10_000),
	"one word":       "rm " + strings.Repeat("x", 1<<20),
	"one line":       strings.Repeat("x ", 1<<19),
	"zeros":          strings.Repeat("\x00", 1<<20),
	"invalid":        strings.Repeat("\xff\xfe", 1<<15),
	"variables":      strings.Repeat("a1=b;(", 5_000),
	"cases":          strings.Repeat("case a in a) ", 2_400),
	"globs":          "rm " + strings.Repeat("*", 30_000),
	"echoes":         strings.Repeat("echo $(", 90) + strings.Repeat(")", 90),
	"echoes quoted":  strings.Repeat(`echo "$(`, 90) + strings.Repeat(`)"`, 90),
	"cats":           strings.Repeat("cat <<A | ", 5_000),
	"powershell":     strings.Repeat("& { ", 8_000),
	"here-strings":   strings.Repeat("@'\n", 20_000),
}

func TestWorstInputIsBounded(t *testing.T) {
	for name, command := range adversarial {
		for kind, read := range map[string]func(string, shell.Place) shell.Plan{"bash": shell.Read, "powershell": shell.ReadPowerShell} {
			start := time.Now()
			p := read(command, place)
			if took := time.Since(start); took > slowest {
				t.Errorf("%s of %s took %v", name, kind, took)
			} else if took > slowest/20 {
				t.Logf("%s of %s took %v", name, kind, took)
			}
			if p.Reason == "reading it failed" {
				t.Errorf("%s of %s panicked", name, kind)
			}
			if len(p.Targets) > 500 {
				t.Errorf("%s of %s: %d targets", name, kind, len(p.Targets))
			}
		}
	}
}

// A large file written by a here-document is as plain as a small one.
func TestLongHereDocumentIsReadForItsTarget(t *testing.T) {
	body := strings.Repeat("if (a > b) { rm('x') } # `$(\"'\n", 30_000)
	p := shell.Read("mkdir -p src && cat > src/big.c <<'EOF'\n"+body+"EOF\necho ok > done.txt", place)
	if got := strings.Join(render(p), "; "); got != "redirect src/big.c; redirect done.txt" {
		t.Errorf("read %s (%s)", got, p.Reason)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"plain.txt", "git.txt", "unreadable.txt", "readonly.txt"} {
		for _, e := range readCorpus(f, name) {
			f.Add(e.command)
		}
	}
	f.Fuzz(func(t *testing.T, command string) {
		for _, read := range []func(string, shell.Place) shell.Plan{shell.Read, shell.ReadPowerShell} {
			start := time.Now()
			p := read(command, place)
			if took := time.Since(start); took > slowest {
				t.Errorf("took %v", took)
			}
			for _, target := range p.Targets {
				if !strings.HasPrefix(target.Path, "/") || strings.ContainsRune(target.Path, 0) {
					t.Errorf("target %q", target.Path)
				}
			}
			if p.Reason == "reading it failed" {
				t.Error("it panicked")
			}
			if p.ReadOnly && (len(p.Targets) > 0 || len(p.Git) > 0 || p.Unreadable) {
				t.Error("read-only and yet it writes")
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var commands []string
	for _, name := range []string{"plain.txt", "git.txt", "unreadable.txt", "readonly.txt"} {
		for _, e := range readCorpus(b, name) {
			commands = append(commands, e.command)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		shell.Read(commands[i%len(commands)], place)
	}
}
