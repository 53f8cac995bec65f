package shell

import (
	"strconv"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

// expand gives the arguments that a word of the command becomes: braces,
// tilde, variables, substitutions, field splitting and quotes, in this order.
// Patterns stay patterns.
func (r *reader) expand(w *syntax.Word, s *scene) []word {
	split := &syntax.Word{Parts: w.Parts} // the walks over the tree know no braces
	syntax.SplitBraces(split)
	if len(split.Parts) > maxBraces {
		split = w
	}
	var out []word
	for _, parts := range r.braces(split.Parts) {
		f := &fields{}
		for i, part := range parts {
			r.part(part, s, f, i == 0)
		}
		out = append(out, f.done()...)
	}
	if r.fields += len(out); r.fields > maxFields {
		r.plan.giveUp("it expands to too many words")
		return out[:0]
	}
	return out
}

// one expands a word where the shell makes one of it, as after a redirection.
func (r *reader) one(w *syntax.Word, s *scene) word {
	if w == nil {
		return known("")
	}
	if all := r.expand(w, s); len(all) == 1 {
		return all[0]
	}
	return word{}
}

// maxBraces is how many words one word's braces may become, and how many parts
// a word with braces may have.
const maxBraces = 128

// braces multiplies a word by its brace expressions. Sequences are not counted
// out: they are unknown words.
func (r *reader) braces(parts []syntax.WordPart) [][]syntax.WordPart {
	if r.fields++; r.fields > maxFields {
		return nil
	}
	for i, part := range parts {
		brace, ok := part.(*syntax.BraceExp)
		if !ok || brace.Sequence {
			continue
		}
		var out [][]syntax.WordPart
		tails := r.braces(parts[i+1:])
		for _, elem := range brace.Elems {
			for _, inner := range r.braces(elem.Parts) {
				for _, tail := range tails {
					if len(out) == maxBraces {
						r.plan.giveUp("it expands to too many words")
						return out
					}
					all := append([]syntax.WordPart{}, parts[:i]...)
					out = append(out, append(append(all, inner...), tail...))
				}
			}
		}
		return out
	}
	return [][]syntax.WordPart{parts}
}

// fields gathers the pieces of one word and splits it where an unquoted
// expansion holds white space.
type fields struct {
	out     []word
	text    strings.Builder
	unknown bool
	glob    bool
	begun   bool
}

// quoted adds text that stands for itself.
func (f *fields) quoted(text string) {
	f.begun = true
	f.text.WriteString(text)
}

// bare adds unquoted text, in which * ? [ are a pattern.
func (f *fields) bare(text string) {
	f.begun = true
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			if i++; i < len(text) && text[i] != '\n' {
				f.text.WriteByte(text[i])
			}
		case '*', '?', '[':
			f.glob = true
			f.text.WriteByte(c)
		default:
			f.text.WriteByte(c)
		}
	}
}

// value adds an expansion.
func (f *fields) value(w word, quoted bool) {
	if !w.known {
		f.begun, f.unknown = true, true
		return
	}
	f.glob = f.glob || w.glob && !quoted
	if quoted || !strings.ContainsAny(w.text, " \t\n") {
		f.begun = f.begun || quoted || w.text != ""
		f.text.WriteString(w.text)
		return
	}
	for i, piece := range strings.FieldsFunc(w.text, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' }) {
		if i > 0 {
			f.flush()
		}
		f.begun = true
		f.glob = f.glob || strings.ContainsAny(piece, "*?[")
		f.text.WriteString(piece)
	}
}

func (f *fields) flush() {
	if f.begun {
		w := word{text: f.text.String(), known: !f.unknown && f.text.Len() <= maxValue*16, glob: f.glob}
		f.out = append(f.out, w)
	}
	f.text.Reset()
	f.unknown, f.glob, f.begun = false, false, false
}

func (f *fields) done() []word {
	f.flush()
	return f.out
}

// part adds one part of a word; first says that it begins the word.
func (r *reader) part(part syntax.WordPart, s *scene, f *fields, first bool) {
	switch p := part.(type) {
	case *syntax.Lit:
		text := p.Value
		if first {
			text = r.tilde(text, f, s)
		}
		f.bare(text)
	case *syntax.SglQuoted:
		text, ok := p.Value, true
		if p.Dollar {
			text, ok = ansiQuoted(text)
		}
		f.quoted(text)
		f.unknown = f.unknown || !ok
	case *syntax.DblQuoted:
		f.begun = true
		for _, inner := range p.Parts {
			r.quotedPart(inner, s, f)
		}
	case *syntax.ParamExp:
		if name := paramName(p); name == "@" || name == "*" {
			r.positional(s, f, false)
			return
		}
		f.value(r.param(p, s), false)
	case *syntax.CmdSubst:
		f.value(r.substitution(p.Stmts, s), false)
	case *syntax.ProcSubst:
		r.subshell(p.Stmts, s)
		f.quoted("/dev/fd/63")
	case *syntax.BraceExp: // a sequence
		f.value(word{}, true)
	default: // arithmetic, extended patterns
		r.inside(part, s)
		f.value(word{}, true)
	}
}

func (r *reader) quotedPart(part syntax.WordPart, s *scene, f *fields) {
	switch p := part.(type) {
	case *syntax.Lit:
		f.quoted(unescapeDouble(p.Value))
	case *syntax.ParamExp:
		if paramName(p) == "@" {
			r.positional(s, f, true)
			return
		}
		f.value(r.param(p, s), true)
	case *syntax.CmdSubst:
		f.value(r.substitution(p.Stmts, s), true)
	default:
		r.inside(part, s)
		f.value(word{}, true)
	}
}

// positional adds "$@".
func (r *reader) positional(s *scene, f *fields, quoted bool) {
	if s.args == nil {
		f.value(word{}, true)
		return
	}
	for i, arg := range s.args {
		if i > 0 {
			f.flush()
		}
		f.value(arg, quoted)
	}
}

// tilde expands ~ and ~/ at the start of a word and gives the rest.
func (r *reader) tilde(text string, f *fields, s *scene) string {
	if text != "~" && !strings.HasPrefix(text, "~/") {
		if strings.HasPrefix(text, "~") && len(text) > 1 {
			f.unknown = true // another user's, or one of the directory stack
		}
		return text
	}
	f.value(r.variable("HOME", s), true)
	return text[1:]
}

func texts(words []word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.text
	}
	return out
}

// unescapeDouble takes the backslashes off that count in double quotes.
func unescapeDouble(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	return strings.NewReplacer("\\\\", "\\", "\\\"", "\"", "\\$", "$", "\\`", "`", "\\\n", "").Replace(text)
}

// escapes are the letters behind a backslash in $'…' that stand for one byte, and
// numbered those before a number: its base and how many digits it has at most.
var (
	escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': '\a', 'b': '\b', 'e': 0x1b, 'E': 0x1b, 'f': '\f', 'v': '\v',
		'\\': '\\', '\'': '\'', '"': '"', '?': '?'}
	numbered = map[byte]struct{ base, digits int }{'x': {16, 2}, 'u': {16, 4}, 'U': {16, 8}}
)

// ansiQuoted reads the inside of $'…'; false for escapes it does not know.
func ansiQuoted(text string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			return out.String(), false
		}
		if c, ok := escapes[text[i]]; ok {
			out.WriteByte(c)
			continue
		}
		number, ok := numbered[text[i]]
		if ok {
			i++
		} else {
			number.base, number.digits = 8, 3
		}
		end := i
		for end < min(i+number.digits, len(text)) && isDigit(text[end], number.base) {
			end++
		}
		code, err := strconv.ParseUint(text[i:end], number.base, 32)
		if err != nil || code == 0 || code > unicode.MaxRune {
			return out.String(), false
		}
		if i = end - 1; number.digits > 3 {
			out.WriteRune(rune(code))
		} else {
			out.WriteByte(byte(code & 0xff))
		}
	}
	return out.String(), true
}

func isDigit(c byte, base int) bool {
	return int(c-'0') < min(base, 10) || base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f'
}
