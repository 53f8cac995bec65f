package shell

import (
	"path"
	"strconv"
	"strings"
)

// Search is how find, from one starting point, comes to one of its actions, such
// as -delete.
type Search struct {
	shown    string // the starting point as typed: names that find prints begin with it
	test     test
	action   int // the one that is asked about
	min, max int // depths; max < 0 = any
}

// Kind is what an entry of a directory is, in the letters of find's -type.
type Kind byte

// The kinds that matter here.
const (
	File  Kind = 'f'
	Dir   Kind = 'd'
	Link  Kind = 'l'
	Other Kind = '?'
)

// Visit tells of the entry at rel below the starting point ("" = itself, with
// slashes) whether the action comes to it, and whether find goes on below it.
func (f *Search) Visit(rel string, kind Kind) (found, deeper bool) {
	depth := 0
	shown := f.shown
	if rel != "" {
		depth = strings.Count(rel, "/") + 1
		shown = strings.TrimSuffix(shown, "/") + "/" + rel
	}
	v := visit{shown: shown, kind: kind, action: f.action}
	if depth >= f.min && (f.max < 0 || depth <= f.max) {
		f.test(&v)
	}
	return v.found, !v.pruned && (f.max < 0 || depth < f.max)
}

// visit is one entry that find looks at.
type visit struct {
	shown         string
	kind          Kind
	action        int
	found, pruned bool
}

// test is a part of find's expression.
type test func(*visit) bool

func yes(*visit) bool { return true }

// finding reads find's command line.
type finding struct {
	roots    []word
	args     []word
	at       int
	depth    int
	odd      bool     // something in it cannot be told from an entry's name and kind
	actions  []action // in the order of the command line
	test     test
	min, max int
}

// action is what find does with an entry.
type action struct {
	name    string // -print, -delete, -exec, …
	command []word // of -exec and its like; of -fprint and its like the file
}

// Bounds of an expression.
const (
	maxParts  = 100
	maxFindIn = 20
)

func readFind(args []word) *finding {
	f := &finding{args: args, max: -1}
	for f.at < len(args) && listed("-H -P -O1 -O2 -O3", args[f.at].text) {
		f.at++
	}
	for f.at < len(args) && !strings.HasPrefix(args[f.at].text, "-") && !listed("( ) ! ,", args[f.at].text) {
		f.roots = append(f.roots, args[f.at])
		f.at++
	}
	if len(f.roots) == 0 {
		f.roots = []word{known(".")}
	}
	f.test = yes
	for f.at < len(args) { // once, unless something is left over
		f.test = f.or()
		f.odd = f.odd || f.at < len(args)
		f.at++
	}
	if len(f.actions) == 0 {
		f.test = both(f.test, f.does(action{name: "-print"}))
	}
	f.odd = f.odd || len(f.actions) > maxParts
	return f
}

func both(a, b test) test { return func(v *visit) bool { return a(v) && b(v) } }

func (f *finding) next(list string) bool {
	if f.at < len(f.args) && listed(list, f.args[f.at].text) {
		f.at++
		return true
	}
	return false
}

func (f *finding) or() test {
	left := f.and()
	for f.next("-o -or") {
		a, b := left, f.and()
		left = func(v *visit) bool { return a(v) || b(v) }
	}
	return left
}

func (f *finding) and() test {
	left := f.not()
	for f.at < len(f.args) && !listed(") -o -or ,", f.args[f.at].text) {
		f.next("-a -and")
		left = both(left, f.not())
	}
	return left
}

func (f *finding) not() test {
	if f.depth++; f.depth > maxFindIn || f.at > maxParts {
		f.odd = true
		f.at = max(f.at, min(f.at+1, len(f.args)))
		f.depth--
		return yes
	}
	defer func() { f.depth-- }()
	switch {
	case f.next("! -not"):
		inner := f.not()
		return func(v *visit) bool { return !inner(v) }
	case f.next("("):
		inner := f.or()
		f.odd = !f.next(")") || f.odd
		return inner
	}
	return f.primary()
}

// word takes the argument of a primary as it stands there.
func (f *finding) word() word {
	if f.at >= len(f.args) {
		f.odd = true
		return word{}
	}
	f.at++
	return f.args[f.at-1]
}

// value takes an argument that the expression depends on.
func (f *finding) value() string {
	w := f.word()
	if !w.known {
		f.odd = true
		return ""
	}
	return w.text
}

func (f *finding) primary() test {
	if f.at >= len(f.args) {
		f.odd = true
		return yes
	}
	name := f.args[f.at].text
	f.at++
	switch name {
	case "-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename":
		return f.pattern(strings.TrimPrefix(name, "-"), f.value())
	case "-type":
		kinds := f.value()
		return func(v *visit) bool { return strings.IndexByte(kinds, byte(v.kind)) >= 0 }
	case "-maxdepth":
		f.max = f.number()
		return yes
	case "-mindepth":
		f.min = f.number()
		return yes
	case "-prune":
		return func(v *visit) bool { v.pruned = true; return true }
	case "-true", "-depth", "-d", "-xdev", "-mount", "-noleaf":
		return yes
	case "-false":
		return func(*visit) bool { return false }
	case "-print", "-print0", "-ls", "-delete":
		return f.does(action{name: name})
	case "-printf":
		f.word()
		return f.does(action{name: name})
	case "-fprint", "-fprint0", "-fls":
		return f.does(action{name: name, command: []word{f.word()}})
	case "-fprintf":
		file := f.word()
		f.word()
		return f.does(action{name: name, command: []word{file}})
	case "-exec", "-execdir", "-ok", "-okdir":
		from := f.at
		for f.at < len(f.args) && f.args[f.at].text != ";" && (f.args[f.at].text != "+" || f.args[f.at-1].text != "{}") {
			f.at++
		}
		command := f.args[min(from, len(f.args)):f.at]
		f.at++
		return f.does(action{name: name, command: command})
	}
	f.odd = true
	return yes
}

func (f *finding) number() int {
	n, err := strconv.Atoi(f.value())
	f.odd = f.odd || err != nil || n < 0
	return n
}

func (f *finding) does(a action) test {
	f.actions = append(f.actions, a)
	number := len(f.actions) - 1
	return func(v *visit) bool {
		v.found = v.found || number == v.action
		return true
	}
}

// pattern matches a name, or with "path" all that find prints, where * goes over
// slashes.
func (f *finding) pattern(kind, pattern string) test {
	fold := strings.HasPrefix(kind, "i")
	whole := !strings.HasSuffix(kind, "name") || strings.HasSuffix(kind, "wholename")
	plain := func(s string) string {
		if fold {
			s = strings.ToLower(s)
		}
		return strings.ReplaceAll(s, "/", "\x01")
	}
	pattern = strings.ReplaceAll(plain(pattern), "[!", "[^")
	if _, err := path.Match(pattern, ""); err != nil || strings.ContainsRune(pattern, 0) {
		f.odd = true
	}
	return func(v *visit) bool {
		text := v.shown
		if !whole {
			text = path.Base(text)
		}
		ok, _ := path.Match(pattern, plain(text))
		return ok
	}
}

// find reads the commands of -exec, and -delete.
func (r *reader) find(c invocation, s *scene) {
	f := readFind(c.args)
	for i, a := range f.actions {
		switch a.name {
		case "-delete":
			if files := r.found(f, i, s); files.known {
				r.write(s, files, Target{Op: OpRemove})
			} else {
				r.plan.giveUp("find removes what it finds")
			}
		case "-fprint", "-fprint0", "-fprintf", "-fls":
			r.write(s, a.command[0], Target{Op: OpOutput})
		case "-exec", "-execdir", "-ok", "-okdir":
			inner := s.fork()
			if strings.HasSuffix(a.name, "dir") {
				inner.dir = ""
			}
			r.replaced(a.command, "{}", r.found(f, i, s), inner)
		}
	}
}

// found gives the word that stands for all files to which an action comes. Its
// text is no file's name: what is made of it, such as {}.bak, is not known.
func (r *reader) found(f *finding, number int, s *scene) word {
	if f.odd || len(r.searches) == maxVars {
		return word{}
	}
	var targets []Target
	for _, root := range f.roots {
		name, ok := s.path(root.text)
		if !ok || !root.known || root.glob || strings.ContainsRune(name, 0) {
			return word{}
		}
		targets = append(targets, Target{Path: name, Search: &Search{shown: root.text, test: f.test, action: number, min: f.min, max: f.max}})
	}
	w := known("\x00" + strconv.Itoa(len(r.searches)))
	if r.searches == nil {
		r.searches = map[string][]Target{}
	}
	r.searches[w.text] = targets
	return w
}

// printedBy gives the names that find prints; not known when it does more.
func (r *reader) printedBy(args []word, s *scene) word {
	f := readFind(args)
	if len(f.actions) != 1 || f.actions[0].name != "-print" && f.actions[0].name != "-print0" {
		return word{}
	}
	return r.found(f, 0, s)
}

// replaced reads a command in which a mark stands for something else.
func (r *reader) replaced(words []word, mark string, with word, s *scene) {
	if len(words) == 0 {
		return
	}
	args := make([]word, 0, len(words))
	for _, w := range words {
		switch {
		case w.text == mark:
			w = with
		case strings.Contains(w.text, mark) && with.known && !with.glob:
			w.text = strings.ReplaceAll(w.text, mark, with.text)
		case strings.Contains(w.text, mark):
			w = word{}
		}
		args = append(args, w)
	}
	r.inner(args, s)
}

// inner reads a command that another one runs.
func (r *reader) inner(words []word, s *scene) {
	if r.nested++; r.nested > maxNested {
		r.plan.giveUp("commands are wrapped too deeply")
	} else {
		r.invoke(words, s, input{})
	}
	r.nested--
}
