package coord

import (
	"encoding/json"
	"path"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxPath is the longest path, in bytes, that a hub takes.
const MaxPath = 1024

// Path names a file or directory inside a project: relative to the top of the
// working tree, "/"-separated, cleaned, in Unicode NFC. The zero Path is no
// path. It is made by [ParsePath] only, so a Path is always well formed; it
// says nothing about whether the file exists.
type Path struct{ name string }

// PathKey is what two spellings of one file have in common: the map key of a
// path under its project's case policy.
type PathKey string

// ParsePath cleans a project-relative path. "." and "" name the top itself and
// give the path ".". It refuses absolute paths, paths that leave the project,
// paths with NUL, CR or LF, and those over [MaxPath] in the form they are stored
// in, which NFC can make longer. A trailing slash is dropped. What it gives it
// takes again unchanged.
func ParsePath(s string) (Path, error) {
	const next = "give it relative to the top of the project, like src/main.go"
	if i := strings.IndexAny(s, "\x00\r\n"); i >= 0 {
		return Path{}, Errorf(Invalid, next, "path %q holds a control character", shown(s))
	}
	clean := path.Clean(norm.NFC.String(s))
	switch {
	case strings.HasPrefix(clean, "/"), hasDriveLetter(clean):
		return Path{}, Errorf(Invalid, next, "path %q is absolute and not inside this project", shown(s))
	case clean == "..", strings.HasPrefix(clean, "../"):
		return Path{}, Errorf(Invalid, next, "path %q leaves the project", shown(s))
	case len(clean) > MaxPath:
		return Path{}, Errorf(TooLarge, next, "path of %d bytes is over the limit of %d", len(clean), MaxPath)
	}
	return Path{clean}, nil
}

// ParseDiskName is [ParsePath] for a name that a program tells, as it is on disk:
// a line break in it, which no Path holds, is spelled as its picture, ␊ or ␍. So
// every file that a project can have has a Path.
func ParseDiskName(name string) (Path, error) {
	name = strings.ReplaceAll(name, "\n", "␊")
	return ParsePath(strings.ReplaceAll(name, "\r", "␍"))
}

// shown cuts a path for an error text.
func shown(s string) string {
	if len(s) <= 200 {
		return s
	}
	return strings.ToValidUTF8(s[:200], "") + "…"
}

func hasDriveLetter(s string) bool {
	return len(s) >= 3 && s[1] == ':' && (s[2] == '/' || s[2] == '\\') &&
		('a' <= s[0]|0x20 && s[0]|0x20 <= 'z')
}

// String gives the path as it is shown and stored.
func (p Path) String() string { return p.name }

// IsZero reports whether p is no path at all.
func (p Path) IsZero() bool { return p.name == "" }

// Base gives the last element.
func (p Path) Base() string { return path.Base(p.name) }

// Key gives the comparison key. With fold, letter case does not count: the
// policy of a project one of whose working trees is on a case-insensitive
// file system.
func (p Path) Key(fold bool) PathKey {
	if fold {
		return PathKey(cases.Fold().String(p.name))
	}
	return PathKey(p.name)
}

// MarshalJSON writes the path as a string.
func (p Path) MarshalJSON() ([]byte, error) { return json.Marshal(p.name) }

// UnmarshalJSON reads and cleans a path; it refuses what [ParsePath] refuses.
// The empty string gives the zero Path.
func (p *Path) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == "" {
		*p = Path{}
		return nil
	}
	parsed, err := ParsePath(s)
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
