package shell

import (
	"strconv"
	"strings"
)

// textOf gives the text of a here-document, or of the patch file that is read.
func (r *reader) textOf(in input, s *scene) (string, bool) {
	if !in.named {
		return in.text, in.known
	}
	name, ok := s.path(in.file.text)
	if !ok || !in.file.known || in.file.glob || strings.ContainsRune(name, 0) || r.at.Read == nil {
		return "", false
	}
	return r.at.Read(name)
}

// patch reads the patch in a here-document or file, or the name of the file that
// is an operand.
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
	text := input{}
	text.text, text.known = r.textOf(c.in, s)
	for _, option := range []string{"-i", "--input"} {
		for _, file := range a.values[option] {
			text.text, text.known = r.textOf(input{file: file, named: true}, inner)
		}
	}
	if len(a.operands) > 1 { // patch FILE PATCH
		a.operands = a.operands[:1]
	}
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
	var left hunk
	for line := range strings.Lines(text) {
		if left.takes(line) {
			continue
		}
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

// hunk counts the lines of a hunk that are to come: what they begin with is no
// header, as in "--- a comment of SQL that is taken out".
type hunk struct{ old, new int }

func (h *hunk) takes(line string) bool {
	if h.old <= 0 && h.new <= 0 {
		*h = hunk{}
		if rest, ok := strings.CutPrefix(line, "@@ -"); ok {
			was, rest, _ := strings.Cut(rest, " +")
			is, _, _ := strings.Cut(rest, " ")
			*h = hunk{linesOf(was), linesOf(is)}
		}
		return false
	}
	switch line[0] {
	case '-':
		h.old--
	case '+':
		h.new--
	case ' ', '\n', '\r', '\t':
		h.old--
		h.new--
	case '\\':
	default: // not what was announced
		*h = hunk{}
		return false
	}
	return true
}

// linesOf reads how many lines "12,3" are: one without a number.
func linesOf(text string) int {
	_, n, more := strings.Cut(text, ",")
	if !more {
		return 1
	}
	count, err := strconv.Atoi(n)
	if err != nil {
		return 0
	}
	return count
}
