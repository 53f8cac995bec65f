package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

type target struct {
	Target  string
	Names   []string
	Wide    bool
	Pattern bool
}

func targetOf(t *testing.T, w workspace.Workspace, s string) target {
	t.Helper()
	var got target
	var err error
	if got.Target, got.Names, got.Wide, got.Pattern, err = w.Target(t.Context(), s); err != nil {
		t.Errorf("%q: %v", s, err)
	}
	return got
}

// both runs a test in a repository and in a plain directory.
func both(t *testing.T, files []string, test func(t *testing.T, top string)) {
	t.Run("git", func(t *testing.T) { test(t, newRepo(t, tempDir(t), files...)) })
	t.Run("plain", func(t *testing.T) {
		top := tempDir(t)
		for _, f := range append(files, "CLAUDE.md") {
			write(t, filepath.Join(top, f))
		}
		test(t, top)
	})
}

func TestTargetIsSpelledAsTheProjectDoes(t *testing.T) {
	files := []string{"src/a.go", "src/b.ts", "src/sub/c.go", "app/[id]/page.tsx", "app/[id]/edit.tsx", "odd/{x}.ts", "odd/x.ts", "lib/.hidden/h.go", "dir*/f"}
	both(t, files, func(t *testing.T, top string) {
		symlink(t, "src", filepath.Join(top, "s"))
		w := locate(t, filepath.Join(top, "src"))
		pattern := func(target_ string, names ...string) target {
			return target{target_, append([]string{}, names...), false, true}
		}
		for s, want := range map[string]target{
			"a.go":                        {"src/a.go", nil, false, false},
			top + "/src/a.go":             {"src/a.go", nil, false, false},
			"a.go/":                       {"src/a.go", nil, false, false},
			"new.go":                      {"src/new.go", nil, false, false},
			"../app/[id]/page.tsx":        {"app/[id]/page.tsx", nil, false, false},
			"../odd/{x}.ts":               pattern(`odd/\{x\}.ts`, "odd/{x}.ts"),
			"../odd/{x,y}.ts":             pattern("odd/{x,y}.ts", "odd/x.ts"),
			"sub":                         pattern("src/sub/", "src/sub/c.go"),
			"sub/":                        pattern("src/sub/", "src/sub/c.go"),
			"../s/sub":                    pattern("src/sub/", "src/sub/c.go"),
			"new/":                        pattern("src/new/"),
			"../dir*/":                    pattern(`dir\*/**`, "dir*/f"),
			"*.go":                        pattern("src/*.go", "src/a.go"),
			"./**/*.go":                   pattern("src/**/*.go", "src/a.go", "src/sub/c.go"),
			top + "/s/*.{go,ts}":          pattern("src/*.{go,ts}", "src/a.go", "src/b.ts"),
			"../app/[id]/*.tsx":           pattern(`app/\[id\]/*.tsx`, "app/[id]/edit.tsx", "app/[id]/page.tsx"),
			"../s*/*/":                    pattern("s*/*/**/*", "src/sub/c.go"),
			"../{src,app}/*.go":           pattern("{src,app}/*.go", "src/a.go"),
			"nothing/*.go":                pattern("src/nothing/*.go"),
			"../lib/.hidden":              pattern("lib/.hidden/", "lib/.hidden/h.go"),
			"../" + norm.NFD.String("é*"): pattern("é*"),
		} {
			if diff := cmp.Diff(want, targetOf(t, w, s)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", s, diff)
			}
		}
	})
}

func TestHubReadsTheTargetAsItIsMeant(t *testing.T) {
	top := newRepo(t, tempDir(t), "odd/{x}.ts", "src/a.go")
	for s, kind := range map[string]coord.TargetKind{"src": coord.DirTarget, ".": coord.DirTarget, "src/a.go": coord.FileTarget, "src/*": coord.GlobTarget, "odd/{x}.ts": coord.GlobTarget} {
		got, err := coord.ParseTarget(targetOf(t, locate(t, top), s).Target)
		if err != nil || got.Kind != kind {
			t.Errorf("%q is a %q for the hub (%v), want a %q", s, got.Kind, err, kind)
		}
	}
}

func TestMalformedGlobIsRefused(t *testing.T) {
	w := locate(t, newRepo(t, tempDir(t), "src/a.go"))
	for _, s := range []string{"src/{a", "src/*[", "*/../x", "**/..", "../*.go", "/etc/*", ".git/*"} {
		if got, _, _, _, err := w.Target(t.Context(), s); coord.CodeOf(err) != coord.Invalid {
			t.Errorf("%q gives %q, error %v; want code %q", s, got, err, coord.Invalid)
		}
	}
}

func TestManyFilesAreWide(t *testing.T) {
	var files []string
	for i := range coord.MaxExpansion + 1 {
		files = append(files, fmt.Sprintf("many/%d", i))
	}
	files = append(files, "few/a")
	both(t, files, func(t *testing.T, top string) {
		w := locate(t, top)
		for s, want := range map[string]target{"many": {"many/", nil, true, true}, ".": {"./", nil, true, true}, "**": {"**", nil, true, true},
			"few": {"few/", []string{"few/a"}, false, true}} {
			if diff := cmp.Diff(want, targetOf(t, w, s)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", s, diff)
			}
		}
		if err := os.Remove(filepath.Join(top, "many", "0")); err != nil {
			t.Fatal(err)
		}
		if w.Git {
			run(t, top, "add", "-A")
		}
		if got := targetOf(t, w, "many"); len(got.Names) != coord.MaxExpansion || got.Wide {
			t.Errorf("%d names, wide %v; want %d", len(got.Names), got.Wide, coord.MaxExpansion)
		}
	})
}

func TestExpansionKnowsWhatGitKnows(t *testing.T) {
	top := newRepo(t, tempDir(t), ".gitignore", "tracked.go", "é.go")
	if err := os.WriteFile(filepath.Join(top, ".gitignore"), []byte("ignored.go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(top, "ignored.go"))
	write(t, filepath.Join(top, "untracked.go"))
	newRepo(t, filepath.Join(top, "nested"), "n.go")
	for pattern, want := range map[string][]string{
		"*.go": {"tracked.go", "untracked.go", "é.go"},
		"**":   {".gitignore", "tracked.go", "untracked.go", "é.go"},
	} {
		names, wide, err := locate(t, filepath.Join(top)).Expand(t.Context(), pattern)
		if err != nil || wide {
			t.Fatalf("wide %v, error %v", wide, err)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
}

func TestConflictedFileIsListedOnce(t *testing.T) {
	top := newRepo(t, tempDir(t), "a.go")
	run(t, top, "switch", "-q", "-c", "side")
	for _, branch := range []string{"side", "main"} { // main last: the index must hold "ours"
		run(t, top, "switch", "-q", branch)
		if err := os.WriteFile(filepath.Join(top, "a.go"), []byte(branch), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, top, "commit", "-q", "-a", "-m", branch)
	}
	run(t, top, "read-tree", "-i", "-m", "side~1", "main", "side")
	if unmerged := run(t, top, "ls-files", "--cached"); unmerged != "a.go\na.go\na.go" {
		t.Fatalf("git lists %q, want the file three times", unmerged)
	}
	if names, _, err := locate(t, top).Expand(t.Context(), "*.go"); err != nil || !cmp.Equal(names, []string{"a.go"}) {
		t.Errorf("names %v (%v), want a.go once", names, err)
	}
}

func TestPatternIgnoresCaseWhereNamesDo(t *testing.T) {
	w := locate(t, newRepo(t, tempDir(t), "Src/A.go"))
	for fold, want := range map[bool][]string{true: {"Src/A.go"}, false: {}} {
		if fold {
			w = w.WithFold()
		} else {
			w.FoldCase = false
		}
		names, _, err := w.Expand(t.Context(), "src/*.GO")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("fold %v (-want +got):\n%s", fold, diff)
		}
	}
}

func TestWithoutGitToolsDirectoriesAreLeftOut(t *testing.T) {
	top := tempDir(t)
	for _, f := range []string{"CLAUDE.md", "a.js", "node_modules/x.js", ".cache/x.js", "sub/node_modules/x.js"} {
		write(t, filepath.Join(top, f))
	}
	names, _, err := locate(t, top).Expand(t.Context(), "**/*.js")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.js"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestFailingGitMakesAPatternWide(t *testing.T) {
	top := newRepo(t, tempDir(t), "a.go")
	w := locate(t, top)
	if err := os.RemoveAll(filepath.Join(top, ".git")); err != nil {
		t.Fatal(err)
	}
	if names, wide, err := w.Expand(t.Context(), "*.go"); err != nil || !wide || names != nil {
		t.Errorf("names %v, wide %v, error %v; want wide", names, wide, err)
	}
}
