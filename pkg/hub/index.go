package hub

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
)

// maxFacts bounds what one wide pattern yields: it scores 30 however many files
// it meets.
const maxFacts = 1000

// index finds the live announcements, edits and leases of one project by path
// and module. With world it answers impact.World. Each query costs in proportion to
// what it finds, not to what the index holds.
type index struct {
	fold     bool
	names    map[coord.PathKey][]*coord.Announcement // concrete targets and names of expansions
	nameTree *tree
	deps     map[coord.PathKey][]*coord.Announcement
	depTree  *tree
	patterns map[coord.PathKey][]anchored // by the directory every match lies under
	anchors  *tree                        // keys of patterns, to list those below a directory
	modules  map[string][]*coord.Announcement
	below    map[string][]*coord.Announcement // by each proper prefix of a declared module
	edits    map[coord.PathKey][]coord.Edit   // oldest first
	recent   []coord.Edit                     // all edits, oldest first
	leases   map[coord.PathKey][]*coord.Lease
	waits    map[coord.PathKey][]*coord.Wait
}

// anchored is one pattern target of an announcement.
type anchored struct {
	ann    *coord.Announcement
	target coord.Target
}

func newIndex(fold bool) *index {
	return &index{
		fold:  fold,
		names: map[coord.PathKey][]*coord.Announcement{}, nameTree: newTree(),
		deps: map[coord.PathKey][]*coord.Announcement{}, depTree: newTree(),
		patterns: map[coord.PathKey][]anchored{}, anchors: newTree(),
		modules: map[string][]*coord.Announcement{}, below: map[string][]*coord.Announcement{},
		edits:  map[coord.PathKey][]coord.Edit{},
		leases: map[coord.PathKey][]*coord.Lease{}, waits: map[coord.PathKey][]*coord.Wait{},
	}
}

func (x *index) key(p coord.Path) coord.PathKey { return p.Key(x.fold) }

// add enters a live announcement. One that is kept open is never scored and so
// never entered.
func (x *index) add(a *coord.Announcement) {
	if !a.Live() || a.KeepOpen {
		return
	}
	for k, p := range x.namesOf(a) {
		x.names[k] = append(x.names[k], a)
		x.nameTree.add(k, p)
	}
	for _, d := range a.DependsOn {
		k := x.key(d)
		x.deps[k] = append(x.deps[k], a)
		x.depTree.add(k, d)
	}
	for _, t := range a.Targets {
		if t.Kind != coord.FileTarget {
			k := x.anchor(t)
			x.patterns[k] = append(x.patterns[k], anchored{a, t})
			x.anchors.add(k+"/*", coord.Path{})
		}
	}
	for _, m := range a.Modules {
		segments := moduleSegments(m)
		full := strings.Join(segments, "/")
		x.modules[full] = append(x.modules[full], a)
		for i := 1; i < len(segments); i++ {
			p := strings.Join(segments[:i], "/")
			x.below[p] = append(x.below[p], a)
		}
	}
}

// drop removes what add entered for the same value.
func (x *index) drop(a *coord.Announcement) {
	if !a.Live() || a.KeepOpen {
		return
	}
	for k := range x.namesOf(a) {
		if x.names[k] = without(x.names[k], a); len(x.names[k]) == 0 {
			delete(x.names, k)
			x.nameTree.remove(k)
		}
	}
	for _, d := range a.DependsOn {
		k := x.key(d)
		if x.deps[k] = without(x.deps[k], a); len(x.deps[k]) == 0 {
			delete(x.deps, k)
			x.depTree.remove(k)
		}
	}
	for _, t := range a.Targets {
		if t.Kind == coord.FileTarget {
			continue
		}
		k := x.anchor(t)
		x.patterns[k] = slices.DeleteFunc(x.patterns[k], func(p anchored) bool { return p.ann == a })
		if len(x.patterns[k]) == 0 {
			delete(x.patterns, k)
			x.anchors.remove(k + "/*")
		}
	}
	for _, m := range a.Modules {
		segments := moduleSegments(m)
		dropFrom(x.modules, strings.Join(segments, "/"), a)
		for i := 1; i < len(segments); i++ {
			dropFrom(x.below, strings.Join(segments[:i], "/"), a)
		}
	}
}

func without(list []*coord.Announcement, a *coord.Announcement) []*coord.Announcement {
	return slices.DeleteFunc(list, func(b *coord.Announcement) bool { return a == b })
}

func dropFrom(m map[string][]*coord.Announcement, k string, a *coord.Announcement) {
	if m[k] = without(m[k], a); len(m[k]) == 0 {
		delete(m, k)
	}
}

// namesOf gives the files an announcement names, by their keys.
func (x *index) namesOf(a *coord.Announcement) map[coord.PathKey]coord.Path {
	out := map[coord.PathKey]coord.Path{}
	for _, t := range a.Targets {
		for _, p := range t.Expanded {
			out[x.key(p)] = p
		}
	}
	for _, t := range a.Targets {
		if t.Kind == coord.FileTarget {
			out[x.key(t.Path)] = t.Path
		}
	}
	return out
}

// anchor gives the directory that every match of a pattern lies under.
func (x *index) anchor(t coord.Target) coord.PathKey {
	if t.Kind == coord.DirTarget {
		return x.key(t.Path)
	}
	return coord.PathKey(impact.Prefix(string(x.key(t.Path))))
}

// glob gives a pattern target as a doublestar glob over keys.
func (x *index) glob(t coord.Target) string {
	k := string(x.key(t.Path))
	switch {
	case t.Kind != coord.DirTarget:
		return k
	case k == ".":
		return "**"
	default:
		return k + "/**"
	}
}

// contains reports whether a pattern target matches a file.
func (x *index) contains(t coord.Target, file coord.PathKey) bool {
	if t.Kind == coord.DirTarget {
		dir := x.key(t.Path)
		return dir == topKey || strings.HasPrefix(string(file), string(dir)+"/")
	}
	return doublestar.MatchUnvalidated(string(x.key(t.Path)), string(file))
}

// moduleSegments splits a module at its boundaries: "auth/login" and
// "auth.login" are below "auth", "authz" is not.
func moduleSegments(m string) []string {
	return strings.FieldsFunc(m, func(r rune) bool { return r == '/' || r == '.' })
}
