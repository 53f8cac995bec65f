package workspace_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

// uncommitted makes a repository with the files committed.
func uncommitted(t *testing.T, committed ...string) (top string, git func(args ...string)) {
	t.Helper()
	top = newRepo(t, filepath.Join(tempDir(t), "repo"), committed...)
	git = func(args ...string) { t.Helper(); run(t, top, args...) }
	return top, git
}

func put(t *testing.T, top, name, content string) {
	t.Helper()
	full := filepath.Join(top, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func list(changes []workspace.Change) string {
	var out []string
	for _, c := range changes {
		line := string([]byte{c.Index, c.Tree}) + " " + c.Path.String()
		if !c.From.IsZero() {
			line += " from " + c.From.String()
		}
		if c.Gone() {
			line += " gone"
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

const (
	composed   = "caf\u00e9.txt"
	decomposed = "cafe\u0301.txt"
)

func TestStatusNamesWhatIsNotCommitted(t *testing.T) {
	top, git := uncommitted(t, "a.go", "b c.go", "gone.go", "dropped.go", "old.go", "line\nbreak", "both.go")
	git("checkout", "-qb", "other")
	put(t, top, "both.go", "theirs\n")
	git("commit", "-qam", "theirs")
	git("checkout", "-q", "main")
	put(t, top, "both.go", "ours\n")
	git("commit", "-qam", "ours")
	if err := exec.Command("git", "-C", top, "-c", "user.name=t", "-c", "user.email=t@example.org", "merge", "-q", "other").Run(); err == nil {
		t.Fatal("the merge has no conflict")
	}
	git("mv", "old.go", "new name.go")
	put(t, top, "a.go", "x\n")
	put(t, top, "b c.go", "x\n")
	git("add", "b c.go")
	put(t, top, "line\nbreak", "x\n")
	put(t, top, "dir/deep/unknown.go", "x\n")
	put(t, top, decomposed, "x\n")
	if err := os.Remove(filepath.Join(top, "gone.go")); err != nil {
		t.Fatal(err)
	}
	git("rm", "-q", "dropped.go")

	changes, err := workspace.Status(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{".M a.go", "M. b c.go", "D. dropped.go gone", ".D gone.go gone", ".M line␊break", "R. new name.go from old.go",
		"UU both.go", "?? " + composed, "?? dir/deep/unknown.go"}, "\n")
	if diff := cmp.Diff(want, list(changes)); diff != "" {
		t.Error(diff)
	}
	for _, c := range changes {
		if c.Untracked() && strings.HasPrefix(c.Disk, "caf") && c.Disk != decomposed {
			t.Errorf("on disk it is %q, not %q", decomposed, c.Disk)
		}
	}
}

func TestStatusOfNamesLooksAtThoseOnly(t *testing.T) {
	top, _ := uncommitted(t, "a.go", "b.go", "*.go")
	for _, name := range []string{"a.go", "b.go", "*.go", "new.go"} {
		put(t, top, name, "x\n")
	}
	for name, want := range map[string]string{"a.go": ".M a.go", "*.go": ".M *.go", "new.go": "?? new.go", "none.go": ""} {
		changes, err := workspace.Status(t.Context(), top, name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, list(changes)); diff != "" {
			t.Errorf("%s\n%s", name, diff)
		}
	}
}

func TestStatusOfTheTreeTellsOfEachFileByItsProjectsName(t *testing.T) {
	top, _ := uncommitted(t, "a.go", "b.go", decomposed, "sub/d.go")
	put(t, top, "b.go", "x\n")
	put(t, top, decomposed, "x\n")
	put(t, top, "sub/new.go", "x\n")
	changes, err := workspace.Status(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a.go": false, "b.go": true, composed: true, "sub/d.go": false, "sub/new.go": true, "none": false} {
		p, err := coord.ParsePath(name)
		if err != nil {
			t.Fatal(err)
		}
		if dirty := slices.ContainsFunc(changes, func(c workspace.Change) bool { return c.Path == p }); dirty != want {
			t.Errorf("%s: %v in %+v", name, dirty, changes)
		}
	}
}

func TestStatusTakesNoLockAndKeepsTheIndex(t *testing.T) {
	top, _ := uncommitted(t, "a.go")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(top, "a.go"), old, old); err != nil { // git would refresh its index
		t.Fatal(err)
	}
	index := filepath.Join(top, ".git", "index")
	before, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workspace.Status(t.Context(), top); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(index)
	if err != nil || string(after) != string(before) {
		t.Errorf("the index was written (%v)", err)
	}
}

func TestStatusEndsWithItsTime(t *testing.T) {
	top, _ := uncommitted(t, "a.go")
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := workspace.Status(ctx, top); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestStatusInAnUnknownFormIsAnError(t *testing.T) {
	for _, out := range []string{"x", "1 .M N... 100644\x00", "9 what\x00", "2 R. N... 1 1 1 a b R100 new\x00", "? no end", "\x00\x00"} {
		if changes, err := workspace.ParseStatus(out); err == nil {
			t.Errorf("%q gave %v", out, changes)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add("1 .M N... 100644 100644 100644 aa bb a.go\x00? b\x00")
	f.Add("2 R. N... 100644 100644 100644 aa bb R100 new\x00old\x00")
	f.Add("u UU N... 100644 100644 100644 100644 aa bb cc f\x00# branch.oid x\x00! ignored\x00")
	f.Fuzz(func(t *testing.T, out string) {
		changes, err := workspace.ParseStatus(out)
		if err != nil && len(changes) > 0 {
			t.Error("an error with changes")
		}
		for _, c := range changes {
			if c.Path.IsZero() {
				t.Error("a change without a path")
			}
		}
	})
}
