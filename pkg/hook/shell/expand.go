package shell

import (
	"path"
	"strconv"
	"strings"

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

// paramName gives the variable of a plain $name or ${name}, "" for more.
func paramName(p *syntax.ParamExp) string {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 || p.Exp != nil {
		return ""
	}
	return p.Param.Value
}

// param gives the value of $name, ${name}, ${name:-word}, ${name%word} and
// ${name#word}; others are not known.
func (r *reader) param(p *syntax.ParamExp, s *scene) word {
	if name := paramName(p); name != "" {
		return r.variable(name, s)
	}
	r.inside(p, s)
	if p.Param == nil || p.Exp == nil || p.Index != nil || p.Excl || p.Length {
		return word{}
	}
	v := r.variable(p.Param.Value, s)
	arg := r.one(p.Exp.Word, s)
	if !v.known || !arg.known {
		return word{}
	}
	switch p.Exp.Op {
	case syntax.DefaultUnsetOrNull:
		if v.text == "" {
			return arg
		}
		return v
	case syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		if !arg.glob {
			return known(strings.TrimSuffix(v.text, arg.text))
		}
	case syntax.RemSmallPrefix, syntax.RemLargePrefix:
		if !arg.glob {
			return known(strings.TrimPrefix(v.text, arg.text))
		}
	}
	return word{}
}

// inherited are the variables taken from the environment: those that a shell's
// start-up files leave alone.
var inherited = []string{"HOME", "USER", "TMPDIR", "CLAUDE_PROJECT_DIR"}

func (r *reader) variable(name string, s *scene) word {
	if name == "PWD" {
		return word{text: s.dir, known: s.dir != ""}
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n > 0 && n <= len(s.args) {
			return s.args[n-1]
		}
		return word{}
	}
	if v, ok := s.vars[name]; ok {
		return v
	}
	for _, have := range inherited {
		if have == name && r.at.Getenv != nil {
			v := r.at.Getenv(name)
			return word{text: v, known: v != ""}
		}
	}
	return word{}
}

// substitution reads the commands of $(…) and gives what they print, where
// that is plain.
func (r *reader) substitution(stmts []*syntax.Stmt, s *scene) word {
	r.subshell(stmts, s)
	if len(stmts) != 1 {
		return word{}
	}
	call, ok := stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(stmts[0].Redirs) > 0 && !quiet(stmts[0].Redirs) {
		return word{}
	}
	var args []word
	for _, w := range call.Args {
		args = append(args, r.expand(w, s)...)
	}
	return r.printed(args, s)
}

// quiet reports redirections of standard error only.
func quiet(redirs []*syntax.Redirect) bool {
	for _, redir := range redirs {
		if redir.N == nil || redir.N.Value != "2" {
			return false
		}
	}
	return true
}

// printed gives what a command prints that computes on its arguments only.
func (r *reader) printed(args []word, s *scene) word {
	for _, arg := range args {
		if !arg.known || arg.glob {
			return word{}
		}
	}
	text := texts(args)
	switch {
	case len(text) == 0:
		return word{}
	case text[0] == "pwd":
		return word{text: s.dir, known: s.dir != ""}
	case text[0] == "echo" && len(text) > 1 && !strings.HasPrefix(text[1], "-"):
		return known(strings.Join(text[1:], " "))
	case text[0] == "dirname" && len(text) == 2:
		return known(path.Dir(text[1]))
	case text[0] == "basename" && len(text) == 2:
		return known(path.Base(text[1]))
	case text[0] == "basename" && len(text) == 3:
		return known(strings.TrimSuffix(path.Base(text[1]), text[2]))
	case text[0] == "mktemp":
		return known("/tmp/tmp.mktemp") // some name outside the project
	case strings.Join(text, " ") == "git rev-parse --show-toplevel":
		return word{text: r.at.Top, known: r.at.Top != ""}
	}
	return word{}
}

// inside reads the commands of substitutions that stand in a part of a word
// whose value is not worked out.
func (r *reader) inside(node syntax.Node, s *scene) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			r.subshell(n.Stmts, s)
			return false
		case *syntax.ProcSubst:
			r.subshell(n.Stmts, s)
			return false
		}
		return true
	})
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

// ansiQuoted reads the inside of $'…'; false for escapes it does not know.
func ansiQuoted(text string) (string, bool) {
	escapes := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '\'': '\'', '"': '"'}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			return out.String(), false
		}
		c, ok := escapes[text[i]]
		if !ok {
			return out.String(), false
		}
		out.WriteByte(c)
	}
	return out.String(), true
}
