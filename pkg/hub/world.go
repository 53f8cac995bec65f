package hub

import (
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
)

var _ impact.World = world{}

// world is an index together with who of those in it is at work right now.
type world struct {
	*index
	held func(*coord.Lease) bool
}

// world gives the index of a project as the judge sees it now.
func (t *txn) world(id coord.ProjectID) world { return world{t.project(id).index, t.held} }

func factOf(a *coord.Announcement) impact.Fact {
	return impact.Fact{Agent: a.Agent, Workspace: a.Workspace, Announcement: a.ID}
}

// Announced implements impact.World.
func (x *index) Announced(t coord.Target, yield func(impact.Fact)) {
	switch {
	case t.Kind == coord.FileTarget:
		x.announcedFile(t.Path, false, yield)
	case !t.Wide:
		seen := map[coord.PathKey]bool{}
		for _, p := range t.Expanded {
			seen[x.key(p)] = true
			x.announcedFile(p, true, yield)
		}
		x.nameTree.under(x.anchor(t), func(k coord.PathKey, p coord.Path) bool {
			if !seen[k] && x.contains(t, k) {
				x.named(k, p, func(f impact.Fact) {
					if len(t.Expanded) == 0 || x.namesItself(f.Announcement, k) {
						yield(f)
					}
				})
			}
			return true
		})
	}
}

// announcedFile yields who names the file, and who announced a pattern it lies
// in. A name that itself comes from a pattern meets other patterns by the names
// they stood for, where these are known.
func (x *index) announcedFile(p coord.Path, expanded bool, yield func(impact.Fact)) {
	k := x.key(p)
	x.named(k, p, yield)
	ancestors(k, func(dir coord.PathKey) {
		for _, pat := range x.patterns[dir] {
			if pat.target.Wide || (expanded && len(pat.target.Expanded) > 0) || slices.Contains(x.names[k], pat.ann) {
				continue
			}
			if x.contains(pat.target, k) {
				f := factOf(pat.ann)
				f.Path, f.Pattern = p, pat.target.String()
				yield(f)
			}
		}
	})
}

func (x *index) named(k coord.PathKey, p coord.Path, yield func(impact.Fact)) {
	for _, a := range x.names[k] {
		f := factOf(a)
		f.Path = p
		yield(f)
	}
}

// namesItself reports whether an announcement names the file as a target of its
// own, not only by the expansion of a pattern.
func (x *index) namesItself(id coord.AnnouncementID, k coord.PathKey) bool {
	for _, a := range x.names[k] {
		if a.ID == id {
			return slices.ContainsFunc(a.Targets, func(t coord.Target) bool { return t.Kind == coord.FileTarget && x.key(t.Path) == k })
		}
	}
	return false
}

// Dependents implements impact.World.
func (x *index) Dependents(t coord.Target, yield func(impact.Fact)) {
	dependents := func(k coord.PathKey, p coord.Path) {
		for _, a := range x.deps[k] {
			f := factOf(a)
			f.Path = p
			yield(f)
		}
	}
	switch {
	case t.Kind == coord.FileTarget:
		dependents(x.key(t.Path), t.Path)
	case !t.Wide:
		x.depTree.under(x.anchor(t), func(k coord.PathKey, p coord.Path) bool {
			if x.contains(t, k) {
				dependents(k, p)
			}
			return true
		})
	}
}

// Activity implements impact.World.
func (x world) Activity(t coord.Target, since coord.Millis, yield func(impact.Fact)) {
	switch {
	case t.Kind == coord.FileTarget:
		k := x.key(t.Path)
		for _, e := range slices.Backward(x.edits[k]) {
			if e.Time < since {
				break
			}
			yield(factOfEdit(e))
		}
		x.yieldHeld(x.leases[k], yield)
	case !t.Wide:
		for _, e := range slices.Backward(x.recent) {
			if e.Time < since {
				break
			}
			if x.contains(t, x.key(e.Path)) {
				yield(factOfEdit(e))
			}
		}
		for k, leases := range x.leases {
			if x.contains(t, k) {
				x.yieldHeld(leases, yield)
			}
		}
	}
}

func (x world) yieldHeld(leases []*coord.Lease, yield func(impact.Fact)) {
	for _, l := range leases {
		if x.held(l) {
			yield(factOfLease(l))
		}
	}
}

func factOfEdit(e coord.Edit) impact.Fact {
	return impact.Fact{Agent: e.Agent, Workspace: e.Workspace, Path: e.Path, Since: e.Time}
}

func factOfLease(l *coord.Lease) impact.Fact {
	return impact.Fact{Agent: l.Agent, Workspace: l.Workspace, Path: l.Path, Since: l.Touched}
}

// Patterns implements impact.World.
func (x *index) Patterns(t coord.Target, yield func(impact.Fact)) {
	if t.Kind == coord.FileTarget {
		k := x.key(t.Path)
		ancestors(k, func(dir coord.PathKey) {
			for _, p := range x.patterns[dir] {
				if p.target.Wide && x.contains(p.target, k) {
					f := factOf(p.ann)
					f.Path, f.Pattern = t.Path, p.target.String()
					yield(f)
				}
			}
		})
		return
	}
	if t.Wide {
		left := maxFacts
		x.nameTree.under(x.anchor(t), func(k coord.PathKey, p coord.Path) bool {
			if x.contains(t, k) {
				x.named(k, p, yield)
				left--
			}
			return left > 0
		})
	}
	meet := func(dir coord.PathKey) {
		for _, p := range x.patterns[dir] {
			byName := !t.Wide && !p.target.Wide && len(t.Expanded) > 0 && len(p.target.Expanded) > 0
			if !byName && impact.Meet(x.glob(t), x.glob(p.target)) {
				f := factOf(p.ann)
				f.Pattern = p.target.String()
				yield(f)
			}
		}
	}
	at := x.anchor(t)
	ancestors(at, meet)
	x.anchors.under(at, func(k coord.PathKey, _ coord.Path) bool {
		meet(coord.PathKey(strings.TrimSuffix(string(k), "/*")))
		return true
	})
}

// Modules implements impact.World.
func (x *index) Modules(module string, yield func(impact.Fact)) {
	segments := moduleSegments(module)
	found := func(as []*coord.Announcement, narrow string) {
		for _, a := range as {
			f := factOf(a)
			f.Module = narrow
			yield(f)
		}
	}
	full := strings.Join(segments, "/")
	found(x.modules[full], full)
	found(x.below[full], full)
	for i := 1; i < len(segments); i++ {
		found(x.modules[strings.Join(segments[:i], "/")], full)
	}
}

// announcers yields the announcements that cover the file by name or pattern.
func (x *index) announcers(t coord.Target, yield func(coord.AnnouncementID)) {
	x.Announced(t, func(f impact.Fact) { yield(f.Announcement) })
}
