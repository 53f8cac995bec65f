package shell

import (
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// invocation is one command with its arguments expanded.
type invocation struct {
	name string
	args []word
	in   input
}

// call reads a simple command.
func (r *reader) call(c *syntax.CallExpr, s *scene, in input) {
	var words []word
	for _, w := range c.Args {
		words = append(words, r.expand(w, s)...)
	}
	if len(words) == 0 {
		r.assign(c.Assigns, s)
		return
	}
	if len(c.Assigns) > 0 {
		inner := s.fork() // seen by the command, gone after it
		r.assign(c.Assigns, inner)
		if elsewhere(c.Assigns) && words[0].text == "git" {
			r.plan.giveUp("git is pointed elsewhere")
			return
		}
	}
	r.invoke(words, s, in)
}

// elsewhere reports variables that point git at another working tree.
func elsewhere(assigns []*syntax.Assign) bool {
	for _, a := range assigns {
		if a.Name != nil && (a.Name.Value == "GIT_DIR" || a.Name.Value == "GIT_WORK_TREE") {
			return true
		}
	}
	return false
}

// invoke reads a command whose words are expanded: a function, a builtin that
// changes the scene, a wrapper around another command, git, or a command of the
// table.
func (r *reader) invoke(words []word, s *scene, in input) {
	if r.steps++; r.steps > maxSteps || len(words) == 0 {
		r.plan.giveUp("the command is too long")
		return
	}
	if !words[0].known {
		r.plan.giveUp("a command is not known before it runs")
		return
	}
	c := invocation{name: commandName(words[0].text), args: words[1:], in: in}
	if body, ok := s.funcs[words[0].text]; ok {
		r.enter(body, c.args, s)
		return
	}
	if run, ok := builtins()[c.name]; ok {
		run(r, c, s)
		return
	}
	if w, ok := wrappers()[c.name]; ok {
		r.wrapped(w, c, s)
		return
	}
	r.lookUp(c, s)
}

// commandName takes the directory off the name of a command of a bin directory
// and the version off clang-format-15; a script of the project keeps its path.
func commandName(text string) string {
	dir, base := path.Split(text)
	if strings.HasSuffix(strings.TrimSuffix(dir, "/"), "bin") {
		text = base
	}
	if cut := strings.TrimRight(text, "0123456789."); strings.HasSuffix(cut, "-") && len(cut) > 1 {
		return strings.TrimSuffix(cut, "-")
	}
	return text
}

// enter reads a function's body with its arguments.
func (r *reader) enter(body *syntax.Stmt, args []word, s *scene) {
	if r.nested++; r.nested > maxNested {
		r.plan.giveUp("functions call each other too deeply")
	} else {
		outer := s.args
		s.args = args
		if args == nil {
			s.args = []word{}
		}
		r.stmt(body, s)
		s.args = outer
	}
	r.nested--
}

// builtins are the commands that act on the shell itself.
func builtins() map[string]func(*reader, invocation, *scene) {
	return map[string]func(*reader, invocation, *scene){
		"cd": (*reader).cd, "chdir": (*reader).cd, "pushd": (*reader).pushd, "popd": (*reader).popd,
		"eval": (*reader).eval, "trap": (*reader).trap, "read": (*reader).read, "unset": (*reader).read, "mapfile": (*reader).read, "readarray": (*reader).read,
		"bash": (*reader).shell, "sh": (*reader).shell, "zsh": (*reader).shell, "dash": (*reader).shell, "ksh": (*reader).shell,
		"git": (*reader).git, "find": (*reader).find, "xargs": (*reader).xargs, "awk": (*reader).awk, "gawk": (*reader).awk, "mawk": (*reader).awk,
		"dd": (*reader).dd, "tar": (*reader).tar, "bsdtar": (*reader).tar, "patch": (*reader).patch, "apply_patch": (*reader).patch, "applypatch": (*reader).patch,
	}
}

func (r *reader) cd(c invocation, s *scene) {
	args := parse(c.args, options{}).operands
	switch {
	case len(args) == 0 && len(c.args) > 0 && c.args[len(c.args)-1].text == "-":
		s.cd("-")
	case len(args) == 0:
		args = []word{r.variable("HOME", s)}
		fallthrough
	default:
		if to := args[len(args)-1]; to.known && !to.glob {
			s.cd(to.text)
		} else {
			s.old, s.dir = s.dir, ""
		}
	}
}

func (r *reader) pushd(c invocation, s *scene) {
	s.stack = append(s.stack, s.dir)
	r.cd(c, s)
}

func (r *reader) popd(_ invocation, s *scene) {
	s.old = s.dir
	if n := len(s.stack); n > 0 {
		s.dir, s.stack = s.stack[n-1], s.stack[:n-1]
		return
	}
	s.dir = ""
}

// eval reads its arguments as shell text when all are known.
func (r *reader) eval(c invocation, s *scene) {
	for _, arg := range c.args {
		if !arg.known {
			r.plan.giveUp("eval runs text that is not known before")
			return
		}
	}
	r.source(strings.Join(texts(c.args), " "), s)
}

func (r *reader) trap(c invocation, s *scene) {
	if len(c.args) > 1 && c.args[0].known {
		r.source(c.args[0].text, s.fork())
	}
}

// read makes variables unknown.
func (r *reader) read(c invocation, s *scene) {
	for _, arg := range c.args {
		if syntax.ValidName(arg.text) {
			s.set(arg.text, word{})
		}
	}
}

// shell reads bash -c '…'; a script, or one on standard input, is not read
// unless it stands in a here-document.
func (r *reader) shell(c invocation, s *scene) {
	for i, arg := range c.args {
		switch {
		case !arg.known:
			r.plan.giveUp("a shell runs text that is not known before")
			return
		case !strings.HasPrefix(arg.text, "-"):
			r.plan.giveUp("a script is not read")
			return
		case arg.text == "--version" || arg.text == "--help" || arg.text == "-n":
			return
		case !strings.HasPrefix(arg.text, "--") && strings.Contains(arg.text, "c"):
			r.shellText(c.args[i+1:], s)
			return
		}
	}
	if c.in.known {
		r.source(c.in.text, s.fork())
		return
	}
	r.plan.giveUp("a shell reads commands from elsewhere")
}

func (r *reader) shellText(args []word, s *scene) {
	if len(args) == 0 || !args[0].known {
		r.plan.giveUp("a shell runs text that is not known before")
		return
	}
	inner := s.fork()
	inner.funcs = map[string]*syntax.Stmt{}
	inner.args = []word{}
	if len(args) > 2 {
		inner.args = args[2:]
	}
	r.source(args[0].text, inner)
}

// dd writes the file of its of= argument.
func (r *reader) dd(c invocation, s *scene) {
	for _, arg := range c.args {
		if name, ok := strings.CutPrefix(arg.text, "of="); ok {
			r.write(s, word{text: name, known: arg.known}, Target{Op: OpCopy})
		}
	}
}

// tar writes the archive it creates; what it extracts is not known.
func (r *reader) tar(c invocation, s *scene) {
	if len(c.args) == 0 {
		return
	}
	args := c.args
	if mode := args[0]; mode.known && !strings.HasPrefix(mode.text, "-") { // the old form: tar czf
		args = append([]word{known("-" + mode.text)}, args[1:]...)
	}
	a := parse(args, options{value: "-f --file -C --directory -T --files-from -X --exclude-from -I"})
	switch {
	case a.has("-t --list"):
	case a.has("-c --create -r --append -u --update"):
		for _, file := range append(a.values["-f"], a.values["--file"]...) {
			r.write(s, file, Target{Op: OpOutput})
		}
	default:
		r.plan.giveUp("an archive names the files")
	}
}

// awk writes in place with -i inplace; its program may write files of its own.
func (r *reader) awk(c invocation, s *scene) {
	a := parse(c.args, options{value: "-F -v -f -i --include --file --assign --field-separator"})
	for _, value := range a.values["-i"] {
		if value.text == "inplace" && len(a.operands) > 1 {
			for _, file := range a.operands[1:] {
				r.write(s, file, Target{Op: OpInPlace})
			}
			return
		}
	}
	program := word{}
	if len(a.operands) > 0 && !a.has("-f --file") {
		program = a.operands[0]
	}
	if !program.known || strings.Contains(program.text, "> \"") || strings.Contains(program.text, ">\"") ||
		strings.Contains(program.text, "system(") || strings.Contains(program.text, "| \"") {
		r.plan.giveUp("an awk program may write files")
	}
}
