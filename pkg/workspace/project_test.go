package workspace_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

func rootOf(t *testing.T, repo string) coord.ProjectID {
	t.Helper()
	return coord.ProjectID("root:" + run(t, repo, "rev-list", "--max-parents=0", "HEAD"))
}

func TestRepositoryIsLocatedFromBelow(t *testing.T) {
	repo := newRepo(t, filepath.Join(tempDir(t), "shop"), "src/a.go")
	run(t, repo, "remote", "add", "origin", "git@github.com:acme/shop.git")
	link := filepath.Join(tempDir(t), "link")
	symlink(t, filepath.Join(repo, "src"), link)
	for _, dir := range []string{filepath.Join(repo, "src"), link} {
		want := workspace.Workspace{Project: "github.com/acme/shop", ID: coord.WorkspaceID("h-test:" + repo), Top: repo, Cwd: filepath.Join(repo, "src"), Branch: "main", Git: true}
		if diff := cmp.Diff(want, locate(t, dir), cmpopts.IgnoreUnexported(workspace.Workspace{})); diff != "" {
			t.Errorf("from %s (-want +got):\n%s", dir, diff)
		}
	}
}

func TestBranchAndCasePolicyAreRead(t *testing.T) {
	repo := newRepo(t, tempDir(t))
	run(t, repo, "switch", "-q", "-c", "feat/x")
	run(t, repo, "config", "core.ignorecase", "true")
	if w := locate(t, repo); w.Branch != "feat/x" || !w.FoldCase {
		t.Errorf("branch %q, fold %v; want feat/x and true", w.Branch, w.FoldCase)
	}
	run(t, repo, "switch", "-q", "--detach")
	run(t, repo, "config", "core.ignorecase", "false")
	if w := locate(t, repo); w.Branch != "" || w.FoldCase {
		t.Errorf("branch %q, fold %v of a detached HEAD; want none and false", w.Branch, w.FoldCase)
	}
}

func TestWorktreesAreOneProjectAndTwoWorkspaces(t *testing.T) {
	base := tempDir(t)
	repo := newRepo(t, filepath.Join(base, "shop"))
	tree := filepath.Join(base, "tree")
	run(t, repo, "worktree", "add", "-q", "-b", "other", tree)
	a, b := locate(t, repo), locate(t, tree)
	if a.Project != b.Project || a.Project != rootOf(t, repo) {
		t.Errorf("projects %q and %q, want both %q", a.Project, b.Project, rootOf(t, repo))
	}
	if a.ID == b.ID || b.Top != tree || b.Branch != "other" {
		t.Errorf("workspaces %q and %q with top %s and branch %q", a.ID, b.ID, b.Top, b.Branch)
	}
}

func TestWorktreeOnAnOrphanBranchIsTheSameProject(t *testing.T) {
	base := tempDir(t)
	repo := newRepo(t, filepath.Join(base, "shop"))
	tree := filepath.Join(base, "pages")
	run(t, repo, "worktree", "add", "-q", "--detach", tree)
	run(t, tree, "switch", "-q", "--orphan", "pages")
	run(t, tree, "commit", "-q", "--allow-empty", "-m", "another root")
	if a, b := locate(t, repo), locate(t, tree); a.Project != b.Project {
		t.Errorf("projects %q and %q, want one", a.Project, b.Project)
	}
}

func TestClonesAreOneProject(t *testing.T) {
	base := tempDir(t)
	for name, origin := range map[string]string{"with origin": "https://github.com/acme/shop", "without": ""} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(base, name)
			repo := newRepo(t, filepath.Join(dir, "shop"))
			want := rootOf(t, repo)
			if origin != "" {
				run(t, repo, "remote", "add", "origin", origin)
				want = "github.com/acme/shop"
			}
			run(t, dir, "clone", "-q", repo, "second")
			run(t, dir, "clone", "-q", "file://"+dir+"/second", "third")
			run(t, dir, "clone", "-q", "--bare", repo, "bare.git")
			run(t, dir, "-C", "bare.git", "remote", "remove", "origin")
			run(t, dir, "clone", "-q", "bare.git", "fourth")
			run(t, filepath.Join(dir, "fourth"), "remote", "set-url", "origin", "../bare") // as git takes it
			for _, clone := range []string{"shop", "second", "third"} {
				if w := locate(t, filepath.Join(dir, clone)); w.Project != want {
					t.Errorf("%s is project %q, want %q", clone, w.Project, want)
				}
			}
			if w := locate(t, filepath.Join(dir, "fourth")); w.Project != rootOf(t, repo) {
				t.Errorf("clone of the bare repository is project %q, want %q", w.Project, rootOf(t, repo))
			}
		})
	}
}

func TestOriginThatLeadsNowhereIsSkipped(t *testing.T) {
	base := tempDir(t)
	repo := newRepo(t, filepath.Join(base, "a"))
	run(t, base, "clone", "-q", "a", "b")
	plain := filepath.Join(newRepo(t, filepath.Join(base, "third"), "third.go"), "plain")
	if err := os.Mkdir(plain, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, origin := range map[string]string{"loop": filepath.Join(base, "b"), "itself": ".", "gone": filepath.Join(base, "gone"), "no repository": plain, "a file": "/etc/hostname"} {
		run(t, repo, "config", "remote.origin.url", origin)
		for _, dir := range []string{"a", "b"} {
			if w := locate(t, filepath.Join(base, dir)); w.Project != rootOf(t, repo) || w.Trouble != "" {
				t.Errorf("%s: %s is project %q (%s), want %q", name, dir, w.Project, w.Trouble, rootOf(t, repo))
			}
		}
	}
}

func TestSmallestRootNamesTheProject(t *testing.T) {
	repo := newRepo(t, tempDir(t))
	run(t, repo, "switch", "-q", "--orphan", "side")
	run(t, repo, "commit", "-q", "--allow-empty", "-m", "second root")
	run(t, repo, "merge", "-q", "--allow-unrelated-histories", "-m", "both", "main")
	roots := strings.Fields(run(t, repo, "rev-list", "--max-parents=0", "HEAD"))
	if len(roots) != 2 {
		t.Fatalf("roots %v, want two", roots)
	}
	if w := locate(t, repo); w.Project != coord.ProjectID("root:"+min(roots[0], roots[1])) {
		t.Errorf("project %q, want the smaller of %v", w.Project, roots)
	}
}

func TestRepositoryWithoutCommitsIsNamedByItsPlace(t *testing.T) {
	repo := tempDir(t)
	run(t, repo, "init", "-q")
	if w := locate(t, repo); w.Project != coord.ProjectID("path:"+repo) || w.Branch != "main" || !w.Git || w.Trouble != "" {
		t.Errorf("workspace %+v, want project path:%s", w, repo)
	}
}

func TestRewrittenOriginIsRead(t *testing.T) {
	repo := newRepo(t, tempDir(t))
	run(t, repo, "config", "url.https://github.com/.insteadOf", "gh:")
	run(t, repo, "config", "url.https://gitlab.com/.insteadOf", "g")
	run(t, repo, "remote", "add", "origin", "gh:acme/shop")
	if w := locate(t, repo); w.Project != "github.com/acme/shop" {
		t.Errorf("project %q, want github.com/acme/shop", w.Project)
	}
}

func TestSubmoduleIsAProjectOfItsOwn(t *testing.T) {
	base := tempDir(t)
	lib := newRepo(t, filepath.Join(base, "lib"), "lib.go")
	app := newRepo(t, filepath.Join(base, "app"), "app.go")
	run(t, app, "submodule", "--quiet", "add", lib, "libs/lib")
	sub := filepath.Join(app, "libs", "lib")
	if w := locate(t, sub); w.Project != rootOf(t, lib) || w.Top != sub {
		t.Errorf("project %q with top %s, want %q with top %s", w.Project, w.Top, rootOf(t, lib), sub)
	}
	if w := locate(t, app); w.Project != rootOf(t, app) {
		t.Errorf("project %q, want %q", w.Project, rootOf(t, app))
	}
}

func TestProjectByEnvironment(t *testing.T) {
	repo := newRepo(t, tempDir(t), "src/a.go")
	getenv := func(key string) string { return map[string]string{"COORDINATOR_PROJECT": " acme "}[key] }
	if w := locateEnv(t, filepath.Join(repo, "src"), getenv); w.Project != "acme" || w.Top != repo {
		t.Errorf("project %q with top %s, want acme with top %s", w.Project, w.Top, repo)
	}
}

func TestWithoutGitTheNearestMarkCounts(t *testing.T) {
	home := tempDir(t)
	for _, mark := range []string{".claude/settings.json", "a/CLAUDE.md", "a/b/.mcp.json", "a/b/c/d/x.txt", "e/f/x.txt"} {
		write(t, filepath.Join(home, mark))
	}
	getenv := func(key string) string { return map[string]string{"HOME": home}[key] }
	for dir, top := range map[string]string{"a/b/c/d": "a/b", "a": "a", "e/f": "e/f", ".": "."} { // .claude of the home is no mark
		top = filepath.Join(home, top)
		w := locateEnv(t, filepath.Join(home, dir), getenv)
		if w.Top != top || w.Project != coord.ProjectID("path:"+top) || w.ID != coord.WorkspaceID("h-test:"+top) || w.Git || w.Trouble != "" {
			t.Errorf("from %s: %+v, want top %s", dir, w, top)
		}
	}
}

func TestTroubleWithGitIsSaid(t *testing.T) {
	repo := newRepo(t, tempDir(t), "src/a.go")
	for name, tc := range map[string]struct{ script, want string }{
		"missing": {"", "git is not installed"},
		"failing": {"#!/bin/sh\necho 'fatal: detected dubious ownership' >&2\nexit 128\n", "git: detected dubious ownership"},
		"silent":  {"#!/bin/sh\nexit 0\n", "git named no working tree"},
	} {
		bin := tempDir(t)
		if tc.script != "" {
			if err := os.WriteFile(filepath.Join(bin, "git"), []byte(tc.script), 0o700); err != nil { // #nosec G306 -- a program
				t.Fatal(err)
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", bin+":/bin")
			if tc.script == "" {
				t.Setenv("PATH", bin)
			}
			w := locate(t, filepath.Join(repo, "src"))
			if w.Trouble != tc.want || w.Git || w.Top != repo || w.Project != coord.ProjectID("path:"+repo) {
				t.Errorf("workspace %+v, want trouble %q and the top by its .git", w, tc.want)
			}
		})
	}
}

func TestGitsEnvironmentOfTheCallerIsNotObeyed(t *testing.T) {
	other := newRepo(t, tempDir(t), "other.go")
	repo := newRepo(t, tempDir(t), "mine.go")
	for key, value := range map[string]string{"GIT_DIR": filepath.Join(other, ".git"), "GIT_WORK_TREE": other, "GIT_INDEX_FILE": filepath.Join(other, ".git", "index"),
		"GIT_PREFIX": "x/", "GIT_CONFIG_PARAMETERS": "'remote.origin.url'='https://evil.example/x'"} {
		t.Setenv(key, value)
	}
	w := locate(t, repo)
	if w.Top != repo || strings.Contains(string(w.Project), "evil") {
		t.Errorf("top %s of project %q, want %s", w.Top, w.Project, repo)
	}
	if names, _, err := w.Expand(t.Context(), "*.go"); err != nil || !cmp.Equal(names, []string{"mine.go"}) {
		t.Errorf("names %v (%v), want mine.go", names, err)
	}
}

func TestLocateRefusesWhatIsNoDirectory(t *testing.T) {
	file := filepath.Join(tempDir(t), "f")
	write(t, file)
	for _, dir := range []string{file, file + "/x", filepath.Join(tempDir(t), "gone")} {
		if w, err := workspace.Locate(t.Context(), dir, noEnv, host); coord.CodeOf(err) != coord.Invalid {
			t.Errorf("%s: %+v, error %v; want code %q", dir, w, err, coord.Invalid)
		}
	}
}

func TestLocateEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if w, err := workspace.Locate(ctx, newRepo(t, tempDir(t)), noEnv, host); coord.CodeOf(err) != coord.Unavailable {
		t.Errorf("%+v, error %v; want code %q", w, err, coord.Unavailable)
	}
}

func BenchmarkLocate(b *testing.B) {
	repo := newRepo(b, tempDir(b))
	run(b, repo, "remote", "add", "origin", "git@github.com:acme/shop.git")
	for b.Loop() {
		locate(b, repo)
	}
}
