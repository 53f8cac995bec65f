package hook

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

// places finds the project of directories and files.
type places struct {
	home   config.Home
	host   coord.HostID
	getenv func(string) string
}

// memory is where git's answers are kept between runs.
func (p places) memory() string {
	dir := filepath.Join(p.home.RunDir(), "places")
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return ""
	}
	return dir
}

// at gives the workspace around a directory.
func (p places) at(ctx context.Context, dir string) (workspace.Workspace, error) {
	return workspace.Recall(ctx, dir, p.getenv, p.host, p.memory())
}

// file gives a file under its project's name. ok is false for one that is no
// project's: outside every one, in a directory of the client or of ours, under
// .git. w is the working tree it lies in. The error is [coord.Invalid] or
// [coord.TooLarge] for a name that cannot be told to a hub.
func (p places) file(ctx context.Context, here workspace.Workspace, name string) (f coord.HookFile, w workspace.Workspace, ok bool, err error) {
	if strings.ContainsRune(name, 0) {
		return f, w, false, coord.Errorf(coord.Invalid, "", "the name of a file holds a NUL character")
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(here.Cwd, name)
	}
	w, real, err := workspace.Around(ctx, name, p.getenv, p.host, p.memory())
	if coord.CodeOf(err) == coord.Invalid {
		return f, w, false, nil
	}
	if err != nil {
		return f, w, false, err
	}
	if p.private(real) {
		return f, w, false, nil
	}
	if !w.Marked() { // nobody's, unless it lies where the session stands
		w = here
	}
	path, err := w.ResolveTold(real)
	switch {
	case coord.CodeOf(err) == coord.TooLarge:
		return f, w, false, err
	case err != nil:
		return f, w, false, nil // outside, or git's own
	}
	return coord.HookFile{Path: path, Project: w.Project, Workspace: w.ID}, w, true, nil
}

// private reports whether a file lies in the client's own directory or in our
// home: notes and settings, no work.
func (p places) private(real string) bool {
	user := p.getenv("HOME")
	for _, dir := range []string{p.getenv("CLAUDE_CONFIG_DIR"), filepath.Join(user, ".claude"), p.home.Dir()} {
		if !filepath.IsAbs(dir) {
			continue
		}
		if r, err := filepath.EvalSymlinks(dir); err == nil {
			dir = r
		}
		if real == dir || strings.HasPrefix(real, dir+string(filepath.Separator)) {
			return true
		}
	}
	return false
}
