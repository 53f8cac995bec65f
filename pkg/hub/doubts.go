package hub

import (
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// What is uncommitted, only git knows, and only hooks ask it: the hub asks them,
// and only where the answer matters. The holder's hook looks at its own leases
// after a git command that may have committed them, and when its turn ends; a
// hook that is about to write looks at the lease that another session left
// there, or, without one, at the file itself where another session was here
// lately. A lease that would refuse it is looked at while its holder is not about
// to write, and then a clean file is not enough: it must have been committed.

// beenHere is how long after its last sign another session counts as having been
// here.
const beenHere = 24 * time.Hour

// maxDoubts bounds the files that one hook is asked about.
const maxDoubts = 200

// asks reports whether the hook is to look at something and to come again.
func (k *hook) asks() bool { return len(k.answer.Look) > 0 || len(k.answer.Check) > 0 }

// doubts lists the files about to be written that may hold uncommitted work of
// another session.
func (k *hook) doubts(spots []spot) []coord.Doubt {
	if k.in.Enforce == coord.EnforceOff {
		return nil
	}
	var out []coord.Doubt
	for _, s := range spots {
		d := coord.Doubt{Workspace: s.workspace, Path: s.path}
		switch l := k.leaseAt(s.editor, s.path); {
		case l == nil && k.othersWereHere(s.editor):
		case l != nil && l.Agent != k.me.ID && !k.held(l):
			d.Lease, d.Touched = l.ID, l.Touched
		case l != nil && k.quiet(l) && k.refuses(s.editor, k.obstacle(s.editor, s.path)):
			d.Lease, d.Touched, d.Since = l.ID, l.Touched, l.Taken
		default:
			continue
		}
		if k.finding(s) == nil && len(out) < maxDoubts {
			out = append(out, d)
		}
	}
	return out
}

// quiet reports whether the holder of a lease is neither about to write the file
// nor runs a command that may be at it.
func (k *hook) quiet(l *coord.Lease) bool {
	return k.atRest(l) && !k.hub.toolRuns.running(l.Agent, l.Workspace)
}

// atRest reports whether a lease was last touched by an edit that is done, not
// by one that has only been let through.
func (t *txn) atRest(l *coord.Lease) bool {
	x := t.project(l.Project).index
	for _, e := range slices.Backward(x.edits[x.key(l.Path)]) {
		if e.Agent == l.Agent && e.Workspace == l.Workspace {
			return e.Time >= l.Touched
		}
	}
	return false
}

// ownDoubts lists the session's leases in some working trees.
func (k *hook) ownDoubts(in ...coord.WorkspaceID) []coord.Doubt {
	if len(k.in.Checked) > 0 {
		return nil
	}
	var out []coord.Doubt
	for _, l := range k.leasesOf(k.me.ID) {
		if slices.Contains(in, l.Workspace) && !l.Pending && len(out) < maxDoubts {
			out = append(out, coord.Doubt{Workspace: l.Workspace, Path: l.Path, Lease: l.ID, Touched: l.Touched})
		}
	}
	return out
}

// committed ends the leases of which the hook has found that their file has no
// uncommitted change, if they are as they were when it was asked. Who waits for
// such a file goes before who has asked just now.
func (k *hook) committed(may func(*coord.Lease, coord.Finding) bool) {
	for _, f := range k.in.Checked {
		l := k.leases[f.Doubt.Lease]
		if f.Known && !f.Dirty && l != nil && l.Workspace == f.Doubt.Workspace && l.Touched == f.Doubt.Touched && may(l, f) {
			k.endLease(l)
			k.settle(l.Agent)
			k.serveLines()
		}
	}
}

// finding is what the hook has found out about a spot, nil when it was not asked.
func (k *hook) finding(s spot) *coord.Finding {
	i := slices.IndexFunc(k.in.Checked, func(f coord.Finding) bool {
		return f.Doubt.Workspace == s.workspace && f.Doubt.Path == s.path
	})
	if i < 0 {
		return nil
	}
	return &k.in.Checked[i]
}

// othersWereHere reports whether another session works in the editor's working
// tree, or did so lately.
func (k *hook) othersWereHere(e editor) bool {
	for _, a := range k.project(e.project).agents {
		if a.ID != k.me.ID && a.Workspace == e.workspace && (a.Live() || k.now < a.LastSeen.Add(beenHere)) {
			return true
		}
	}
	return false
}

// unclaimed informs about uncommitted changes in a file on which there was no
// lease: who made them is known if an edit was reported.
func (k *hook) unclaimed(s spot, v *coord.Verdict) {
	f := k.finding(s)
	if f == nil || !f.Dirty || f.Doubt.Lease != "" {
		return
	}
	n := coord.Note{Gate: coord.GateUncommitted, Since: f.Changed}
	x := k.project(s.project).index
	for _, e := range slices.Backward(x.edits[x.key(s.path)]) {
		if e.Workspace == s.workspace {
			n.Agent = e.Agent
			break
		}
	}
	if n.Agent == k.me.ID || !k.once("unclaimed", k.me.ID, k.sightOf(s.editor, s.path), f.Changed) {
		return
	}
	if n.Agent != "" {
		n.State = k.stateOf(n.Agent)
	}
	inform(v, n)
}

// overwrites refuses, once for each change, a command that would write over what
// another session has not committed and this one has not seen.
func (k *hook) overwrites(spots []spot) {
	if k.in.Tool != coord.ShellTool || slices.ContainsFunc(spots, func(s spot) bool { return s.lenient || k.refuses(s.editor, k.obstacle(s.editor, s.path)) }) {
		return
	}
	for _, s := range spots {
		l := k.leaseAt(s.editor, s.path)
		if l == nil || l.Agent == k.me.ID || l.Touched <= k.saw(s.editor, s.path) || !k.once("changed", k.me.ID, l.ID, l.Touched) {
			continue
		}
		v := coord.Verdict{Path: s.path, Decision: coord.DecisionRefuse, Notes: []coord.Note{
			{Gate: coord.GateChanged, Agent: l.Agent, Workspace: s.workspace, State: k.stateOf(l.Agent), Since: l.Touched}}}
		k.answer.Refused, k.answer.Reason = true, k.refusal(v)
		return
	}
}

// stateOf says what an agent is at: in a turn, between turns, or not here.
func (t *txn) stateOf(id coord.AgentID) coord.Activity {
	switch a := t.agents[id]; {
	case t.inTurn(a, t.now):
		return coord.Busy
	case a != nil && a.Live():
		return coord.Idle
	}
	return coord.Gone
}
