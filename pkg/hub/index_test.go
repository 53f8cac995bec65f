package hub

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
)

var (
	someFiles   = []string{"a.go", "b.go", "src/a.go", "src/b.ts", "src/api/a.go", "src/api/v1/c.go", "docs/a.md"}
	somePattern = []string{"**", "src/", "src/api/", "src/*.go", "src/**/*.go", "**/a.*", "docs/", "."}
	someModules = []string{"auth", "auth/login", "auth.login.form", "authz", "api/users"}
)

func someAnnouncement(t *rapid.T, n int) *coord.Announcement {
	a := &coord.Announcement{ID: coord.Number[coord.AnnouncementID]("A", int64(n)), Agent: coord.AgentID(fmt.Sprint("ag-", n%3)), State: coord.Active}
	for _, s := range rapid.SliceOfN(rapid.SampledFrom(append(someFiles, somePattern...)), 0, 4).Draw(t, "targets") {
		target, err := coord.ParseTarget(s)
		if err != nil {
			t.Fatal(err)
		}
		if target.Kind != coord.FileTarget {
			target.Wide = rapid.Bool().Draw(t, "wide")
			if !target.Wide {
				target.Expanded, _ = paths(rapid.SliceOfN(rapid.SampledFrom(someFiles), 0, 3).Draw(t, "expanded"))
			}
		}
		a.Targets = append(a.Targets, target)
	}
	a.DependsOn, _ = paths(rapid.SliceOfN(rapid.SampledFrom(someFiles), 0, 2).Draw(t, "depends"))
	a.Modules = rapid.SliceOfN(rapid.SampledFrom(someModules), 0, 2).Draw(t, "modules")
	return a
}

func TestIndexFindsWhatALinearScanFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex(false)
		var all []*coord.Announcement
		for n := range rapid.IntRange(1, 8).Draw(t, "n") {
			a := someAnnouncement(t, n+1)
			x.add(a)
			all = append(all, a)
		}
		for len(all) > 1 && rapid.Bool().Draw(t, "drop one") {
			x.drop(all[0])
			all = all[1:]
		}
		file, _ := coord.ParseTarget(rapid.SampledFrom(someFiles).Draw(t, "file"))
		module := rapid.SampledFrom(someModules).Draw(t, "module")
		k := x.key(file.Path)

		compare(t, "announced", func(yield func(impact.Fact)) { x.Announced(file, yield) }, all, func(a *coord.Announcement) bool {
			return !x.namesOf(a)[k].IsZero() || slices.ContainsFunc(a.Targets, func(p coord.Target) bool {
				return p.Kind != coord.FileTarget && !p.Wide && x.contains(p, k)
			})
		})
		compare(t, "dependents", func(yield func(impact.Fact)) { x.Dependents(file, yield) }, all, func(a *coord.Announcement) bool {
			return slices.Contains(a.DependsOn, file.Path)
		})
		compare(t, "patterns", func(yield func(impact.Fact)) { x.Patterns(file, yield) }, all, func(a *coord.Announcement) bool {
			return slices.ContainsFunc(a.Targets, func(p coord.Target) bool { return p.Wide && x.contains(p, k) })
		})
		compare(t, "modules", func(yield func(impact.Fact)) { x.Modules(module, yield) }, all, func(a *coord.Announcement) bool {
			return slices.ContainsFunc(a.Modules, func(m string) bool {
				p, q := strings.ReplaceAll(m, ".", "/")+"/", strings.ReplaceAll(module, ".", "/")+"/"
				return strings.HasPrefix(p, q) || strings.HasPrefix(q, p)
			})
		})
		for _, a := range all {
			x.drop(a)
		}
		if n := len(x.names) + len(x.deps) + len(x.patterns) + len(x.modules) + len(x.below); n != 0 || len(x.nameTree.dirs)+len(x.depTree.dirs)+len(x.anchors.dirs) > 3 {
			t.Fatalf("%d entries are left of nothing: %v", n, x.nameTree.dirs)
		}
	})
}

// compare holds the announcements that a query yields against those a predicate picks.
func compare(t *rapid.T, what string, query func(func(impact.Fact)), all []*coord.Announcement, pick func(*coord.Announcement) bool) {
	got, want := map[coord.AnnouncementID]bool{}, map[coord.AnnouncementID]bool{}
	query(func(f impact.Fact) { got[f.Announcement] = true })
	for _, a := range all {
		if pick(a) {
			want[a.ID] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func TestRollbackRestoresTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newState()
		setup := newTxn(s, 1)
		setup.putAgent(&coord.Agent{ID: "ag-1", Name: "a", Project: "p", Status: coord.Online})
		setup.putAgent(&coord.Agent{ID: "ag-2", Name: "b", Project: "p", Status: coord.Online})
		setup.putEdit(coord.Edit{Project: "p", Agent: "ag-1", Time: 1, Summary: "began"})
		setup.onceIn(time.Hour, "said")
		for n := range 3 {
			a := someAnnouncement(t, n+1)
			a.Project = "p"
			setup.putAnnouncement(a)
		}
		before := summary(s)
		undone := newTxn(s, 2)
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0:
				a := someAnnouncement(t, 9)
				a.Project = "p"
				undone.putAnnouncement(a)
			case 1:
				for _, a := range undone.announcementsOf("ag-1") {
					undone.closeAnnouncement(a)
				}
			case 2:
				p, _ := coord.ParsePath("src/a.go")
				undone.putEdit(coord.Edit{Project: "p", Path: p, Agent: "ag-1", Time: 2})
			case 3:
				undone.emit(news{kind: coord.KindBroadcast, project: "p", payload: struct{}{}, to: []coord.AgentID{"ag-1", "ag-2", "ag-1"}})
			case 5:
				undone.putEdit(coord.Edit{Project: "p", Agent: "ag-1", Time: 2, Summary: "did it"})
			case 6:
				m := &coord.Module{Project: "p", ID: "auth"}
				undone.putModules("p", newDepMap(map[coord.ModuleID]*coord.Module{"auth": m}), true, []*coord.Module{m})
				undone.onceIn(time.Hour, "said")
			case 4:
				if undone.agents["ag-2"].Live() {
					undone.depart("ag-2")
				}
			}
		}
		undone.rollback()
		if diff := cmp.Diff(before, summary(s)); diff != "" {
			t.Fatalf("(-before +after):\n%s", diff)
		}
	})
}

// summary tells everything a state holds, without the order inside sets.
func summary(s *state) map[string]any {
	x := s.project("p").index
	names := map[coord.PathKey]int{}
	for k, as := range x.names {
		names[k] = len(as)
	}
	return map[string]any{"counters": s.counters, "heads": fmt.Sprint(s.heads["ag-1"], s.heads["ag-2"]), "anns": len(s.anns),
		"agents": fmt.Sprint(s.agents["ag-1"].Status, s.agents["ag-2"].Status), "names": names, "edits": len(x.recent) + len(x.edits),
		"said": fmt.Sprint(s.told), "actions": fmt.Sprint(s.actions["ag-1"]), "deps": fmt.Sprint(s.project("p").deps.knows("auth")),
		"trees": len(x.nameTree.dirs) + len(x.depTree.dirs) + len(x.anchors.dirs), "patterns": len(x.patterns), "modules": len(x.modules) + len(x.below)}
}
