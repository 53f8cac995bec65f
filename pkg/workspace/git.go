package workspace

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// gitTimeout bounds one git process: longer than any of our questions takes on
// a large repository, shorter than a user's patience.
const gitTimeout = 2 * time.Second

// git runs one git command in dir and gives its standard output. It can prompt
// nobody, takes no lock that would get in the way of the user's own git, and
// starts no program that a repository's configuration names.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	return run(ctx, gitCommand(ctx, dir, args...))
}

// gitAt is git in a repository that must be at dir itself, not above it.
func gitAt(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	cmd := gitCommand(ctx, dir, args...)
	cmd.Env = append(cmd.Env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	return run(ctx, cmd)
}

func run(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", &failure{reason: reasonOf(ctx, err, errs.String()), err: err}
	}
	return out.String(), nil
}

func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false"}, args...)...) // #nosec G204 -- our own arguments
	cmd.Dir = dir
	cmd.Env = gitEnv(os.Environ())
	cmd.WaitDelay = 100 * time.Millisecond
	return cmd
}

// failure is why git gave no answer, in words for [Workspace.Trouble].
type failure struct {
	reason string
	err    error
}

func (f *failure) Error() string { return f.reason }
func (f *failure) Unwrap() error { return f.err }

func reasonOf(ctx context.Context, err error, stderr string) string {
	if errors.Is(err, exec.ErrNotFound) {
		return "git is not installed"
	}
	if ctx.Err() != nil {
		return "git did not answer in time"
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n"); line != "" {
		return "git: " + strings.TrimPrefix(line, "fatal: ")
	}
	return "git: " + err.Error()
}

// saidNo reports whether git ran well and answered that there is no such thing.
func saidNo(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == 1
}

// askGit fills the fields that git knows; it gives the reason when it cannot.
func (w *Workspace) askGit(ctx context.Context) (trouble string) {
	out, err := git(ctx, w.Cwd, "rev-parse", "--show-toplevel", "--git-common-dir", "--absolute-git-dir")
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 3 || lines[0] == "" {
		return "git named no working tree"
	}
	common, err := realFrom(w.Cwd, lines[1])
	if err != nil {
		return "the git directory cannot be found"
	}
	w.Git, w.Top, w.common = true, filepath.FromSlash(lines[0]), common
	w.gitDir = filepath.FromSlash(lines[2])
	w.Branch = branchOf(w.gitDir)
	repo := repository{dir: w.Cwd, common: common}
	w.Project, err = repo.project(ctx)
	w.FoldCase = repo.foldCase
	if err != nil {
		return err.Error()
	}
	return ""
}

// realFrom makes a path that git printed in dir absolute and real.
func realFrom(dir, name string) (string, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	return filepath.EvalSymlinks(name)
}

// branchOf reads the branch from a git directory; "" when HEAD is detached.
func branchOf(gitDir string) string {
	raw, err := os.ReadFile(filepath.Join(gitDir, "HEAD")) // #nosec G304 -- named by git
	if err != nil {
		return ""
	}
	branch, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), "ref: refs/heads/")
	if !ok || branch == ".invalid" { // a reftable repository keeps HEAD elsewhere
		return ""
	}
	return branch
}
