package shell

import (
	"strings"
)

// Reach is which uncommitted files a git command acts on.
type Reach uint8

// A git command's reach; they add up.
const (
	Tracked   Reach = 1 << iota // modified files that git knows
	Untracked                   // new files
	Staged                      // changes in the index
)

// Harm is what a git command does to uncommitted files.
type Harm string

// The harms.
const (
	Drops Harm = "drop"    // their changes are gone
	Moves Harm = "move"    // they are taken off the tree, or onto another branch
	Takes Harm = "take in" // they become part of this session's commit
)

// GitAct is a git command that acts on uncommitted files of a working tree.
type GitAct struct {
	Verb  string   // "checkout", "stash", "worktree remove", …
	Args  []string // what followed the verb, as typed
	Dir   string   // where it runs; "" = not known
	Harm  Harm
	Reach Reach

	// Paths limit it, as typed: relative to Dir, perhaps git pathspecs. Empty
	// means the whole working tree.
	Paths []string
	// MaybePath: the one path could be a branch instead, as in "git checkout
	// x"; then the command moves the whole tree.
	MaybePath bool
	// SharedStash: it uses the list of stashes, which all working trees of the
	// clone share.
	SharedStash bool
}

// Settles reports whether files may have no uncommitted change any more after the
// command: it commits them, or takes changes off the working tree.
func (act GitAct) Settles() bool { return act.Harm != Takes || act.Verb == "commit" }

// gitOptions are git's own, before the verb.
var gitOptions = options{value: "-C -c --git-dir --work-tree --namespace --exec-path --super-prefix --config-env"}

// git reads a git command.
func (r *reader) git(c invocation, s *scene) {
	inner := s.fork()
	args := c.args
	for len(args) > 0 && args[0].known && strings.HasPrefix(args[0].text, "-") {
		name, value, attached := strings.Cut(args[0].text, "=")
		args = args[1:]
		arg := known(value)
		if !attached && listed(gitOptions.value, name) {
			if len(args) == 0 {
				return
			}
			arg, args = args[0], args[1:]
		}
		switch name {
		case "-C", "--work-tree":
			if inner.cd(arg.text); !arg.known {
				inner.dir = ""
			}
		case "--git-dir":
			inner.dir = ""
		}
	}
	if len(args) == 0 {
		return
	}
	if !args[0].known {
		r.plan.giveUp("a git command is not known before it runs")
		return
	}
	r.verb(args[0].text, args[1:], inner, c.in)
}

// verb looks the verb up: "stash pop" before "stash".
func (r *reader) verb(name string, args []word, s *scene, in input) {
	table := gitVerbs()
	v, ok := gitVerb{}, false
	if len(args) > 0 && args[0].known {
		if v, ok = table[name+" "+args[0].text]; ok {
			name, args = name+" "+args[0].text, args[1:]
		}
	}
	if !ok {
		v, ok = table[name]
	}
	switch {
	case !ok:
		r.plan.giveUp("git " + name + " is not known")
	case v.kind == gitReads:
		r.gitOutput(args, s)
	case v.kind == gitWrites:
		r.plan.giveUp("git " + name + " writes files")
	case v.kind == gitPatch && !parse(args, v.options).has(v.without):
		r.gitApply(args, v.options, s, in)
	case v.kind == gitFiles:
		r.apply(v.files, args, s)
	default:
		r.act(name, v, args, s)
	}
}

// gitOutput adds the file of git diff --output.
func (r *reader) gitOutput(args []word, s *scene) {
	a := parse(args, options{value: "--output -o"})
	for _, file := range a.values["--output"] {
		r.write(s, file, Target{Op: OpOutput})
	}
}

// gitApply reads the patches of git apply and git am. Their names are relative to
// the top of the working tree.
func (r *reader) gitApply(args []word, o options, s *scene, in input) {
	a := parse(args, o)
	switch {
	case a.has("--check --stat --numstat --summary") && !a.has("--apply"):
		return
	case a.has("--cached") && !a.has("--index"):
		return
	case a.has("--include --exclude"):
		r.plan.giveUp("a patch is applied in part")
		return
	}
	inner := s.fork()
	if top := r.at.Top; top != "" && (s.dir == top || strings.HasPrefix(s.dir, top+"/")) {
		inner.dir = top
	}
	for _, dir := range a.values["--directory"] {
		if inner.cd(dir.text); !dir.known {
			inner.dir = ""
		}
	}
	strip := stripped(a)
	if strip < 0 {
		strip = 1
	}
	patches := a.operands
	if len(patches) == 0 || patches[0].text == "-" {
		if text, ok := r.textOf(in, s); ok {
			r.patched(text, strip, inner)
		} else {
			r.plan.giveUp("a patch names the files")
		}
		return
	}
	for _, p := range patches {
		if text, ok := r.textOf(input{file: p, named: true}, s); ok {
			r.patched(text, strip, inner)
		} else {
			r.plan.giveUp("a patch names the files")
		}
	}
}

// act adds a GitAct by the first row of the verb that its options fit.
func (r *reader) act(name string, v gitVerb, args []word, s *scene) {
	opts := v.options
	before, after, dashes := splitAtDashes(args)
	a := parse(before, opts)
	for _, row := range v.rows {
		if row.when != "" && !a.has(row.when) || row.unless != "" && a.has(row.unless) {
			continue
		}
		if row.harm == "" {
			if row.writes {
				r.plan.giveUp("git " + name + " writes files")
			}
			return
		}
		act := GitAct{Verb: name, Args: texts(args), Dir: s.dir, Harm: row.harm, Reach: row.reach, SharedStash: row.stash}
		paths, ok := row.limits(a, after, dashes, &act)
		if !ok {
			continue
		}
		if row.bareOnly && len(paths) > 0 {
			continue
		}
		if row.pathsOnly && len(paths) == 0 {
			continue
		}
		for _, path := range paths {
			if !path.known || strings.ContainsRune(path.text, 0) {
				r.plan.giveUp("a path of git " + name + " is not known before it runs")
				return
			}
			act.Paths = append(act.Paths, path.text)
		}
		if row.dirOperand {
			if len(act.Paths) == 0 {
				return
			}
			s.cd(act.Paths[len(act.Paths)-1])
			act.Dir, act.Paths = s.dir, nil
		}
		if act.Dir == "" {
			r.plan.giveUp("the directory of git " + name + " is not known before it runs")
			return
		}
		r.plan.Git = append(r.plan.Git, act)
		return
	}
}

func splitAtDashes(args []word) (before, after []word, dashes bool) {
	for i, arg := range args {
		if arg.known && arg.text == "--" {
			return args[:i], args[i+1:], true
		}
	}
	return args, nil, false
}
