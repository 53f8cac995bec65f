package workspace_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

const host = coord.HostID("h-test")

// tempDir gives a directory without symlinks in its name.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// noEnv is a getenv without anything.
func noEnv(string) string { return "" }

func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main",
		"-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir, cmd.Env = dir, workspace.PlainGitEnv(os.Environ())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// write makes a file and its directories.
func write(t testing.TB, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
		t.Fatal(err)
	}
}

func symlink(t testing.TB, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// newRepo makes a repository with one commit that holds the files.
func newRepo(t testing.TB, dir string, files ...string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "init", "-q")
	for _, f := range files {
		write(t, filepath.Join(dir, f))
	}
	run(t, dir, "add", "-A")
	run(t, dir, "commit", "-q", "--allow-empty", "-m", "start")
	return dir
}

func locate(t testing.TB, dir string) workspace.Workspace {
	t.Helper()
	return locateEnv(t, dir, noEnv)
}

func locateEnv(t testing.TB, dir string, getenv func(string) string) workspace.Workspace {
	t.Helper()
	w, err := workspace.Locate(t.Context(), dir, getenv, host)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
