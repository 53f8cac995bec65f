package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// stmt reads one statement: its redirections, then its command.
func (r *reader) stmt(stmt *syntax.Stmt, s *scene) { r.fed(stmt, s, input{}) }

// fed is stmt with something on its standard input.
func (r *reader) fed(stmt *syntax.Stmt, s *scene, in input) {
	if stmt == nil {
		return
	}
	r.depth++
	defer func() { r.depth-- }()
	if r.steps++; r.steps > maxSteps || r.depth > maxDepth {
		r.plan.giveUp("the command is too long or too deeply nested")
		return
	}
	if stmt.Background || stmt.Coprocess {
		s = s.fork()
	}
	if own := r.redirections(stmt.Redirs, s); own.known || own.named {
		in = own
	}
	r.command(stmt.Cmd, s, in)
}

func (r *reader) stmts(list []*syntax.Stmt, s *scene) {
	for _, stmt := range list {
		r.stmt(stmt, s)
	}
}

// subshell reads statements whose changes of directory and variables end with
// them.
func (r *reader) subshell(list []*syntax.Stmt, s *scene) {
	if r.nested++; r.nested > 4*maxNested {
		r.plan.giveUp("shells are nested too deeply")
	} else {
		r.stmts(list, s.fork())
	}
	r.nested--
}

// maybe reads statements that may not run.
func (r *reader) maybe(s *scene, lists ...[]*syntax.Stmt) {
	branch := s.fork()
	for _, list := range lists {
		r.stmts(list, branch)
	}
	s.merge(branch)
}

func (r *reader) command(cmd syntax.Command, s *scene, in input) {
	switch c := cmd.(type) {
	case nil:
	case *syntax.CallExpr:
		r.call(c, s, in)
	case *syntax.BinaryCmd:
		r.binary(c, s)
	case *syntax.Subshell:
		r.subshell(c.Stmts, s)
	case *syntax.Block:
		r.stmts(c.Stmts, s)
	case *syntax.IfClause:
		r.ifClause(c, s)
	case *syntax.WhileClause:
		r.whileClause(c, s, in)
	case *syntax.ForClause:
		r.forClause(c, s)
	case *syntax.CaseClause:
		r.caseClause(c, s)
	case *syntax.FuncDecl:
		r.function(c, s)
	case *syntax.DeclClause:
		r.assign(c.Args, s)
	case *syntax.TimeClause:
		r.stmt(c.Stmt, s)
	case *syntax.CoprocClause:
		r.subshell([]*syntax.Stmt{c.Stmt}, s)
	default: // tests and arithmetic
		r.inside(cmd, s)
	}
}

func (r *reader) binary(c *syntax.BinaryCmd, s *scene) {
	switch c.Op {
	case syntax.AndStmt:
		r.stmt(c.X, s)
		r.stmt(c.Y, s)
	case syntax.OrStmt:
		r.stmt(c.X, s)
		r.maybe(s, []*syntax.Stmt{c.Y})
	default: // a pipe: every part is a subshell
		r.subshell([]*syntax.Stmt{c.X}, s)
		r.fed(c.Y, s.fork(), r.passedOn(c.X, s))
	}
}

// passedOn gives what a statement prints, as far as its text tells: a
// here-document or file that cat passes on, the names that find prints, and what
// echo and printf are given.
func (r *reader) passedOn(stmt *syntax.Stmt, s *scene) input {
	if pipe, ok := stmt.Cmd.(*syntax.BinaryCmd); ok && pipe.Op == syntax.Pipe {
		if call, ok := pipe.Y.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 && listed("sort uniq", call.Args[0].Lit()) {
			return r.passedOn(pipe.X, s)
		}
		return input{}
	}
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 || len(call.Assigns) > 0 {
		return input{}
	}
	name := call.Args[0].Lit()
	if name == "cat" && len(call.Args) == 1 && len(stmt.Redirs) == 1 && stmt.Redirs[0].Hdoc != nil {
		return r.document(stmt.Redirs[0], s)
	}
	if !listed("cat find echo printf", name) || !quiet(stmt.Redirs) {
		return input{}
	}
	var args []word
	for _, w := range call.Args[1:] {
		args = append(args, r.expand(w, s)...)
	}
	switch {
	case name == "find":
		return input{words: []word{r.printedBy(args, s)}}
	case name == "cat" && len(args) == 1:
		return input{file: args[0], named: true}
	case name == "echo" && !slices.ContainsFunc(args, odd):
		return input{words: args}
	case name == "printf" && len(args) > 1 && !slices.ContainsFunc(args[1:], odd) && listed(`%s\n %s\0 %s\x00`, args[0].text):
		return input{words: args[1:]}
	}
	return input{}
}

// odd reports a word that echo and printf do not pass on as one name.
func odd(w word) bool {
	return !w.known || w.text == "" || strings.HasPrefix(w.text, "-") || strings.ContainsAny(w.text, " \t\n'\"\\")
}

func (r *reader) ifClause(c *syntax.IfClause, s *scene) {
	branches := []*scene{}
	for ; c != nil; c = c.Else {
		r.stmts(c.Cond, s)
		branch := s.fork()
		r.stmts(c.Then, branch)
		branches = append(branches, branch)
		if len(branches) > maxDepth {
			r.plan.giveUp("the command is too long or too deeply nested")
			break
		}
	}
	for _, branch := range branches {
		s.merge(branch)
	}
}

// whileClause reads a loop; "while read name" goes over the names it is fed.
func (r *reader) whileClause(c *syntax.WhileClause, s *scene, in input) {
	r.stmts(c.Cond, s)
	name := ""
	if len(c.Cond) == 1 && !c.Until {
		if call, ok := c.Cond[0].Cmd.(*syntax.CallExpr); ok && len(call.Args) > 1 && call.Args[0].Lit() == "read" {
			name = call.Args[len(call.Args)-1].Lit()
		}
	}
	if !syntax.ValidName(name) || in.words == nil {
		r.maybe(s, c.Do)
		return
	}
	for _, w := range in.words {
		s.set(name, w)
		r.maybe(s, c.Do)
	}
	s.set(name, word{})
}

func (r *reader) forClause(c *syntax.ForClause, s *scene) {
	iter, ok := c.Loop.(*syntax.WordIter)
	if !ok {
		r.inside(c.Loop, s)
		r.maybe(s, c.Do)
		return
	}
	var items []word
	for _, w := range iter.Items {
		items = append(items, r.expand(w, s)...)
	}
	if !iter.InPos.IsValid() {
		items = []word{{}}
	}
	for _, item := range items {
		if r.steps > maxSteps {
			return
		}
		s.set(iter.Name.Value, item)
		r.stmts(c.Do, s)
	}
}

func (r *reader) caseClause(c *syntax.CaseClause, s *scene) {
	r.inside(c.Word, s)
	for _, item := range c.Items {
		r.maybe(s, item.Stmts)
	}
}

func (r *reader) function(c *syntax.FuncDecl, s *scene) {
	if c.Name != nil && len(s.funcs) < maxVars {
		s.funcs[c.Name.Value] = c.Body
	}
}

// assign reads assignments; arrays and additions are not known.
func (r *reader) assign(list []*syntax.Assign, s *scene) {
	for _, a := range list {
		if a.Value == nil || a.Name == nil || a.Append || a.Index != nil || a.Array != nil {
			r.inside(a, s)
			if a.Name != nil && (a.Append || a.Array != nil || a.Index != nil) {
				s.set(a.Name.Value, word{})
			}
			continue
		}
		s.set(a.Name.Value, r.assigned(a.Value, s))
	}
}

// assigned expands the right side of an assignment, which is not split.
func (r *reader) assigned(w *syntax.Word, s *scene) word {
	f := &fields{}
	for i, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.ParamExp:
			f.value(r.param(p, s), true)
		case *syntax.CmdSubst:
			f.value(r.substitution(p.Stmts, s), true)
		default:
			r.part(part, s, f, i == 0)
		}
	}
	out := f.done()
	switch len(out) {
	case 0:
		return known("")
	case 1:
		return out[0]
	}
	return word{}
}

// input is what a statement is given on standard input.
type input struct {
	text  string // of a here-document
	known bool
	words []word // names, one at a time; nil = not known
	file  word   // the file it comes from, if named
	named bool
}

// writing are the redirections that write a file.
var writing = map[syntax.RedirOperator]Op{
	syntax.RdrOut: OpRedirect, syntax.RdrClob: OpRedirect, syntax.RdrAll: OpRedirect, syntax.RdrAllClob: OpRedirect, syntax.RdrInOut: OpRedirect,
	syntax.DplOut: OpRedirect, syntax.AppOut: OpAppend, syntax.AppAll: OpAppend, syntax.AppClob: OpAppend, syntax.AppAllClob: OpAppend,
}

func (r *reader) redirections(list []*syntax.Redirect, s *scene) (in input) {
	for _, redir := range list {
		if redir.Hdoc != nil {
			in = r.document(redir, s)
			continue
		}
		if redir.Op == syntax.WordHdoc {
			w := r.one(redir.Word, s)
			in = input{text: w.text, known: w.known}
			continue
		}
		target := r.one(redir.Word, s)
		if redir.Op == syntax.RdrIn {
			in = input{file: target, named: true}
		}
		if op, ok := writing[redir.Op]; ok && !(redir.Op == syntax.DplOut && isDescriptor(target.text)) {
			r.write(s, target, Target{Op: op})
		}
	}
	return in
}

// isDescriptor matches the right side of 2>&1 and >&-.
func isDescriptor(text string) bool {
	return text != "" && strings.Trim(text, "0123456789-") == ""
}

// document gives the text of a here-document, not known if anything is expanded
// in it. The commands of its substitutions are read.
func (r *reader) document(redir *syntax.Redirect, s *scene) input {
	in := input{known: true}
	var text strings.Builder
	for _, part := range redir.Hdoc.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			in.known = false
			r.inside(part, s)
			continue
		}
		text.WriteString(lit.Value)
	}
	if in.text = text.String(); !quotedWord(redir.Word) {
		in.text = unescapeDouble(in.text)
	}
	return in
}

// quotedWord reports a here-document's delimiter that turns expansion off.
func quotedWord(w *syntax.Word) bool {
	for _, part := range w.Parts {
		if lit, ok := part.(*syntax.Lit); !ok || strings.Contains(lit.Value, `\`) {
			return true
		}
	}
	return false
}

// streams are names below /dev that are no files.
var streams = []string{"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty", "/dev/zero", "/dev/full"}

// write adds a target, with t giving all but the path.
func (r *reader) write(s *scene, w word, t Target) {
	if !w.known {
		r.plan.giveUp("a file name is not known before it runs")
		return
	}
	if found, ok := r.searches[w.text]; ok && t.Base == "" {
		for _, f := range found {
			f.Op, f.Tree = t.Op, t.Tree
			r.plan.add(f)
		}
		return
	}
	if w.text == "" || w.text == "-" || strings.HasPrefix(w.text, "/dev/fd/") {
		return
	}
	for _, stream := range streams {
		if w.text == stream {
			return
		}
	}
	name, ok := s.path(w.text)
	if !ok {
		r.plan.giveUp("the directory is not known before it runs")
		return
	}
	if strings.ContainsRune(name+t.Base, 0) {
		r.plan.giveUp("a file name holds NUL")
		return
	}
	t.Path, t.Glob = name, w.glob
	r.plan.add(t)
}
