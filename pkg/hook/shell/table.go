package shell

import (
	"path"
	"strings"
	"sync"
)

// which says which operands a rule writes.
type which int

const (
	none which = iota
	all
	last   // and the others are sources
	second // uniq IN OUT
	urls   // the last element of each: curl -O URL
)

// rule is what a command writes. Without when, unless, output and operands it
// writes nothing.
type rule struct {
	options
	op       Op
	operands which
	skip     int    // operands before the files: the script of sed
	script   string // options that stand for the skipped operands: -e of sed
	when     string // it writes only with one of these
	unless   string // it writes nothing with one of these
	output   string // options whose value is a written file
	into     string // options whose value is the directory written into: cp -t
	tree     bool   // a directory stands for what is below it
	treeWith string // … only with one of these: -r
	here     bool   // no operands means the directory it runs in
	removes  bool   // the sources go: mv
	twin     bool   // the last operand may be left out: ln -s target
	opaque   bool   // without when it may write anything
	appends  string // with one of these it adds to the file: tee -a
}

// lookUp reads a command by the table: "ruff format" before "ruff".
func (r *reader) lookUp(c invocation, s *scene) {
	table := commands()
	if len(c.args) > 0 && c.args[0].known {
		if rule, ok := table[c.name+" "+c.args[0].text]; ok {
			r.apply(rule, c.args[1:], s)
			return
		}
	}
	if rule, ok := table[c.name]; ok {
		r.apply(rule, c.args, s)
		return
	}
	if readers()[c.name] || len(c.args) > 0 && readers()[c.name+" "+c.args[0].text] || asksOnly(c.args) {
		return
	}
	r.plan.giveUp(c.name + " is not known")
}

// asksOnly matches COMMAND --version and --help.
func asksOnly(args []word) bool {
	return len(args) == 1 && (args[0].text == "--version" || args[0].text == "--help" || args[0].text == "-V")
}

func (r *reader) apply(rule rule, args []word, s *scene) {
	a := parse(args, rule.options)
	for _, option := range strings.Fields(rule.output) {
		for _, value := range a.values[option] {
			r.write(s, value, Target{Op: OpOutput})
		}
	}
	switch {
	case rule.unless != "" && a.has(rule.unless):
		return
	case rule.when != "" && !a.has(rule.when):
		if rule.opaque {
			r.plan.giveUp("what it writes is not in its arguments")
		}
		return
	}
	r.operands(rule, a, s)
}

// operands adds the targets among a command's operands.
func (r *reader) operands(rule rule, a arguments, s *scene) {
	files := a.operands
	if rule.skip > 0 && !a.has(rule.script) {
		if rule.attached != "" && len(files) > 0 && files[0].known && files[0].text == "" {
			files = files[1:] // sed -i '' of BSD
		}
		files = files[min(rule.skip, len(files)):]
	}
	target := Target{Op: rule.op, Tree: rule.tree || rule.treeWith != "" && a.has(rule.treeWith)}
	if rule.appends != "" && a.has(rule.appends) {
		target.Op = OpAppend
	}
	switch rule.operands {
	case urls:
		for _, url := range files {
			r.write(s, word{text: path.Base(url.text), known: url.known}, target)
		}
	case all:
		r.every(rule, files, target, s)
	case last:
		r.copied(rule, a, files, target, s)
	case second:
		if len(files) > 1 {
			r.write(s, files[1], target)
		}
	}
}

func (r *reader) every(rule rule, files []word, target Target, s *scene) {
	if len(files) == 0 && rule.here {
		files = []word{known(".")}
	}
	for _, file := range files {
		if file.known && rule.op == OpFormat {
			if strings.HasPrefix(file.text, "!") || file.text == "-" {
				continue
			}
			file.text, _ = strings.CutSuffix(file.text, "/...")
			file.glob = file.glob || strings.ContainsAny(file.text, "*{")
		}
		r.write(s, file, target)
	}
}

// copied adds the destination of cp, mv, ln and install, and what mv removes.
func (r *reader) copied(rule rule, a arguments, files []word, target Target, s *scene) {
	sources, dest := files, word{}
	inside := false // the destination is a directory for certain
	for _, option := range strings.Fields(rule.into) {
		if values := a.values[option]; len(values) > 0 {
			dest, inside = values[0], true
		}
	}
	switch {
	case inside:
	case len(files) == 1 && rule.twin:
		dest = known(".")
	case len(files) < 2:
		return
	default:
		sources, dest = files[:len(files)-1], files[len(files)-1]
	}
	if rule.removes {
		for _, source := range sources {
			r.write(s, source, Target{Op: OpRemove, Tree: true})
		}
	}
	inside = inside || len(sources) > 1 || strings.HasSuffix(dest.text, "/")
	for _, source := range sources {
		if !source.known || source.glob || path.Base(source.text) == "." || path.Base(source.text) == ".." {
			r.unnamed(dest, source, target, s)
			continue
		}
		base := path.Base(source.text)
		if inside && dest.known {
			to := dest
			to.text = path.Join(dest.text, base)
			r.write(s, to, target)
			continue
		}
		t := target
		if !a.has("-T --no-target-directory") {
			t.Base = base
		}
		r.write(s, dest, t)
	}
}

// unnamed handles a source whose name is not known: a file of that name
// appears in the destination, or the destination is the file.
func (r *reader) unnamed(dest, source word, target Target, s *scene) {
	if source.known && source.glob && dest.known {
		base := path.Base(source.text)
		r.write(s, word{text: path.Join(dest.text, base), known: true, glob: true}, target)
		return
	}
	if source.known && target.Tree && dest.known { // cp -r src/. dest
		r.write(s, dest, target)
		return
	}
	if dest.known && !strings.HasSuffix(dest.text, "/") && path.Ext(dest.text) != "" {
		r.write(s, dest, target) // cp "$x" file.go
	}
	r.plan.giveUp("a file name is not known before it runs")
}

// readers are commands that change no file's content, whatever they are given.
var readers = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(readersList) {
		set[strings.ReplaceAll(name, "_", " ")] = true
	}
	return set
})
