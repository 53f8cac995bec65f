package streamable

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// root is the top of a working tree as a client names it: absolute, cleaned,
// with slashes. The zero root is none. It is compared by its letters; nobody
// looks at the disk.
type root struct {
	dir     string
	windows bool // it has a drive letter, so a backslash is a separator
}

func parseRoot(dir string) (root, error) {
	r := root{windows: hasDrive(dir)}
	if len(dir) > coord.MaxPath || strings.ContainsAny(dir, "\x00\r\n") || !r.isAbs(dir) {
		return root{}, coord.Errorf(coord.Invalid, "give the absolute path of the top of your working tree", "workspace %.200q is no absolute path", dir)
	}
	r.dir = r.clean(dir)
	return r, nil
}

// rootOf reads the root that stands in the id of a workspace; zero when there is
// none.
func rootOf(w coord.WorkspaceID) root {
	_, dir, _ := strings.Cut(string(w), ":")
	r, _ := parseRoot(dir)
	return r
}

func hasDrive(s string) bool {
	return len(s) >= 3 && s[1] == ':' && (s[2] == '/' || s[2] == '\\') && ('a' <= s[0]|0x20 && s[0]|0x20 <= 'z')
}

func (r root) isAbs(p string) bool { return strings.HasPrefix(p, "/") || hasDrive(p) }

// clean spells an absolute path in one way.
func (r root) clean(p string) string {
	if r.windows {
		p = strings.ReplaceAll(p, `\`, "/")
		p = strings.ToUpper(p[:1]) + p[1:]
	}
	return path.Clean(norm.NFC.String(p))
}

// rel gives a path as the project names it. A relative one stays as it is; the
// rules look at it.
func (r root) rel(p string) (string, error) {
	if !r.isAbs(p) {
		if r.windows {
			p = strings.ReplaceAll(p, `\`, "/")
		}
		return p, nil
	}
	if r.dir == "" {
		return "", coord.Errorf(coord.Invalid, "give it relative to the top of the project, or call register_agent with workspace",
			"path %.200q is absolute, and this session has not said where its working tree is", p)
	}
	full := r.clean(p)
	inside, ok := strings.CutPrefix(full+"/", strings.TrimSuffix(r.dir, "/")+"/")
	if !ok {
		return "", coord.Errorf(coord.Invalid, "give a path inside it", "path %.200q is not inside the working tree %s", p, r.dir)
	}
	inside = strings.TrimSuffix(inside, "/")
	if inside == "" {
		inside = "."
	}
	if strings.HasSuffix(p, "/") || r.windows && strings.HasSuffix(p, `\`) {
		inside += "/" // it makes a target a directory
	}
	return inside, nil
}

// resolve brings the path arguments of a call into the project's form.
func (r root) resolve(op *tool.Op, args json.RawMessage) (json.RawMessage, error) {
	named := op.PathArgs()
	if len(named) == 0 {
		return args, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(args, &fields); err != nil {
		return nil, fmt.Errorf("read the arguments of %s: %w", op.Name, err)
	}
	for name := range named {
		value, given := fields[name]
		if !given {
			continue
		}
		resolved, err := r.argument(value)
		if err != nil {
			return nil, err
		}
		fields[name] = resolved
	}
	return mcptool.Encode(fields), nil
}

// argument resolves one path or a list of them.
func (r root) argument(value json.RawMessage) (json.RawMessage, error) {
	var one string
	if json.Unmarshal(value, &one) == nil {
		p, err := r.rel(one)
		return mcptool.Encode(p), err
	}
	var list []string
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, fmt.Errorf("read a list of paths: %w", err)
	}
	for i := range list {
		p, err := r.rel(list[i])
		if err != nil {
			return nil, err
		}
		list[i] = p
	}
	return mcptool.Encode(list), nil
}
