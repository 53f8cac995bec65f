package hub

import (
	"fmt"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// leaseAt gives the lease of a path in the editor's workspace, nil when it has
// none.
func (s *state) leaseAt(e editor, p coord.Path) *coord.Lease {
	x := s.project(e.project).index
	for _, l := range x.leases[x.key(p)] {
		if l.Workspace == e.workspace {
			return l
		}
	}
	return nil
}

// held reports whether a lease refuses others: its holder is in a turn and
// touched the path less than ten minutes ago.
func (s *state) held(l *coord.Lease, now coord.Millis) bool {
	return l.Left == 0 && l.Ended == 0 && now < l.Touched.Add(untouched) && s.inTurn(s.agents[l.Agent], now)
}

func (t *txn) held(l *coord.Lease) bool { return t.state.held(l, t.now) }

// touch renews a lease of the editor's own. What is pending renews it until it
// is known not to have happened.
func (t *txn) touch(e editor, l *coord.Lease, pending bool) coord.LeaseID {
	next := *l
	next.Touched, next.Left, next.Subagent = t.now, 0, e.subagent
	next.Pending = pending && l.Pending
	switch {
	case !pending:
		next.Before = nil
	case !l.Pending && l.Before == nil:
		next.Before = &coord.Touch{Subagent: l.Subagent, Time: l.Touched, Left: l.Left}
	}
	t.putLease(&next)
	return next.ID
}

// take gives the editor a new lease; a left one of somebody else is passed on,
// and its former holder told.
func (t *txn) take(e editor, p coord.Path, pending bool) coord.LeaseID {
	var makers []coord.AgentID
	if l := t.leaseAt(e, p); l != nil {
		to := touched(e, p, "")
		to.Held = t.held(l)
		makers = makersOf(l, e.agent.ID)
		t.endLease(l)
		t.emit(news{kind: coord.KindLeasePassed, project: e.project, actor: e.agent.ID, priority: coord.Medium, to: []coord.AgentID{l.Agent}, payload: to})
	}
	t.counters.Lease++
	l := &coord.Lease{ID: coord.Number[coord.LeaseID]("L", t.counters.Lease), Project: e.project, Workspace: e.workspace, Path: p,
		Agent: e.agent.ID, Subagent: e.subagent, Makers: makers, Taken: t.now, Touched: t.now, Pending: pending}
	t.putLease(l)
	t.emit(news{kind: coord.KindFileLeased, project: e.project, actor: e.agent.ID, priority: coord.Low, payload: touched(e, p, "")})
	return l.ID
}

// makersOf lists the agents but one whose uncommitted work may lie under a lease.
func makersOf(l *coord.Lease, but coord.AgentID) []coord.AgentID {
	out := slices.DeleteFunc(slices.Clone(l.Makers), func(id coord.AgentID) bool { return id == but || id == l.Agent })
	if !l.Pending && l.Agent != but {
		out = append(out, l.Agent)
	}
	return out
}

func (t *txn) endLease(l *coord.Lease) {
	next := *l
	next.Ended, next.Pending, next.Before = t.now, false, nil
	if next.Left == 0 {
		next.Left = t.now
	}
	t.putLease(&next)
	t.emit(news{kind: coord.KindFileReleased, project: l.Project, actor: l.Agent, priority: coord.Low,
		payload: coord.FileTouched{Path: l.Path, Workspace: l.Workspace, Agent: l.Agent}})
}

// lapse takes back what the same thread of work was let through to write
// elsewhere and never reported done: that edit was denied or failed.
func (t *txn) lapse(e editor, keep ...spot) {
	for _, l := range t.leasesOf(e.agent.ID) {
		here := func(s spot) bool { return s.workspace == l.Workspace && s.project == l.Project && s.path == l.Path }
		if l.Subagent == e.subagent && !slices.ContainsFunc(keep, here) {
			t.undone(l)
		}
	}
}

// undone takes back the edit for which a lease was last touched, if that has not
// been reported done: a first one never gave a lease, a later one renewed nothing.
func (t *txn) undone(l *coord.Lease) {
	switch {
	case l.Pending:
		t.endLease(l)
	case l.Before != nil:
		next := *l
		next.Subagent, next.Touched, next.Left, next.Before = l.Before.Subagent, l.Before.Time, l.Before.Left, nil
		t.putLease(&next)
		t.loosen(l.Project)
	}
}

// edited notes a finished edit: the lease is real now, and the announcements it
// lies in keep their right of way.
func (t *txn) edited(e editor, p coord.Path, summary string) {
	if l := t.leaseAt(e, p); l != nil && l.Agent == e.agent.ID {
		t.touch(e, l, false)
	} else if l == nil || !t.held(l) {
		t.take(e, p, false)
	} else if !slices.Contains(l.Makers, e.agent.ID) { // in lenient mode the holder keeps it
		next := *l
		next.Makers = append(slices.Clone(l.Makers), e.agent.ID)
		t.putLease(&next)
	}
	t.sees(e, p)
	t.putEdit(coord.Edit{Project: e.project, Workspace: e.workspace, Path: p, Agent: e.agent.ID, Time: t.now, Summary: summary})
	for _, c := range t.claims(e.project, p) {
		if c.ann.Agent == e.agent.ID {
			next := *c.ann
			next.LastEdit = t.now
			t.putAnnouncement(&next)
		}
	}
	t.leaveLine(e, p)
	t.emit(news{kind: coord.KindFileEdited, project: e.project, actor: e.agent.ID, priority: coord.Low, payload: touched(e, p, "")})
}

// once reports whether something is said for the first time. What was said is
// remembered for as long as the hub runs: a restart may repeat a hint.
func (t *txn) once(what ...any) bool { return t.onceIn(keepEnded, what...) }

// onceIn reports whether something has not been said for so long.
func (t *txn) onceIn(d time.Duration, what ...any) bool {
	key := fmt.Sprint(what...)
	before, said := t.told[key]
	if said && t.now < before.Add(d) {
		return false
	}
	t.told[key] = t.now
	t.undo = append(t.undo, func() {
		if said {
			t.told[key] = before
		} else {
			delete(t.told, key)
		}
	})
	return true
}

// releaseUncovered leaves the leases inside a closed announcement that no other
// live announcement of its owner covers.
func (t *txn) releaseUncovered(me *coord.Agent, closed *coord.Announcement) {
	x := t.project(closed.Project).index
	for _, l := range t.leasesOf(me.ID) {
		if l.Project != closed.Project {
			continue
		}
		_, inside := x.covers(closed, l.Path)
		covered := false
		for _, c := range t.claims(l.Project, l.Path) {
			covered = covered || c.ann.Agent == me.ID
		}
		if inside && !covered {
			t.leave(l)
		}
	}
}
