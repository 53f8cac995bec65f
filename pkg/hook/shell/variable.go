package shell

import (
	"path"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

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
	if len(args) > 0 && args[0].text == "find" {
		return r.printedBy(args[1:], s)
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
		if !arg.known || arg.glob || strings.ContainsRune(arg.text, 0) {
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
