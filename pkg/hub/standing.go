package hub

import (
	"maps"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// standing gives where an agent stands: what a session is told again when it was
// compacted or resumed.
func (t *txn) standing(me *coord.Agent) coord.Standing {
	out := coord.Standing{Name: me.Name, Leases: []coord.StandingPath{}, Left: []coord.StandingPath{}, Waits: []coord.StandingPath{}, Work: []string{}, Threads: []coord.StandingThread{}}
	for _, l := range t.leasesOf(me.ID) {
		line := t.lineOf(editor{agent: me, project: l.Project, workspace: l.Workspace}, l.Path)
		at := coord.StandingPath{Path: l.Path}
		for _, w := range line {
			if w.Agent != me.ID {
				at.With = t.refOf(w.Agent).Name
				break
			}
		}
		if l.Left == 0 {
			out.Leases = append(out.Leases, at)
		} else {
			out.Left = append(out.Left, at)
		}
	}
	for _, w := range slices.SortedFunc(maps.Values(t.waitsOf[me.ID]), inLine) {
		out.Waits = append(out.Waits, coord.StandingPath{Path: w.Path, With: t.refOf(w.For).Name})
	}
	for _, a := range t.announcementsOf(me.ID) {
		out.Work = append(out.Work, a.Subject)
	}
	waiting := t.waitingFor(me)
	for _, th := range t.threadsOf(me.ID) {
		out.Threads = append(out.Threads, coord.StandingThread{ID: th.ID, Subject: th.Subject, Status: th.Status, Waiting: slices.Contains(waiting, th.ID)})
	}
	return out
}
