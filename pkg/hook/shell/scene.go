package shell

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word is one argument after expansion.
type word struct {
	text  string
	known bool
	glob  bool // text is a pattern
}

func known(text string) word { return word{text: text, known: true} }

// scene is what the shell knows at one point of the command.
type scene struct {
	dir   string // "" = not known
	old   string // before the last cd
	stack []string
	vars  map[string]word
	funcs map[string]*syntax.Stmt
	args  []word // $1, $2, … ; nil = not known
}

func newScene(dir string) *scene {
	return &scene{dir: dir, vars: map[string]word{}, funcs: map[string]*syntax.Stmt{}}
}

// fork is the scene of a subshell.
func (s *scene) fork() *scene {
	copied := *s
	copied.stack = slices.Clone(s.stack)
	copied.vars = maps.Clone(s.vars)
	copied.funcs = maps.Clone(s.funcs)
	return &copied
}

// merge forgets what a branch that may not have run has changed.
func (s *scene) merge(branch *scene) {
	if branch.dir != s.dir {
		s.dir = ""
	}
	for name, value := range branch.vars {
		if s.vars[name] != value {
			s.set(name, word{})
		}
	}
	for name, fn := range branch.funcs {
		s.funcs[name] = fn
	}
}

// set gives a variable its value; a bounded number of them is kept.
func (s *scene) set(name string, value word) {
	if len(value.text) > maxValue {
		value = word{}
	}
	if _, have := s.vars[name]; have || len(s.vars) < maxVars {
		s.vars[name] = value
	}
}

// cd changes the directory as the shell does: by name, ".." taken off the name.
func (s *scene) cd(to string) {
	was := s.dir
	switch {
	case to == "-":
		s.dir = s.old
	case filepath.IsAbs(to):
		s.dir = filepath.Clean(to)
	case s.dir != "":
		s.dir = filepath.Join(s.dir, to)
	}
	s.old = was
}

// path makes a file name absolute, its ".." in place.
func (s *scene) path(name string) (string, bool) {
	for strings.HasPrefix(name, "./") && len(name) > 2 {
		name = strings.TrimLeft(name[2:], "/")
	}
	switch {
	case name == "":
		return "", false
	case filepath.IsAbs(name):
		return name, true
	case s.dir == "":
		return "", false
	case name == "." || name == "./":
		return s.dir, true
	}
	return strings.TrimSuffix(s.dir, "/") + "/" + name, true
}
