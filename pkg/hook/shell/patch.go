package shell

import "strings"

// patch reads the patch in a here-document, or the file named as operand; the
// inside of a patch file is not known.
func (r *reader) patch(c invocation, s *scene) {
	a := parse(c.args, options{value: "-p -i -d -o -r --strip --input --directory --output --reject-file -F -B -z"})
	if a.has("--dry-run --check") {
		return
	}
	inner := s.fork()
	for _, option := range []string{"-d", "--directory"} {
		for _, dir := range a.values[option] {
			if inner.cd(dir.text); !dir.known {
				inner.dir = ""
			}
		}
	}
	text := c.in
	if c.name != "patch" && len(a.operands) > 0 && a.operands[0].known { // apply_patch 'text'
		text = input{text: a.operands[0].text, known: true}
		a.operands = nil
	}
	switch {
	case len(a.operands) > 0:
		r.write(inner, a.operands[0], Target{Op: OpPatch})
	case text.known:
		r.patched(text.text, stripped(a), inner)
	default:
		r.plan.giveUp("a patch names the files")
	}
}

// stripped gives how many leading elements patch takes off names; -1 = guess.
func stripped(a arguments) int {
	for _, option := range []string{"-p", "--strip"} {
		for _, n := range a.values[option] {
			if len(n.text) == 1 && '0' <= n.text[0] && n.text[0] <= '9' {
				return int(n.text[0] - '0')
			}
		}
	}
	return -1
}

// marks begin the lines of a patch that name a file.
var marks = []struct {
	prefix string
	op     Op
	strips bool // -p applies
}{
	{"+++ ", OpPatch, true},
	{"--- ", OpPatch, true},
	{"rename to ", OpPatch, false},
	{"rename from ", OpRemove, false},
	{"*** Update File: ", OpPatch, false},
	{"*** Add File: ", OpPatch, false},
	{"*** Delete File: ", OpRemove, false},
	{"*** Move to: ", OpPatch, false},
}

// patched adds the files that a unified diff or an apply_patch text names.
func (r *reader) patched(text string, strip int, s *scene) {
	found := false
	for line := range strings.Lines(text) {
		for _, mark := range marks {
			name, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), mark.prefix)
			if !ok {
				continue
			}
			if mark.strips {
				name = stripName(name, strip)
			}
			if name != "" {
				found = true
				r.write(s, known(name), Target{Op: mark.op})
			}
		}
	}
	if !found {
		r.plan.giveUp("a patch names no file")
	}
}

// stripName takes the time stamp and the leading elements off a diff's name.
func stripName(name string, strip int) string {
	name, _, _ = strings.Cut(name, "\t")
	if name == "/dev/null" {
		return ""
	}
	if strip < 0 {
		if name, ok := strings.CutPrefix(name, "a/"); ok {
			return name
		}
		return strings.TrimPrefix(name, "b/")
	}
	for range strip {
		if _, after, ok := strings.Cut(name, "/"); ok {
			name = after
		}
	}
	return name
}
