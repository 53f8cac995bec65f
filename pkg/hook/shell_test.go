package hook_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
)

// writes gives the files that a shell command is said to be going to write.
func (b *bench) writes(command string) []string {
	b.t.Helper()
	_, calls := b.run("pre-tool", fmt.Sprintf(`{"session_id":"s","cwd":"{{cwd}}","tool_name":"Bash","tool_input":{"command":%q}}`, command), coord.HookAnswer{})
	out := []string{}
	for _, f := range calls[0].Call.Files {
		out = append(out, f.Path.String())
	}
	slices.Sort(out)
	return out
}

// put makes files of a project.
func (b *bench) put(text string, names ...string) {
	b.t.Helper()
	for _, name := range names {
		file := filepath.Join(b.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// What is read of find's command line is what find does: the real one is asked.
func TestASearchFindsWhatFindFinds(t *testing.T) {
	b := newBench(t)
	b.put("x\n", "a.go", "b.md", "A.GO", ".hidden.go", "src/a.go", "src/deep/b.go", "src/deep/c.md", "vendor/v.go", "vendor/lib/a.go", "node_modules/m/a.go", "odd[1].go", "line\nbreak.go", "sp ace.go")
	if err := os.Symlink("src", filepath.Join(b.dir, "link.go")); err != nil {
		t.Fatal(err)
	}
	for _, search := range []string{
		`. -name '*.go'`, `-name '*.go' -type f`, `. -iname '*.go'`, `src vendor -name 'a.*'`, `./src -path './src/deep/*'`, `src -path 'src/deep/*'`, `src/ -path 'src/*b*'`,
		`. -maxdepth 1 -name '*.go'`, `. -mindepth 2 -name '*.go'`, `. -mindepth 2 -maxdepth 2 -type f`, `. -maxdepth 0`, `a.go`,
		`. -path ./vendor -prune -o -name '*.go'`, `. \( -name vendor -o -name node_modules \) -prune -o -type f -name '*.go'`,
		`. -not -path './vendor/*' -name '*.go'`, `. ! -path '*/vendor/*' -name '*.go'`, `. \( -name '*.go' -o -name '*.md' \) -not -name 'a*'`,
		`. -name 'odd\[1\].go'`, `. -name '[!a]*.go'`, `. -name '?.go'`, `. -type l`, `. -type f,l -name '*.go'`, `. -wholename '*deep*' -type f`,
		`. -name '*.go' -a -not -name 'a.go' -o -name '*.md'`, `. -true -name '*.md'`, `. -false -o -name '*.md'`, `"$PWD" -name '*.md'`,
	} {
		real := exec.Command("sh", "-c", "find "+search+" -print0") // #nosec G204 -- the searches above
		real.Dir = b.dir
		raw, err := real.Output()
		if err != nil {
			t.Fatalf("find %s: %v", search, err)
		}
		want := []string{}
		for name := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\x00"), "\x00") {
			if !filepath.IsAbs(name) {
				name = filepath.Join(b.dir, name)
			}
			info, err := os.Lstat(name)
			if err != nil || info.IsDir() || info.Mode()&os.ModeSymlink != 0 {
				continue // what a link points at is another file's name, and a directory is no file
			}
			rel, err := filepath.Rel(b.dir, name)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, strings.ReplaceAll(filepath.ToSlash(rel), "\n", "␊"))
		}
		slices.Sort(want)
		got := slices.DeleteFunc(b.writes("find "+search+" -exec truncate -s 0 {} +"), func(name string) bool { return name == "src" })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("find %s (-find +read):\n%s", search, diff)
		}
	}
}

// A patch that is no plain, short file is not read: nothing hangs, and what it
// wrote is found afterwards.
func TestAPatchFileIsReadForWhatItNames(t *testing.T) {
	b := newBench(t)
	b.put("--- a/src/a.go\n+++ b/src/a.go\n@@ -1 +1 @@\n-x\n+y\n", "fix.patch")
	if diff := cmp.Diff([]string{"src/a.go"}, b.writes("git apply fix.patch")); diff != "" {
		t.Errorf("a patch (-want +got):\n%s", diff)
	}
	b.put(strings.Repeat("x\n", 1<<20)+"--- a/src/a.go\n+++ b/src/a.go\n", "long.patch")
	if err := exec.Command("mkfifo", filepath.Join(b.dir, "pipe.patch")).Run(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"long.patch", "pipe.patch", "src", "/dev/zero", "none.patch"} {
		if got := b.writes("git apply " + name); len(got) > 0 {
			t.Errorf("%s: it names %v, want it not read", name, got)
		}
	}
}
