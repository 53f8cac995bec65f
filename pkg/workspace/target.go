package workspace

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/text/unicode/norm"

	"github.com/coordhq/coord/pkg/coord"
)

// globChars make a target a glob; brackets alone do not (see coord.ParseTarget).
const globChars = "*?{"

// Target turns a target as a model types it into the project's spelling: a
// file, a directory with a trailing slash (also when the slash was forgotten
// and the directory exists), or a glob.
//
// For the last two isPattern is true and expansion holds the files they stand
// for now, never nil, unless there are more than coord.MaxExpansion: then wide
// is true and expansion nil. A file that exists is a file whatever its name; if
// it has glob characters, target is a pattern that matches it alone.
//
// Errors are those of [Workspace.Resolve], and coord.Invalid for a malformed
// glob.
func (w Workspace) Target(ctx context.Context, s string) (target string, expansion []string, wide, isPattern bool, err error) {
	target, literal, err := w.spell(s)
	if err != nil {
		return "", nil, false, false, err
	}
	switch {
	case literal != "":
		return target, []string{literal}, false, true, nil
	case !strings.HasSuffix(target, "/") && !strings.ContainsAny(target, globChars):
		return target, nil, false, false, nil
	}
	expansion, wide, err = w.Expand(ctx, target)
	return target, expansion, wide, true, err
}

// spell gives the target in the project's spelling, and the file's own name if
// target is a pattern only because of that name.
func (w Workspace) spell(s string) (target, literal string, err error) {
	if err := checkTyped(s); err != nil {
		return "", "", err
	}
	if strings.ContainsAny(s, globChars) && !w.exists(s) {
		target, err = w.spellGlob(s)
		return target, "", err
	}
	p, err := w.Resolve(s)
	if err == nil && strings.HasSuffix(s, "/") { // what is below it, not the commit that we record of it
		err = w.notForeign(s, s)
	}
	if err != nil {
		return "", "", err
	}
	name := p.String()
	dir, known := w.isDir(s)
	switch {
	case dir || !known && strings.HasSuffix(s, "/"):
		if strings.ContainsAny(name, globChars) {
			return escape(name) + "/**", "", nil
		}
		return name + "/", "", nil
	case strings.ContainsAny(name, globChars):
		return escape(name), name, nil
	}
	return name, "", nil
}

// notForeign refuses a directory that is another repository.
func (w Workspace) notForeign(typed, dir string) error {
	real, err := realPath(w.absolute(dir))
	if err != nil {
		return err
	}
	if top := w.foreignTop(real); top != "" {
		return w.foreign(typed, top)
	}
	return nil
}

// absolute puts s below Cwd, with its ".." in place: they come after symlinks.
func (w Workspace) absolute(s string) string {
	if filepath.IsAbs(s) {
		return s
	}
	return w.Cwd + string(filepath.Separator) + s
}

func (w Workspace) exists(s string) bool {
	_, err := os.Lstat(w.absolute(s))
	return err == nil
}

func (w Workspace) isDir(s string) (dir, known bool) {
	info, err := os.Stat(strings.TrimRight(w.absolute(s), "/")) // with the slash a file would be an error
	return err == nil && info.IsDir(), err == nil
}

// spellGlob resolves the elements before the first that has a glob character,
// and keeps the rest.
func (w Workspace) spellGlob(s string) (string, error) {
	elements := strings.Split(s, "/")
	first := 0
	for !strings.ContainsAny(elements[first], globChars) {
		first++
	}
	prefix := strings.Join(elements[:first], "/")
	switch {
	case prefix == "" && strings.HasPrefix(s, "/"):
		prefix = "/"
	case prefix == "":
		prefix = "."
	}
	p, err := w.Resolve(prefix)
	if err == nil {
		err = w.notForeign(s, prefix)
	}
	if err != nil {
		return "", err
	}
	if slices.Contains(elements[first:], "..") {
		return "", coord.Errorf(coord.Invalid, "write it without ..", "glob %q goes up after a wildcard", s)
	}
	rest := norm.NFC.String(path.Clean(strings.Join(elements[first:], "/")))
	if strings.HasSuffix(s, "/") { // "src/*/": what is below such directories
		rest += "/**/*"
	}
	glob := rest
	if p.String() != "." {
		glob = escape(p.String()) + "/" + rest
	}
	if err := checkGlob(s, glob); err != nil {
		return "", err
	}
	return glob, nil
}

func checkGlob(typed, glob string) error {
	switch {
	case !doublestar.ValidatePattern(glob):
		return coord.Errorf(coord.Invalid, "close its brackets and braces", "glob %q is malformed", typed)
	case len(glob) > coord.MaxPath:
		return coord.Errorf(coord.TooLarge, "shorten it", "glob of %d bytes is over the limit of %d", len(glob), coord.MaxPath)
	}
	return nil
}

// escape makes a name a glob that matches it alone.
func escape(name string) string {
	var b strings.Builder
	for _, r := range name {
		if strings.ContainsRune(`*?[]{}\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
