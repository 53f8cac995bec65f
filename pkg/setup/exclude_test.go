package setup_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/setup"
)

// git runs git in a directory of the project, without the tester's own settings.
func (u *user) git(dir string, args ...string) string {
	u.t.Helper()
	u.t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	u.t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	u.t.Setenv("XDG_CONFIG_HOME", u.env["HOME"]) // its git/ignore
	u.t.Setenv("HOME", u.env["HOME"])
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
	cmd.Dir = filepath.Join(u.dir, dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		u.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

const localSettings = ".claude/settings.local.json"

func TestLocalSettingsAreNotCommittedByAccident(t *testing.T) {
	u := newUser(t)
	u.git("", "init", "-q")
	u.write(".git/info/exclude", "# mine\n*.swp")
	before := u.tree()
	if got := actions(u.init()); got["exclude"] != setup.Changed {
		t.Errorf("init reports %v, want the exclude file changed", got)
	}
	if said := u.git("", "status", "--porcelain", "--untracked-files=all"); strings.Contains(said, "settings.local") || !strings.Contains(said, ".mcp.json") {
		t.Errorf("git status after init:\n%s", said)
	}
	once := u.read(".git/info/exclude")
	if got := actions(u.init()); got["exclude"] != "" || u.read(".git/info/exclude") != once {
		t.Errorf("a second init: %v and\n%s", got, u.read(".git/info/exclude"))
	}
	u.uninstall()
	if diff := cmp.Diff(before, u.tree()); diff != "" {
		t.Error("after uninstall:", diff)
	}
}

func TestAFileThatGitIgnoresOrTracksIsLeftToIt(t *testing.T) {
	for name, prepare := range map[string]func(*user){
		"ignored": func(u *user) { u.write(".gitignore", "settings.local.json\n") },
		"tracked": func(u *user) {
			u.write(localSettings, "{}\n")
			u.git("", "add", localSettings)
		},
		"shared":  func(u *user) { u.o.Shared = true },
		"no git":  func(u *user) { _ = os.RemoveAll(filepath.Join(u.dir, ".git")) },
		"another": func(u *user) { u.o.Clients = []setup.Client{setup.Cursor} },
	} {
		t.Run(name, func(t *testing.T) {
			u := newUser(t)
			u.git("", "init", "-q")
			prepare(u)
			if got := actions(u.init()); got["exclude"] != "" {
				t.Errorf("init reports %v, want the exclude file left alone", got)
			}
		})
	}
}

// All working trees of a clone share the file: it is kept for as long as one of
// them needs it.
func TestEveryWorkingTreeOfACloneIsCovered(t *testing.T) {
	u := newUser(t)
	u.git("", "init", "-q")
	u.git("", "commit", "-q", "--allow-empty", "-m", "first")
	tree := filepath.Join(filepath.Dir(u.dir), "tree")
	u.git("", "worktree", "add", "-q", tree)
	u.write("sub/x.go", "")
	before := u.read(".git/info/exclude")
	main := u.dir
	for _, dir := range []string{tree, filepath.Join(main, "sub"), main} {
		u.o.Dir = dir
		u.init()
		cmd := exec.Command("git", "-C", dir, "status", "--porcelain", "--untracked-files=all")
		if said, err := cmd.Output(); err != nil || strings.Contains(string(said), "settings.local") {
			t.Errorf("git status in %s: %v\n%s", dir, err, said)
		}
	}
	for _, dir := range []string{tree, main} {
		u.o.Dir = dir
		u.uninstall()
		if u.read(".git/info/exclude") == before {
			t.Errorf("the file was restored by %s, though others need it", dir)
		}
	}
	u.o.Dir = filepath.Join(main, "sub")
	u.uninstall()
	if got := u.read(".git/info/exclude"); got != before {
		t.Errorf("after the last uninstall it holds\n%s", got)
	}
}
