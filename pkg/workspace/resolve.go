package workspace

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"github.com/coordhq/coord/pkg/coord"
)

var driveLetter = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z]:[/\\]`) })

// Resolve gives the project's name of a file or directory: s is absolute or
// relative to Cwd. Symlinks are followed, so that all names of one file give
// one Path; the file need not exist. A path inside another working tree of the
// same clone is named as there, since the project is the same.
//
// It refuses, with coord.Invalid, a path outside the working tree, below the top
// of another repository in it such as a submodule, or inside a .git directory, one with NUL, CR or LF, and a Windows path on another system.
func (w Workspace) Resolve(s string) (coord.Path, error) {
	if err := checkTyped(s); err != nil {
		return coord.Path{}, err
	}
	return w.ResolveTold(s)
}

// ResolveTold is [Workspace.Resolve] for a name that a program tells, which is
// meant literally: it may hold line breaks, see [coord.ParseDiskName].
func (w Workspace) ResolveTold(s string) (coord.Path, error) {
	name, err := w.locate(s)
	if err != nil {
		return coord.Path{}, err
	}
	return coord.ParseDiskName(name)
}

// locate is ResolveTold with the name as it is on disk, before normalisation.
func (w Workspace) locate(s string) (string, error) {
	if err := check(s); err != nil {
		return "", err
	}
	real, err := realPath(w.absolute(s))
	if err != nil {
		return "", err
	}
	if top := w.foreignTop(filepath.Dir(real)); top != "" {
		return "", w.foreign(s, top)
	}
	name, ok := w.relative(real)
	if !ok {
		return "", coord.Errorf(coord.Invalid, "name a file inside it", "path %q is outside the working tree %s", s, w.Top)
	}
	if slices.ContainsFunc(strings.Split(name, "/"), w.isGitDir) {
		return "", coord.Errorf(coord.Invalid, "name a file of the project itself", "path %q is inside git's own directory", s)
	}
	return name, nil
}

// isGitDir matches an element that names git's own directory, or its link file.
func (w Workspace) isGitDir(element string) bool {
	return element == ".git" || w.FoldCase && strings.EqualFold(element, ".git")
}

// typeIt says how a path is to be given.
const typeIt = "give it relative to the working directory, like src/main.go"

// checkTyped is check for what somebody types: with a line break it is a slip, such
// as two names in one.
func checkTyped(s string) error {
	if strings.ContainsAny(s, "\r\n") {
		return coord.Errorf(coord.Invalid, typeIt, "path %q holds a control character", s)
	}
	return check(s)
}

func check(s string) error {
	switch {
	case s == "":
		return coord.Errorf(coord.Invalid, typeIt, "a path is empty")
	case strings.ContainsRune(s, 0):
		return coord.Errorf(coord.Invalid, typeIt, "path %q holds a control character", s)
	case runtime.GOOS != "windows" && driveLetter().MatchString(s):
		return coord.Errorf(coord.Invalid, typeIt, "path %q is a Windows path with a drive letter, and this is not Windows", s)
	}
	return nil
}

// relative gives a real path relative to the top of its working tree, with
// slashes.
func (w Workspace) relative(real string) (string, bool) {
	if tree := w.treeOf(real); tree != "" {
		return cutTop(real, tree, false)
	}
	return cutTop(real, w.Top, w.FoldCase)
}

// treeOf gives the top of the working tree around real if it is another one of
// the same clone, such as <top>/.claude/worktrees/x; "" otherwise.
func (w Workspace) treeOf(real string) string {
	if w.common == "" {
		return ""
	}
	for d := real; d != w.Top && d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil && commonOf(d) == w.common {
			return d
		}
	}
	return ""
}

// foreignTop gives the top of another repository in the working tree, at dir or
// above it: a submodule, or a clone in a clone. "" without one.
func (w Workspace) foreignTop(dir string) string {
	if _, inside := cutTop(dir, w.Top, w.FoldCase); !inside {
		return ""
	}
	for d := dir; len(d) > len(w.Top); d = filepath.Dir(d) {
		if _, err := os.Lstat(filepath.Join(d, ".git")); err != nil {
			continue
		}
		if common := commonOf(d); common != "" && common != w.common {
			return d
		}
		return ""
	}
	return ""
}

func (w Workspace) foreign(s, top string) error {
	name, _ := cutTop(top, w.Top, w.FoldCase)
	return coord.Errorf(coord.Invalid, "work on it from a session that is started in "+top,
		"path %q belongs to the project of the repository %s (a submodule or a clone of its own), not to this one", s, name)
}

// commonOf reads the shared git directory of the working tree at top from its
// .git, as git does; "" when there is none.
func commonOf(top string) string {
	gitDir := filepath.Join(top, ".git")
	if raw, err := os.ReadFile(gitDir); err == nil { // #nosec G304 -- a link file of git's
		target, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), "gitdir: ")
		if !ok {
			return ""
		}
		if gitDir = target; !filepath.IsAbs(gitDir) {
			gitDir = filepath.Join(top, gitDir)
		}
	}
	common := gitDir
	if raw, err := os.ReadFile(filepath.Join(gitDir, "commondir")); err == nil { // #nosec G304 G703 -- as above
		if common = strings.TrimSpace(string(raw)); !filepath.IsAbs(common) {
			common = filepath.Join(gitDir, common)
		}
	}
	real, err := filepath.EvalSymlinks(common)
	if err != nil {
		return ""
	}
	return real
}

// cutTop cuts the directory top off name. Names that only differ in their
// Unicode normalisation are the same, as are those in letter case with fold.
func cutTop(name, top string, fold bool) (string, bool) {
	const sep = string(filepath.Separator)
	have, want := strings.Split(name, sep), strings.Split(strings.TrimSuffix(top, sep), sep)
	if len(have) < len(want) {
		return "", false
	}
	for i, element := range want {
		a, b := norm.NFC.String(have[i]), norm.NFC.String(element)
		if a != b && !(fold && strings.EqualFold(a, b)) {
			return "", false
		}
	}
	if len(have) == len(want) {
		return ".", true
	}
	return strings.Join(have[len(want):], "/"), true
}
