package workspace

import (
	"regexp"
	"strings"
	"sync"

	"github.com/coordhq/coord/pkg/coord"
)

// invisible are characters that show as nothing or turn the text around: zero
// width space and no-break space, word joiner, and the marks of direction. The
// joiners of emoji and of some scripts are not among them.
const invisible = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"

// position is what tools print behind a file's name: line, and column or range.
var position = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`:\d+([:-]\d+)*:?$`) })

// Typed mends slips in a path as a model types it: a file:line, spaces around the
// name, and "\" for "/" are put right where the file is there so and not as
// typed. It refuses (coord.Invalid) what would silently name another file:
// a file: URL, a "~/" that no shell has expanded, and invisible characters.
//
// It is not for names that a program tells, which are meant literally.
func (w Workspace) Typed(s string) (string, error) {
	const next = "give it relative to the working directory, like src/main.go"
	if s == "" || strings.ContainsRune(s, 0) || w.exists(s) {
		return s, nil
	}
	trimmed := strings.TrimSpace(s)
	slashed := strings.ReplaceAll(trimmed, `\`, "/")
	for _, t := range []string{trimmed, slashed, position().ReplaceAllString(trimmed, ""), position().ReplaceAllString(slashed, "")} {
		if t != "" && t != s && w.exists(t) {
			return t, nil
		}
	}
	switch {
	case strings.ContainsAny(s, invisible):
		return "", coord.Errorf(coord.Invalid, "type it anew", "path %+q holds an invisible character", s)
	case strings.HasPrefix(strings.ToLower(trimmed), "file:"):
		return "", coord.Errorf(coord.Invalid, next, "path %q is a URL", s)
	case trimmed == "~", strings.HasPrefix(trimmed, "~/"):
		return "", coord.Errorf(coord.Invalid, next, "path %q begins with ~, which only a shell expands", s)
	}
	return s, nil
}
