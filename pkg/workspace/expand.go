package workspace

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/coordhq/coord/pkg/coord"
)

// maxWalk is how many entries are looked at to expand a pattern without git.
const maxWalk = 20_000

// Expand lists the files that a directory or glob in the project's spelling (as
// [Workspace.Target] gives it) stands for now: tracked ones and untracked ones
// that are not ignored; without git, all outside hidden and node_modules
// directories. Names are sorted and never nil, unless there are more than
// coord.MaxExpansion or git could not list them: then wide is true.
//
// The error is that of a malformed pattern, or coord.Unavailable when ctx ended.
func (w Workspace) Expand(ctx context.Context, pattern string) (names []string, wide bool, err error) {
	t, err := coord.ParseTarget(pattern)
	if err != nil {
		return nil, false, err
	}
	set := &nameSet{match: w.matcher(t)}
	base := staticPrefix(t)
	if strings.ContainsFunc(base, func(r rune) bool { return r > unicode.MaxASCII }) {
		base = "." // it may be spelled in another normal form on disk
	}
	if w.Git {
		err = w.listGit(ctx, base, set)
	} else {
		err = w.walk(ctx, base, set)
	}
	if ctx.Err() != nil {
		return nil, false, &coord.Error{Code: coord.Unavailable, What: "listing the files of " + pattern + " took too long", Next: "try again", Err: ctx.Err()}
	}
	if err != nil {
		return nil, true, nil
	}
	return set.sorted(), false, nil
}

// matcher decides about project paths as the hub does: on normalised names,
// without letter case where that does not count.
func (w Workspace) matcher(t coord.Target) func(coord.Path) bool {
	key := string(t.Path.Key(w.FoldCase))
	switch {
	case t.Kind == coord.GlobTarget:
		return func(p coord.Path) bool { return doublestar.MatchUnvalidated(key, string(p.Key(w.FoldCase))) }
	case t.Kind == coord.DirTarget && key == ".":
		return func(coord.Path) bool { return true }
	case t.Kind == coord.DirTarget:
		return func(p coord.Path) bool { return strings.HasPrefix(string(p.Key(w.FoldCase)), key+"/") }
	default:
		return func(p coord.Path) bool { return string(p.Key(w.FoldCase)) == key }
	}
}

// staticPrefix is a directory that holds all matches, "." for the top.
func staticPrefix(t coord.Target) string {
	name := t.Path.String()
	if t.Kind != coord.GlobTarget {
		return name
	}
	at := strings.IndexAny(name, globChars+`[\`)
	if at < 0 {
		return path.Dir(name)
	}
	return path.Dir(name[:at] + "x")
}

// errMany ends a listing that has found too much.
var errMany = errors.New("more than can be listed")

// nameSet gathers matching names.
type nameSet struct {
	match func(coord.Path) bool
	names []string
}

// add takes a name as it is on disk; one that no Path can hold is left out.
func (s *nameSet) add(name string) error {
	p, err := coord.ParseDiskName(name)
	if err != nil || !s.match(p) {
		return nil
	}
	// An unmerged file is listed once per stage, one after the other.
	if n := len(s.names); n > 0 && s.names[n-1] == p.String() {
		return nil
	}
	if s.names = append(s.names, p.String()); len(s.names) > coord.MaxExpansion {
		return errMany
	}
	return nil
}

func (s *nameSet) sorted() []string {
	slices.Sort(s.names)
	return slices.Compact(append([]string{}, s.names...))
}

// listGit reads the names as git finds them and stops git when it has enough.
func (w Workspace) listGit(ctx context.Context, base string, set *nameSet) (err error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	magic := ":(top,literal)"
	if w.FoldCase {
		magic = ":(top,literal,icase)"
	}
	args := []string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}
	if base != "." {
		args = append(args, magic+base)
	}
	cmd := gitCommand(ctx, w.Top, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			cancel() // git has more to say than we read
		}
		if waitErr := cmd.Wait(); err == nil {
			err = waitErr
		}
	}()
	lines := bufio.NewScanner(out)
	lines.Split(splitNul)
	for lines.Scan() {
		if strings.HasSuffix(lines.Text(), "/") { // another repository inside
			continue
		}
		if err := set.add(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func splitNul(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

// walk lists files where there is no git to ask.
func (w Workspace) walk(ctx context.Context, base string, set *nameSet) error {
	left := maxWalk
	start := filepath.Join(w.Top, filepath.FromSlash(base))
	return filepath.WalkDir(start, func(name string, d fs.DirEntry, err error) error {
		left--
		switch {
		case left < 0:
			return errMany
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return nil // what cannot be read is not listed
		case d.IsDir() && name != start && ofTools(d.Name()):
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(w.Top, name)
		if err != nil {
			return err
		}
		return set.add(filepath.ToSlash(rel))
	})
}

// ofTools matches directories that tools fill, as .gitignore would.
func ofTools(name string) bool { return strings.HasPrefix(name, ".") || name == "node_modules" }
