// Package workspace tells where an agent works: the project it shares with
// others, the working tree it writes in, and the project's name of each file.
//
// [Locate] asks git a few facts once (two processes, three without an origin);
// [Workspace.Resolve] and [Workspace.Target] turn what a model or client typed
// into the one spelling that all agents of the project use. Both run where the
// files are, in shim and hook; the hub never opens a path.
package workspace

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// Workspace is one working tree, as seen from a directory in it. Values are
// made by [Locate] and never change; locate again after a change of directory
// or branch.
type Workspace struct {
	Project  coord.ProjectID
	Fixed    bool // the user has named the project: COORDINATOR_PROJECT
	ID       coord.WorkspaceID
	Top      string // real path of the top of the working tree
	Cwd      string // real path of the directory given to Locate
	Branch   string // "" without git or when HEAD is detached
	FoldCase bool   // letter case does not count in names here
	Git      bool   // Top is the top of a git working tree
	Trouble  string // why git could not be asked although there is a repository; "" = all is well

	marked bool   // see Marked
	gitDir string // git directory of this working tree; "" without git or when recalled
	common string // real path of the git directory that all working trees of the clone share; "" without git
}

// Marked reports whether Top is a project in its own right: a repository, or a
// directory that the files named at [Locate] mark. Otherwise it is just where
// somebody stood.
func (w Workspace) Marked() bool { return w.Git || w.marked }

// Locate finds the workspace around dir.
//
// The project is $COORDINATOR_PROJECT, else the normalised origin URL (of the
// repository at the end of the line when origin is a local path), else
// "root:<first commit>", else "path:<directory>". When git cannot be
// asked the top is the directory with .git all the same. Without one it is the
// nearest directory above dir with .mcp.json, .claude or CLAUDE.md, short of
// the user's home directory, else dir itself.
//
// The error is coord.Invalid when dir cannot be entered, coord.Unavailable when
// ctx ended. Trouble with git is no error: see the field.
func Locate(ctx context.Context, dir string, getenv func(string) string, host coord.HostID) (Workspace, error) {
	return locate(ctx, dir, getenv, host, "")
}

func locate(ctx context.Context, dir string, getenv func(string) string, host coord.HostID, memory string) (Workspace, error) {
	cwd, err := realDir(dir)
	if err != nil {
		return Workspace{}, err
	}
	w := Workspace{Cwd: cwd}
	top := RepositoryAbove(cwd)
	if top != "" && !w.recall(memory, top) {
		if w.Trouble = w.askGit(ctx); w.Trouble == "" {
			w.remember(memory, top)
		}
	}
	if err := ctx.Err(); err != nil {
		return Workspace{}, &coord.Error{Code: coord.Unavailable, What: "finding the project of " + cwd + " took too long", Next: "try again", Err: err}
	}
	if !w.Git {
		if w.Top, w.marked = top, true; top == "" { // with trouble it is still the repository's working tree
			w.Top, w.marked = markedTop(cwd, getenv)
		}
		w.Project = coord.ProjectID("path:" + filepath.ToSlash(w.Top))
		w.FoldCase = foldsCase(w.Top)
	}
	if name := strings.TrimSpace(coord.CleanText(getenv("COORDINATOR_PROJECT"))); name != "" && !strings.ContainsAny(name, " \t\n") {
		w.Project, w.Fixed = coord.ProjectID(name), true
	}
	w.ID = coord.WorkspaceID(string(host) + ":" + w.Top)
	return w, nil
}

func realDir(dir string) (string, error) {
	const next = "start in an existing directory"
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", &coord.Error{Code: coord.Invalid, What: "the directory " + dir + " cannot be found", Next: next, Err: err}
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", &coord.Error{Code: coord.Invalid, What: "the directory " + abs + " cannot be entered", Next: next, Err: err}
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", &coord.Error{Code: coord.Invalid, What: abs + " is not a directory", Next: next, Err: err}
	}
	return real, nil
}

// RepositoryAbove gives the directory in which git would find a repository from
// dir (a real path), so that no process is started where there is none; "" without
// one.
func RepositoryAbove(dir string) string {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			return d
		}
		if d == filepath.Dir(d) {
			return ""
		}
	}
}

// markedTop finds the top of a project that is no repository. The user's home
// is never one for its .claude: that is the client's own directory.
func markedTop(dir string, getenv func(string) string) (top string, marked bool) {
	home := getenv("HOME")
	if real, err := filepath.EvalSymlinks(home); err == nil {
		home = real
	}
	for d := dir; d != filepath.Dir(d) && d != home; d = filepath.Dir(d) {
		for _, mark := range []string{".mcp.json", ".claude", "CLAUDE.md"} {
			if _, err := os.Lstat(filepath.Join(d, mark)); err == nil {
				return d, true
			}
		}
	}
	return dir, false
}

// foldsCase reports whether another spelling of dir's name finds it too.
func foldsCase(dir string) bool {
	base := filepath.Base(dir)
	other := strings.ToUpper(base)
	if other == base {
		other = strings.ToLower(base)
	}
	if other == base {
		return false
	}
	a, errA := os.Lstat(dir)
	b, errB := os.Lstat(filepath.Join(filepath.Dir(dir), other))
	return errA == nil && errB == nil && os.SameFile(a, b)
}
