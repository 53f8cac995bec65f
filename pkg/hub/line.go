package hub

import (
	"maps"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// The waiting line of a path in a workspace: who was refused, and whose announce
// was scored on it, in the order they came.

// lineOf lists the entries for a path, in order.
func (t *txn) lineOf(e editor, p coord.Path) []*coord.Wait {
	x := t.project(e.project).index
	var out []*coord.Wait
	for _, w := range x.waits[x.key(p)] {
		if w.Workspace == e.workspace {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, inLine)
	return out
}

// queue puts a refused editor into the line and gives its place, from 1. The
// one in the way is told once per entry, and so is one who takes the path later.
func (t *txn) queue(e editor, p coord.Path, n *coord.Note) int {
	line := t.lineOf(e, p)
	for i, w := range line {
		if w.Agent == e.agent.ID {
			if w.For != n.Agent || w.Blocker != n.Announcement || w.Told != 0 || !w.Stuck {
				next := *w
				next.For, next.Blocker, next.Told, next.Stuck = n.Agent, n.Announcement, 0, true
				t.putWait(&next)
			}
			if w.For != n.Agent && n.Gate == coord.GateHeld {
				t.tellWanted(e, p, n)
			}
			return i + 1
		}
	}
	t.enter(e, p, n, true)
	t.tellWanted(e, p, n)
	return len(line) + 1
}

func (t *txn) tellWanted(e editor, p coord.Path, n *coord.Note) {
	t.emit(news{kind: coord.KindPathWanted, project: e.project, actor: e.agent.ID, thread: n.Thread, priority: coord.Medium, to: []coord.AgentID{n.Agent},
		payload: touched(e, p, n.Announcement)})
}

// enter puts the editor at the end of the line, unless it stands in it. stuck
// says that the gate has refused it.
func (t *txn) enter(e editor, p coord.Path, n *coord.Note, stuck bool) {
	if slices.ContainsFunc(t.lineOf(e, p), func(w *coord.Wait) bool { return w.Agent == e.agent.ID }) {
		return
	}
	t.counters.Wait++
	t.putWait(&coord.Wait{ID: coord.Number[coord.WaitID]("W", t.counters.Wait), Project: e.project, Workspace: e.workspace, Path: p, Agent: e.agent.ID,
		For: n.Agent, Blocker: n.Announcement, Order: coord.Seq(t.counters.Wait), Since: t.now, Stuck: stuck})
}

// leaveLine takes the editor out of the line: it has written.
func (t *txn) leaveLine(e editor, p coord.Path) {
	for _, w := range t.lineOf(e, p) {
		if w.Agent == e.agent.ID {
			t.endWait(w)
		}
	}
}

func (t *txn) endWait(w *coord.Wait) {
	next := *w
	next.Ended = t.now
	t.putWait(&next)
}

// leaveLines takes an agent out of every line.
func (t *txn) leaveLines(id coord.AgentID) {
	for _, w := range slices.SortedFunc(maps.Values(t.waitsOf[id]), inLine) {
		t.endWait(w)
	}
}

func inLine(a, b *coord.Wait) int { return int(a.Order - b.Order) }

// reservation gives the entry a path is kept for now, nil when there is none.
func (t *txn) reservation(e editor, p coord.Path) *coord.Wait {
	for _, w := range t.lineOf(e, p) {
		if w.Reserved > t.now {
			return w
		}
	}
	return nil
}

// serveLines tells the first in each line whose path the gate would now let
// through, and keeps the path for it for a minute. It runs at the end of every
// request that made something stop being in the way.
func (t *txn) serveLines() {
	if len(t.loosened) == 0 {
		return
	}
	type place struct {
		workspace coord.WorkspaceID
		path      coord.Path
	}
	seen := map[place]bool{}
	graph := &waitGraph{t: t}
	for _, w := range t.waitsByNumber() {
		at := place{w.Workspace, w.Path}
		if t.loosened[w.Project] && !seen[at] {
			seen[at] = true
			t.serve(w, graph)
		}
	}
}

// serve keeps one path for the first in its line that may go. One who is idle and
// cannot be woken is only told: nothing is kept for it.
func (t *txn) serve(of *coord.Wait, graph *waitGraph) {
	spot := editor{project: of.Project, workspace: of.Workspace}
	if t.reservation(spot, of.Path) != nil {
		return
	}
	line := t.lineOf(spot, of.Path)
	w := t.nextOf(line, graph)
	if w == nil {
		return
	}
	next := *w
	next.Told = t.now
	if t.comes(w) {
		next.Reserved = t.now.Add(reserveFor)
		graph.keep(w.Agent, line)
	}
	t.putWait(&next)
	t.emit(news{kind: coord.KindPathFree, project: w.Project, actor: w.For, priority: coord.High, to: []coord.AgentID{w.Agent},
		payload: coord.PathFree{Paths: []coord.Path{w.Path}, Workspace: w.Workspace, Until: next.Reserved}})
}

// comes reports whether one in line will hear soon that its path is free: it is
// busy, or may be woken.
func (t *txn) comes(w *coord.Wait) bool {
	a := t.agents[w.Agent]
	return t.inTurn(a, t.now) || t.wakeLimit(a, t.now) == ""
}

// nextOf gives the first of a line whom the gate would let through now, those who
// will hear of it before the others. One that waits elsewhere for another of them lets that one go first: kept from each
// other, neither would get on.
func (t *txn) nextOf(line []*coord.Wait, graph *waitGraph) *coord.Wait {
	var able []*coord.Wait
	for _, w := range line {
		a := t.agents[w.Agent]
		if a != nil && a.Live() && w.Told == 0 && t.refusal(w) == nil {
			able = append(able, w)
		}
	}
	if ready := slices.DeleteFunc(slices.Clone(able), func(w *coord.Wait) bool { return !t.comes(w) }); len(ready) > 0 {
		able = ready
	}
	for _, w := range able {
		if !slices.ContainsFunc(able, func(other *coord.Wait) bool { return other != w && graph.reaches(w.Agent, other.Agent) }) {
			return w
		}
	}
	if len(able) == 0 {
		return nil
	}
	return able[0]
}

// missed moves entries whose reservation has run out to the end of their line,
// ends those that waited too long, and serves the next.
func (t *txn) missed() {
	for _, w := range t.waitsByNumber() {
		switch {
		case t.now >= w.Since.Add(waitLife):
			t.endWait(w)
		case w.Reserved != 0 && t.now >= w.Reserved:
			t.passReservation(w)
		}
	}
}

// passReservation ends a reservation; its entry goes to the end of the line.
func (t *txn) passReservation(w *coord.Wait) {
	t.counters.Wait++
	next := *w
	next.Reserved, next.Order = 0, coord.Seq(t.counters.Wait)
	t.putWait(&next)
	t.loosen(w.Project)
}

// lineUp queues the announcer for the paths of its announcement that somebody is
// in the way of now, so that it is told when they are free. Who waits for the
// announcer is in nobody's way: that would close a circle.
func (t *txn) lineUp(me *coord.Agent, a *coord.Announcement, concerned []coord.Impact) {
	e := editor{agent: me, project: a.Project, workspace: a.Workspace}
	var seen []coord.Path
	for _, i := range concerned {
		seen = append(seen, overlap(i)...)
	}
	slices.SortFunc(seen, byPath)
	for _, p := range slices.Compact(seen) {
		if n := t.obstacle(e, p); t.refuses(e, n) && len(t.lineOf(e, p)) < maxLine {
			t.enter(e, p, n, false)
		}
	}
}

// maxLine bounds the line for one path.
const maxLine = 200

// settled takes the participants of a thread that ended in permission out of the
// lines for its paths, where nothing is in their way any more: the end itself
// tells them.
func (t *txn) settled(th *coord.Thread) {
	if !th.Resolution.Permits() {
		return
	}
	for _, w := range t.waitsByNumber() {
		if w.Project == th.Project && slices.Contains(th.Parties, w.Agent) && slices.Contains(th.Paths, w.Path) && t.refusal(w) == nil {
			t.endWait(w)
		}
	}
}
