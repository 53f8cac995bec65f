package shell

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Uncommitted is a file with changes that are not committed.
type Uncommitted struct {
	Path  string // relative to the top of the working tree, with slashes
	Owner string // whose changes, in words for a refusal
	State Reach  // what git status says of it; 0 = not asked, it counts as modified
}

// Tree is the working tree that the files belong to.
type Tree struct {
	Top      string // real path
	FoldCase bool   // letter case does not count

	// Exists reports whether an absolute path is there, to tell "git checkout
	// FILE" from "git checkout BRANCH". nil = only the given files are.
	Exists func(name string) bool
}

// Danger is what a git command would do to uncommitted files of others. It is
// no danger when Files is empty.
type Danger struct {
	Harm  Harm
	Files []Uncommitted // of others, in the order given

	// Instead is a command that does the same to the session's own files only,
	// to be run in the same directory; "" when there is none. A list that would
	// be long ends with "…".
	Instead string
}

// Endangered says which of the others' uncommitted files the command would
// drop, move or take in. [GitAct.Dir] must be a real path (symbolic links
// resolved) to lie in the tree; a command that works in another tree endangers
// nothing here. A plain "git commit" (act.Reach == Staged) is only judged by
// files whose State says that they are staged: ask git first. A stash ([GitAct.SharedStash]) is besides a matter of the other
// working trees of the clone, which the caller must look at.
func Endangered(act GitAct, tree Tree, others, own []Uncommitted) Danger {
	dir, ok := below(tree.Top, act.Dir)
	if !ok {
		return Danger{}
	}
	if act.MaybePath && !isPath(act, dir, tree, slices.Concat(others, own)) {
		act.Harm, act.Paths = Moves, nil
	}
	specs := readSpecs(act.Paths, dir, tree)
	var d Danger
	for _, file := range others {
		if act.reaches(file) && specs.match(file.Path) {
			d.Files = append(d.Files, file)
		}
	}
	if len(d.Files) == 0 {
		return Danger{}
	}
	d.Harm = act.Harm
	mineToo := act
	if act.Reach == Staged { // "git commit" is offered with the paths of all that is modified
		mineToo.Reach |= Tracked
	}
	var mine []string
	for _, file := range own {
		if mineToo.reaches(file) && specs.match(file.Path) {
			mine = append(mine, relativeTo(dir, file.Path))
		}
	}
	d.Instead = act.instead(mine)
	return d
}

// reaches compares what the command acts on with the state of a file. A commit
// of the index needs to be known to hold the file: most that are not asked
// about are not in it.
func (act GitAct) reaches(file Uncommitted) bool {
	if file.State == 0 {
		return act.Reach != Staged
	}
	return act.Reach&file.State != 0
}

// below gives dir relative to top, "." for top itself.
func below(top, dir string) (string, bool) {
	rel, err := filepath.Rel(top, dir)
	rel = filepath.ToSlash(rel)
	return rel, err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// isPath tells whether the command's one operand names a file, as git would.
func isPath(act GitAct, dir string, tree Tree, files []Uncommitted) bool {
	specs := readSpecs(act.Paths, dir, tree)
	for _, file := range files {
		if specs.match(file.Path) {
			return true
		}
	}
	name := act.Paths[0]
	if !filepath.IsAbs(name) {
		name = filepath.Join(act.Dir, name)
	}
	return tree.Exists != nil && tree.Exists(name)
}

// pathspecs are git's, as far as people type them.
type pathspecs struct {
	fold             bool
	include, exclude []string
}

func readSpecs(paths []string, dir string, tree Tree) pathspecs {
	specs := pathspecs{fold: tree.FoldCase}
	for _, spec := range paths {
		base, excluded := dir, false
		for _, magic := range []struct {
			prefix       string
			top, exclude bool
		}{{":(top)", true, false}, {":/", true, false}, {":(exclude)", false, true}, {":!", false, true}, {":^", false, true}} {
			if rest, ok := strings.CutPrefix(spec, magic.prefix); ok {
				spec = rest
				excluded = excluded || magic.exclude
				if magic.top {
					base = "."
				}
			}
		}
		if rel, ok := below(tree.Top, spec); ok && filepath.IsAbs(spec) {
			spec, base = rel, "."
		}
		spec = path.Join(base, spec)
		if excluded {
			specs.exclude = append(specs.exclude, spec)
		} else {
			specs.include = append(specs.include, spec)
		}
	}
	return specs
}

func (s pathspecs) match(name string) bool {
	in := len(s.include) == 0
	for _, spec := range s.include {
		in = in || s.matchOne(spec, name)
	}
	for _, spec := range s.exclude {
		in = in && !s.matchOne(spec, name)
	}
	return in
}

// matchOne compares one spec: the file, a directory above it, or a pattern.
func (s pathspecs) matchOne(spec, name string) bool {
	if s.fold {
		spec, name = strings.ToLower(spec), strings.ToLower(name)
	}
	return spec == "." || spec == name || strings.HasPrefix(name, spec+"/") || strings.ContainsAny(spec, "*?[") && wild(spec, name)
}

// wild matches a pathspec, in which "*" goes over slashes; a bracket stands for
// any one character.
func wild(pattern, name string) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		width := 1
		if p < len(pattern) && pattern[p] == '[' {
			width = strings.IndexByte(pattern[p:], ']') + 1
		}
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n] || pattern[p] == '[' && width > 1):
			p += max(width, 1)
			n++
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func relativeTo(dir, name string) string {
	if dir == "." {
		return name
	}
	rel, err := filepath.Rel(filepath.FromSlash(dir), filepath.FromSlash(name))
	if err != nil {
		return ":/" + name
	}
	return filepath.ToSlash(rel)
}
