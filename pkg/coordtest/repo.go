package coordtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/coordhq/coord/pkg/workspace"
)

// Repo is a git repository made for a test, with one commit that no other
// repository shares.
type Repo struct {
	t   testing.TB
	Dir string // real path of its working tree
}

// NewRepo makes a repository that holds the given files (slash-separated, with
// their own name as content). The name tells it from other repositories.
func NewRepo(t testing.TB, name string, files ...string) *Repo {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &Repo{t: t, Dir: filepath.Join(dir, name)}
	for _, f := range append(files, "README.md") {
		r.Write(f, name+" "+f+"\n")
	}
	r.git("init", "-q", "-b", "main")
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "start "+name)
	return r
}

// Write puts a file into the working tree.
func (r *Repo) Write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// Worktree adds a second working tree of the repository on a branch of its own.
func (r *Repo) Worktree(branch string) *Repo {
	r.t.Helper()
	dir := r.Dir + "-" + branch
	r.git("worktree", "add", "-q", "-b", branch, dir)
	return &Repo{t: r.t, Dir: dir}
}

func (r *Repo) git(args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", args...) // #nosec G204 -- git with the harness's own arguments
	cmd.Dir = r.Dir
	cmd.Env = append(workspace.PlainGitEnv(os.Environ()),
		"GIT_AUTHOR_NAME=coordtest", "GIT_AUTHOR_EMAIL=coordtest@example.com",
		"GIT_COMMITTER_NAME=coordtest", "GIT_COMMITTER_EMAIL=coordtest@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}
