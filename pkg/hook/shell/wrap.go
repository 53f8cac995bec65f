package shell

import (
	"path"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// wrapper is a command that runs the one in its arguments.
type wrapper struct {
	options
	skip    int    // operands before the command: the duration of timeout
	assigns bool   // NAME=value may stand before it
	sub     string // it runs a command only with one of these as first operand: exec, dlx, run
	module  string // option that names the command: -m of python
	asks    string // with one of these it only tells where the command is
	chdir   string // options whose value is the directory it runs in
	direct  bool   // sub may be left out: yarn prettier
	scripts bool   // a name may also be a script of the project: only commands of the table are read
}

var wrappers = sync.OnceValue(func() map[string]wrapper {
	js := wrapper{scripts: true, options: options{value: "-p --package -w --workspace --prefix -C --dir"}, chdir: "--prefix -C --dir"}
	sub := func(list string) wrapper {
		w := js
		w.sub, w.direct = list, list != "exec x"
		return w
	}
	python := wrapper{module: "-m", options: options{value: "-W -X -c -m"}}
	return map[string]wrapper{
		"sudo":      {assigns: true, options: options{value: "-u -g -h -p -C -D -r -t -U --user --group --chdir"}, chdir: "-D --chdir"},
		"doas":      {options: options{value: "-u -C"}},
		"env":       {assigns: true, options: options{value: "-u --unset -C --chdir -S"}, chdir: "-C --chdir"},
		"nohup":     {},
		"setsid":    {},
		"command":   {asks: "-v -V"},
		"builtin":   {},
		"exec":      {options: options{value: "-a"}},
		"time":      {options: options{value: "-f -o"}},
		"nice":      {options: options{value: "-n --adjustment"}},
		"ionice":    {options: options{value: "-c -n -p"}},
		"chronic":   {},
		"stdbuf":    {options: options{value: "-i -o -e"}},
		"timeout":   {skip: 1, options: options{value: "-s -k --signal --kill-after"}},
		"gtimeout":  {skip: 1, options: options{value: "-s -k --signal --kill-after"}},
		"flock":     {skip: 1, options: options{value: "-w -E --timeout"}},
		"direnv":    {sub: "exec", skip: 1},
		"mise":      {sub: "exec x"},
		"npx":       js,
		"bunx":      js,
		"pnpx":      js,
		"npm":       sub("exec x"),
		"pnpm":      sub("exec dlx"),
		"yarn":      sub("exec dlx run"),
		"bun":       sub("x"),
		"uvx":       {scripts: true, options: options{value: "--from --with -p --python"}},
		"pipx":      {scripts: true, sub: "run"},
		"uv":        {scripts: true, sub: "run", options: options{value: "--with --python -p --group --extra --project --directory"}, chdir: "--directory"},
		"poetry":    {scripts: true, sub: "run", options: options{value: "-C --directory"}, chdir: "-C --directory"},
		"pipenv":    {scripts: true, sub: "run"},
		"pdm":       {scripts: true, sub: "run"},
		"hatch":     {scripts: true, sub: "run"},
		"rye":       {scripts: true, sub: "run"},
		"bundle":    {scripts: true, sub: "exec"},
		"composer":  {scripts: true, sub: "exec"},
		"python":    python,
		"python3":   python,
		"python3.9": python, "python3.10": python, "python3.11": python, "python3.12": python, "python3.13": python, "py": python,
	}
})

// wrapped reads the command behind a wrapper.
func (r *reader) wrapped(w wrapper, c invocation, s *scene) {
	if w.asks != "" && len(c.args) > 0 && listed(w.asks, c.args[0].text) {
		return
	}
	rest, inner, ok := w.strip(c.args, s.fork())
	switch {
	case !ok || w.sub != "" && len(rest) == 0:
		r.lookUp(c, s)
		return
	case len(rest) == 0 && (asksOnly(c.args) || w.module == ""):
		return // "env", "exec 2>&1", "python --version"
	case len(rest) == 0:
		r.plan.giveUp("a script is not read")
		return
	}
	if w.scripts && rest[0].known { // @scope/name@version
		name, _, _ := strings.Cut(path.Base(rest[0].text), "@")
		rest = append([]word{known(name)}, rest[1:]...)
	}
	if w.scripts && !projectTool(rest) {
		r.plan.giveUp(rest[0].text + " may be a script of the project")
		return
	}
	if r.nested++; r.nested > 4*maxNested {
		r.plan.giveUp("commands are wrapped too deeply")
	} else {
		r.invoke(rest, inner, c.in)
	}
	r.nested--
}

// projectTool reports a command that is read behind npx and its like: only
// formatters, since any other name may be a script.
func projectTool(words []word) bool {
	table := commands()
	name := words[0].text
	if len(words) > 1 && table[name+" "+words[1].text].op == OpFormat {
		return true
	}
	return table[name].op == OpFormat
}

// strip takes a wrapper's own arguments off; ok is false when it does not run
// another command this time.
func (w wrapper) strip(args []word, s *scene) (rest []word, inner *scene, ok bool) {
	skip, sub := w.skip, w.sub
	for i := 0; i < len(args); i++ {
		text := args[i].text
		name, value, attached := strings.Cut(text, "=")
		switch {
		case !args[i].known:
			return args[i:], s, true
		case w.module != "" && text == w.module:
			return args[i+1:], s, true
		case text == "--":
			sub = ""
		case strings.HasPrefix(text, "-") && len(text) > 1:
			w.enter(name, value, attached, args, i, s)
			if listed(w.value, text) {
				i++
			}
		case w.assigns && attached && syntax.ValidName(name):
		case sub != "":
			if !listed(sub, text) {
				return args[i:], s, w.direct
			}
			sub = ""
		case skip > 0:
			skip--
		case w.module != "":
			return nil, s, true
		default:
			return args[i:], s, true
		}
	}
	return nil, s, true
}

// enter follows an option that changes the directory.
func (w wrapper) enter(name, value string, attached bool, args []word, at int, s *scene) {
	if !listed(w.chdir, name) {
		return
	}
	switch {
	case attached:
		s.cd(value)
	case at+1 < len(args) && args[at+1].known:
		s.cd(args[at+1].text)
	default:
		s.dir = ""
	}
}

// xargs reads the command it runs, with the names it is fed; without them, with
// an argument that is not known.
func (r *reader) xargs(c invocation, s *scene) {
	w := wrapper{options: options{value: "-I -n -P -L -d -E -s -a --max-args --max-procs --delimiter --arg-file --replace"}}
	rest, _, _ := w.strip(c.args, s)
	if len(rest) == 0 {
		return // echo
	}
	a := parse(c.args[:len(c.args)-len(rest)], options{value: w.value, attached: "i"})
	names := c.in.words
	if names == nil || a.has("-a --arg-file -d --delimiter -E") {
		names = []word{{}}
	}
	mark := ""
	for _, option := range append(a.values["-I"], a.values["--replace"]...) {
		mark = option.text
	}
	if mark == "" && a.has("-i --replace") {
		mark = "{}"
	}
	if mark == "" {
		r.inner(append(slices.Clone(rest), names...), s)
		return
	}
	for _, name := range names {
		r.replaced(rest, mark, name, s)
	}
}
