// Package impact is the judgement: given one agent's intended work and a way to
// ask what the others are doing, it says whom the work touches and how hard.
//
// It is pure. The layers are a table ([Layers]); each layer asks the [World] one
// question per file, dependency or module and yields typed evidence. The
// highest layer decides an agent's score; all reasons are kept. Nothing here
// formats prose.
package impact

import (
	"cmp"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/coordhq/coord/pkg/coord"
)

// Window is how long an edit counts as "just now" on layers 1 and 2.
const Window = 60 * time.Second

// DefaultIgnore are the globs that never score across workspaces: files that
// tools rewrite and merge by regeneration.
var DefaultIgnore = []string{
	"**/package-lock.json", "**/npm-shrinkwrap.json", "**/yarn.lock", "**/pnpm-lock.yaml", "**/bun.lock", "**/bun.lockb",
	"**/go.sum", "**/Cargo.lock", "**/poetry.lock", "**/uv.lock", "**/Pipfile.lock", "**/Gemfile.lock", "**/composer.lock",
}

// Work is what one agent intends, normalised.
type Work struct {
	Agent     coord.AgentID
	Workspace coord.WorkspaceID
	Targets   []coord.Target
	DependsOn []coord.Path
	Modules   []string
}

// Fact is one thing that a peer does or has announced.
type Fact struct {
	Agent        coord.AgentID
	Workspace    coord.WorkspaceID
	Announcement coord.AnnouncementID // empty: the evidence is an edit or lease
	Path         coord.Path
	Module       string
	Pattern      string
	Since        coord.Millis
}

// World answers what the others are doing right now. Every method yields facts
// of live things of the same project, those of the asking agent included (the
// judge drops them), in any order.
type World interface {
	// Announced yields announcements that name a file of the target: the file
	// itself, a directory or glob it lies in, or a file inside the target.
	// Wide patterns are left out.
	Announced(t coord.Target, yield func(Fact))
	// Dependents yields announcements that depend on a file of the target.
	Dependents(t coord.Target, yield func(Fact))
	// Activity yields edits since the given moment and current leases of files
	// of the target.
	Activity(t coord.Target, since coord.Millis, yield func(Fact))
	// Patterns yields announcements that meet the target only as patterns: by a
	// wide pattern on either side, or two patterns that could name one file.
	Patterns(t coord.Target, yield func(Fact))
	// Modules yields announcements that declared an overlapping module.
	Modules(module string, yield func(Fact))
}

// Layer is one row of the table.
type Layer struct {
	Name  coord.Layer
	Score int
	find  func(w Work, now coord.Millis, world World, yield func(Fact))
}

// Layers is the scoring table of DESIGN 5, strongest first.
var Layers = []Layer{
	{coord.LayerSameFile, 100, func(w Work, _ coord.Millis, world World, yield func(Fact)) {
		for _, t := range w.Targets {
			world.Announced(t, yield)
		}
	}},
	{coord.LayerInFlight, 100, func(w Work, now coord.Millis, world World, yield func(Fact)) {
		for _, t := range w.Targets {
			world.Activity(t, now.Add(-Window), yield)
		}
	}},
	{coord.LayerIDepend, 80, func(w Work, _ coord.Millis, world World, yield func(Fact)) {
		for _, d := range w.DependsOn {
			world.Announced(file(d), yield)
		}
	}},
	{coord.LayerTheyDepend, 80, func(w Work, _ coord.Millis, world World, yield func(Fact)) {
		for _, t := range w.Targets {
			world.Dependents(t, yield)
		}
	}},
	{coord.LayerDependFlight, 80, func(w Work, now coord.Millis, world World, yield func(Fact)) {
		for _, d := range w.DependsOn {
			world.Activity(file(d), now.Add(-Window), func(f Fact) {
				if f.Since >= now.Add(-Window) {
					yield(f)
				}
			})
		}
	}},
	{coord.LayerModule, 30, func(w Work, _ coord.Millis, world World, yield func(Fact)) {
		for _, m := range w.Modules {
			world.Modules(m, yield)
		}
		for _, t := range w.Targets {
			world.Patterns(t, yield)
		}
	}},
}

func file(p coord.Path) coord.Target { return coord.Target{Kind: coord.FileTarget, Path: p} }

// Judge scores the work against the world: one Impact per touched peer, the
// highest score first, then by layer and agent id. ignore are globs that never score
// across workspaces.
func Judge(w Work, now coord.Millis, world World, ignore []string) []coord.Impact {
	peers := map[coord.AgentID]*coord.Impact{}
	for _, layer := range Layers {
		layer.find(w, now, world, func(f Fact) {
			if f.Agent == w.Agent || (f.Workspace != w.Workspace && ignored(f.Path, ignore)) {
				return
			}
			p := peers[f.Agent]
			if p == nil {
				p = &coord.Impact{Agent: f.Agent}
				peers[f.Agent] = p
			}
			if layer.Score > p.Score {
				p.Score, p.Layer = layer.Score, layer.Name
			}
			r := coord.Reason{Layer: layer.Name, Path: f.Path, Module: f.Module, Pattern: f.Pattern, Announcement: f.Announcement, Since: f.Since}
			if !slices.Contains(p.Reasons, r) {
				p.Reasons = append(p.Reasons, r)
			}
		})
	}
	out := make([]coord.Impact, 0, len(peers))
	for _, p := range peers {
		sortReasons(p.Reasons)
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b coord.Impact) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(rank(a.Layer), rank(b.Layer)), cmp.Compare(a.Agent, b.Agent))
	})
	return out
}

// rank gives a layer's place in the table.
func rank(l coord.Layer) int {
	return slices.IndexFunc(Layers, func(row Layer) bool { return row.Name == l })
}

// sortReasons orders by the table, then by path, so that answers are stable.
func sortReasons(rs []coord.Reason) {
	slices.SortStableFunc(rs, func(a, b coord.Reason) int {
		return cmp.Or(cmp.Compare(rank(a.Layer), rank(b.Layer)), cmp.Compare(a.Path.String(), b.Path.String()),
			cmp.Compare(a.Module, b.Module), cmp.Compare(a.Announcement, b.Announcement))
	})
}

func ignored(p coord.Path, globs []string) bool {
	for _, g := range globs {
		if !p.IsZero() && doublestar.MatchUnvalidated(g, p.String()) {
			return true
		}
	}
	return false
}
