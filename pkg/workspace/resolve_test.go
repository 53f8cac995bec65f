package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

func resolve(t *testing.T, w workspace.Workspace, s string) string {
	t.Helper()
	p, err := w.Resolve(s)
	if err != nil {
		t.Errorf("%q: %v", s, err)
	}
	return p.String()
}

func TestEverySpellingOfAFileIsOnePath(t *testing.T) {
	top := newRepo(t, tempDir(t), "src/models/user.ts", "src/é.ts", "app/[id]/page.tsx", `a\b.txt`, "C:x", "new/…/z")
	symlink(t, "models", filepath.Join(top, "src", "m"))
	symlink(t, "../user.ts", filepath.Join(top, "src", "models", "dangling"))
	symlink(t, filepath.Join(top, "src", "models", "user.ts"), filepath.Join(top, "user"))
	symlink(t, "models/deep/er", filepath.Join(top, "src", "d"))
	if err := os.MkdirAll(filepath.Join(top, "src/models/deep/er"), 0o750); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(tempDir(t), "link")
	symlink(t, filepath.Join(top, "src"), outside)
	w := locate(t, filepath.Join(top, "src"))
	for want, spellings := range map[string][]string{
		"src/models/user.ts": {"models/user.ts", "./models/user.ts", "models//user.ts", "../src/models/./user.ts", "models/../models/user.ts",
			top + "/src/models/user.ts", top + "/../" + filepath.Base(top) + "/src/models/user.ts", "m/user.ts", "../user", outside + "/models/user.ts",
			"m/../models/user.ts", "d/../../user.ts", "models/user.ts/", "../../" + filepath.Base(top) + "/user", "gone/../models/user.ts", "gone/../m/user.ts"},
		"src/user.ts":             {"models/dangling", "user.ts"},
		"src/models/new/file.ts":  {"models/new/file.ts", "m/new/file.ts", "m/new/x/../file.ts"},
		"src/é.ts":                {"é.ts", norm.NFD.String("é.ts"), outside + "/" + norm.NFD.String("é.ts")},
		"app/[id]/page.tsx":       {"../app/[id]/page.tsx"},
		`a\b.txt`:                 {`../a\b.txt`},
		"C:x":                     {"../C:x"},
		"src/.gitignore":          {".gitignore"},
		"src/.github/x":           {".github/x"},
		"src/~/x":                 {"~/x"},
		".":                       {"..", top, top + "/", "../src/.."},
		"src":                     {".", "./", top + "/src/", outside},
		"new/…/z":                 {"../new/…/z"},
		"src/models/user.ts/what": {"models/user.ts/what"},
	} {
		for _, s := range spellings {
			if got := resolve(t, w, s); got != want {
				t.Errorf("%q gives %q, want %q", s, got, want)
			}
		}
	}
}

func TestPathThatIsNoneOfTheProjectIsRefused(t *testing.T) {
	base := tempDir(t)
	top := newRepo(t, filepath.Join(base, "shop"), "src/a.go")
	newRepo(t, filepath.Join(base, "other"), "a.go")
	symlink(t, base, filepath.Join(top, "up"))
	symlink(t, ".git", filepath.Join(top, "git"))
	symlink(t, "round", filepath.Join(top, "round"))
	w := locate(t, filepath.Join(top, "src"))
	for words, spellings := range map[string][]string{
		"is outside the working tree " + top: {"../..", "/etc/passwd", base + "/shop2/a", base + "/other/a.go", "../up", "../up/x", "../../x"},
		"is inside git's own directory":      {"../.git", "../.git/config", "../git/HEAD", ".git/x", "x/.git/y", top + "/.git"},
		"control character":                  {"a\x00b", "a\nb", "a\rb", "a\n"},
		"Windows path":                       {`C:\shop\a.go`, "c:/shop/a.go", `C:\shop\*.go`},
		"is empty":                           {""},
		"round in symbolic links":            {"../round", "../round/x"},
	} {
		for _, s := range spellings {
			p, err := w.Resolve(s)
			if coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), words) {
				t.Errorf("%q gives %q, error %v; want code %q saying %q", s, p, err, coord.Invalid, words)
			}
			if target, _, _, _, err := w.Target(t.Context(), s); coord.CodeOf(err) != coord.Invalid {
				t.Errorf("target %q gives %q, error %v; want code %q", s, target, err, coord.Invalid)
			}
		}
	}
	if _, err := w.Resolve(strings.Repeat("x/", 600)); coord.CodeOf(err) != coord.TooLarge {
		t.Errorf("error %v for a long path, want code %q", err, coord.TooLarge)
	}
}

func TestCasePolicyOfTheWorkingTree(t *testing.T) {
	top := newRepo(t, filepath.Join(tempDir(t), "Shop"), "a.go")
	w := locate(t, top)
	upper := strings.ToUpper(top) + "/a.go"
	if p, err := w.Resolve(upper); err == nil {
		t.Errorf("%s gives %q where case counts", upper, p)
	}
	if got := resolve(t, w.WithFold(), upper); got != "a.go" {
		t.Errorf("%s gives %q where case does not count, want a.go", upper, got)
	}
	if got := resolve(t, w, ".GIT/x"); got != ".GIT/x" {
		t.Errorf(".GIT/x gives %q where case counts", got)
	}
	if p, err := w.WithFold().Resolve(".GIT/x"); err == nil {
		t.Errorf(".GIT/x gives %q where case does not count", p)
	}
}

func TestPathInAnotherWorktreeIsNamedAsThere(t *testing.T) {
	base := tempDir(t)
	top := newRepo(t, filepath.Join(base, "shop"), "src/a.go")
	inside, beside := filepath.Join(top, ".claude", "worktrees", "x"), filepath.Join(base, "beside")
	run(t, top, "worktree", "add", "-q", "-b", "x", inside)
	run(t, top, "worktree", "add", "-q", "-b", "y", beside)
	run(t, top, "worktree", "add", "-q", "-b", "z", filepath.Join(base, "relative"))
	write(t, filepath.Join(base, "relative", ".git"))
	if err := os.WriteFile(filepath.Join(base, "relative", ".git"), []byte("gitdir: ../shop/.git/worktrees/relative\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{top, inside, beside} {
		w := locate(t, from)
		for _, tree := range []string{top, inside, beside, filepath.Join(base, "relative")} {
			if got := resolve(t, w, filepath.Join(tree, "src", "a.go")); got != "src/a.go" {
				t.Errorf("from %s: %s/src/a.go gives %q, want src/a.go", from, tree, got)
			}
			if got := resolve(t, w, tree); got != "." {
				t.Errorf("from %s: %s gives %q, want the top", from, tree, got)
			}
		}
	}
	if got := resolve(t, locate(t, top), ".claude/settings.json"); got != ".claude/settings.json" {
		t.Errorf("a file beside the worktree gives %q", got)
	}
}

// tree is a directory with files and symlinks in random places.
type tree struct {
	top   string
	dirs  []string // relative to top
	files []string
}

func drawTree(t *rapid.T, top string) tree {
	name := rapid.SampledFrom([]string{"a", "b", "é", norm.NFD.String("é"), "[x]", "d e", "A"})
	tr := tree{top: top, dirs: []string{"."}}
	for i := range rapid.IntRange(1, 12).Draw(t, "entries") {
		at := filepath.Join(rapid.SampledFrom(tr.dirs).Draw(t, "dir"), fmt.Sprintf("%s%d", name.Draw(t, "name"), i))
		var err error
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			err = os.Mkdir(filepath.Join(top, at), 0o700)
			tr.dirs = append(tr.dirs, at)
		case 1:
			err = os.WriteFile(filepath.Join(top, at), nil, 0o600)
			tr.files = append(tr.files, at)
		default: // a link to what is there, absolute or relative
			to := rapid.SampledFrom(append(append([]string{}, tr.dirs...), tr.files...)).Draw(t, "to")
			target := filepath.Join(top, to)
			if rapid.Bool().Draw(t, "relative") {
				target, err = filepath.Rel(realDir(t, filepath.Dir(filepath.Join(top, at))), target)
			}
			if err == nil {
				err = os.Symlink(target, filepath.Join(top, at))
			}
			if info, statErr := os.Stat(filepath.Join(top, at)); statErr == nil && info.IsDir() {
				tr.dirs = append(tr.dirs, at)
			} else {
				tr.files = append(tr.files, at)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func realDir(t *rapid.T, dir string) string {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

// drawSpelling writes one of the tree's names in a roundabout way.
func (tr tree) drawSpelling(t *rapid.T) string {
	elements := strings.Split(rapid.SampledFrom(append(append([]string{}, tr.dirs...), tr.files...)).Draw(t, "entry"), "/")
	var out []string
	for i, e := range elements {
		switch rapid.IntRange(0, 4).Draw(t, "detour") {
		case 0:
			out = append(out, ".", "")
		case 1: // into a real directory and out again
			if detour := filepath.Join(elements[:i]...); i > 0 {
				out = append(out, "..", filepath.Base(detour))
			}
		}
		out = append(out, e)
	}
	s := strings.Join(out, "/")
	if rapid.Bool().Draw(t, "absolute") || s == "" || strings.HasPrefix(s, "/") {
		return tr.top + "/" + s
	}
	return s
}

func TestLawsOfResolve(t *testing.T) {
	base := tempDir(t)
	rapid.Check(t, func(t *rapid.T) {
		top, err := os.MkdirTemp(base, "t")
		if err != nil {
			t.Fatal(err)
		}
		w := workspace.Workspace{Top: top, Cwd: top}
		tr := drawTree(t, top)
		byPath := map[string]os.FileInfo{}
		for range 8 {
			s := tr.drawSpelling(t)
			info, err := os.Stat(filepath.Join(top, "/") + "/" + strings.TrimPrefix(s, top+"/"))
			if err != nil {
				continue // the detour through a file leads nowhere
			}
			p, err := w.Resolve(s)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			again, err := w.Resolve(p.String())
			if err != nil || again != p {
				t.Fatalf("%q gives %q, and that %q (%v)", s, p, again, err)
			}
			if strings.HasPrefix(p.String(), "/") || strings.Contains("/"+p.String()+"/", "/../") || !norm.NFC.IsNormalString(p.String()) {
				t.Fatalf("%q gives %q, which is no project path", s, p)
			}
			for other, known := range byPath {
				if same := os.SameFile(info, known); same != (other == p.String()) {
					t.Fatalf("%q gives %q; same file as %q: %v", s, p, other, same)
				}
			}
			byPath[p.String()] = info
		}
	})
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"a", "../a", "/etc", "a/../b", "l/x", "d/..", "C:\\x", "a\x00", "é", "e\u0301", "\xff", "./.git", "*/{a,b}", "[", "d/*/", "l/**", "\\*", "{", "r"} {
		f.Add(s)
	}
	top := tempDir(f)
	write(f, filepath.Join(top, "d", "a"))
	symlink(f, "d", filepath.Join(top, "l"))
	symlink(f, "/", filepath.Join(top, "r"))
	w := workspace.Workspace{Top: top, Cwd: filepath.Join(top, "d")}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := w.Resolve(s)
		if err != nil {
			if code := coord.CodeOf(err); code != coord.Invalid && code != coord.TooLarge {
				t.Fatalf("%q: code %q", s, code)
			}
			return
		}
		inTop := workspace.Workspace{Top: top, Cwd: top}
		if again, err := inTop.Resolve(p.String()); err != nil || again != p {
			t.Fatalf("%q gives %q, and that %q (%v)", s, p, again, err)
		}
		target, names, wide, pattern, err := w.Target(t.Context(), s)
		if err != nil {
			return // a malformed glob
		}
		parsed, err := coord.ParseTarget(target)
		if err != nil || (parsed.Kind == coord.FileTarget) == pattern || pattern && !wide && names == nil {
			t.Fatalf("%q gives target %q (%v), names %v, wide %v, pattern %v", s, target, err, names, wide, pattern)
		}
	})
}
