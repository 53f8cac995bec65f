package hub

import (
	"maps"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Times of the edit gate.
const (
	untouched  = 10 * time.Minute  // a lease not touched for this long is left when somebody asks
	leaseLife  = 24 * time.Hour    // a lease ends after this, whatever happens
	rightLife  = 15 * time.Minute  // right of way after the announcement or its owner's last edit inside it
	reserveFor = 60 * time.Second  // how long a freed path is kept for the first in line
	waitLife   = 30 * time.Minute  // an entry of the waiting line ends after this
	idleRound  = 120 * time.Second // how long an agreed order waits for one that is idle
)

// editor is who wants to write, and where. The project is that of the file: an
// agent may be a guest in another one.
type editor struct {
	agent     *coord.Agent
	subagent  string
	project   coord.ProjectID
	workspace coord.WorkspaceID
	lenient   bool // refuse nothing: what would be refused is told
	shell     bool // by a command, which looks at nothing before it writes
}

// acquire asks the gate for one path and, unless it refuses, takes the lease:
// CONTRACT 3, its rows in order, contexts adding up. pending says that the edit
// has not happened yet and will be reported.
func (t *txn) acquire(e editor, p coord.Path, pending bool) coord.Verdict {
	v := coord.Verdict{Path: p, Decision: coord.DecisionPass, Notes: []coord.Note{}}
	if l := t.leaseAt(e, p); t.mine(e, p, l) {
		if l.Subagent != e.subagent && l.Subagent != "" {
			inform(&v, coord.Note{Gate: coord.GateSubagent, Agent: l.Agent, Subagent: l.Subagent, Since: l.Touched})
		}
		v.Lease = t.touch(e, l, pending)
		t.letThrough(e, p)
		return v
	}
	if n := t.obstacle(e, p); n != nil {
		if t.refuses(e, n) {
			n.Workspace = e.workspace
			n.Waits = endures(n) && t.waitsFor(n.Agent, e.agent.ID)
			v.Decision, v.Notes = coord.DecisionRefuse, append(v.Notes, *n)
			if n.Gate == coord.GateRightOfWay {
				v.Notes[0].Thread = t.ask(e, p, n)
			}
			v.Place = t.queue(e, p, n)
			return v
		}
		if !e.lenient {
			n.Gate = coord.GateCircle
		} else if t.once("overridden", e.agent.ID, n.Agent, p) {
			t.emit(news{kind: coord.KindOverlapEdit, project: e.project, actor: e.agent.ID, priority: coord.Medium, to: []coord.AgentID{n.Agent},
				payload: touched(e, p, n.Announcement)})
		}
		inform(&v, *n)
	}
	t.contexts(e, p, &v)
	if l := t.leaseAt(e, p); l == nil || !e.lenient || !t.held(l) { // in lenient mode the holder keeps what it holds
		v.Lease = t.take(e, p, pending)
	}
	t.letThrough(e, p)
	return v
}

// letThrough notes that the editor may write: it waits for this path no more,
// and is stuck nowhere.
func (t *txn) letThrough(e editor, p coord.Path) {
	t.leaveLine(e, p)
	for _, w := range slices.SortedFunc(maps.Values(t.waitsOf[e.agent.ID]), inLine) {
		if w.Stuck {
			next := *w
			next.Stuck = false
			t.putWait(&next)
		}
	}
}

// refuses reports whether what is in the way stops the edit. A circle of waits
// is opened for an edit alone: its tool applies to the file as the session knows
// it, while a command may write over what the peer has just made.
func (t *txn) refuses(e editor, n *coord.Note) bool {
	return n != nil && !e.lenient && (e.shell || !endures(n) || !t.waitsFor(n.Agent, e.agent.ID))
}

// inform adds words to a verdict that lets the edit through.
func inform(v *coord.Verdict, n coord.Note) {
	v.Decision = coord.DecisionContext
	v.Notes = append(v.Notes, n)
}

// obstacle finds the first row that refuses, nil when none does. It changes
// nothing.
func (t *txn) obstacle(e editor, p coord.Path) *coord.Note {
	l := t.leaseAt(e, p)
	if t.mine(e, p, l) {
		return nil
	}
	if l != nil && t.held(l) {
		return &coord.Note{Gate: coord.GateHeld, Agent: l.Agent, Subagent: l.Subagent, Lease: l.ID, Since: l.Taken, Until: l.Touched.Add(untouched),
			Subject: t.subjectAt(e.project, l.Agent, p)}
	}
	if w := t.reservation(e, p); w != nil {
		if w.Agent == e.agent.ID {
			return nil // it was told that it may go
		}
		return &coord.Note{Gate: coord.GateReserved, Agent: w.Agent, Since: w.Since, Until: w.Reserved}
	}
	return t.rightOfWay(e, p)
}

// contexts adds the rows that only inform.
func (t *txn) contexts(e editor, p coord.Path, v *coord.Verdict) {
	if l := t.leaseAt(e, p); l != nil && t.once("uncommitted", e.agent.ID, l.ID, l.Touched) {
		inform(v, coord.Note{Gate: coord.GateUncommitted, Agent: l.Agent, State: t.stateOf(l.Agent), Since: l.Touched})
	}
	x := t.project(e.project).index
	for _, l := range x.leases[x.key(p)] {
		if l.Workspace != e.workspace && l.Agent != e.agent.ID && t.held(l) {
			t.elsewhere(e, p, v, coord.Note{Gate: coord.GateElsewhere, Agent: l.Agent, Workspace: l.Workspace, Since: l.Taken})
		}
	}
	claims := t.claims(e.project, p)
	for _, c := range claims {
		if c.ann.Workspace != e.workspace && c.ann.Agent != e.agent.ID {
			t.elsewhere(e, p, v, coord.Note{Gate: coord.GateElsewhere, Agent: c.ann.Agent, Announcement: c.ann.ID, Subject: c.ann.Subject,
				Workspace: c.ann.Workspace, Since: c.ann.Created})
			continue
		}
		if c.ann.Agent != e.agent.ID && !senior(claims, e.agent.ID, c) && !t.agreed(e, c.ann, p) && t.once("announced", e.agent.ID, c.ann.ID, p) {
			inform(v, coord.Note{Gate: coord.GateAnnounced, Agent: c.ann.Agent, Announcement: c.ann.ID, Subject: c.ann.Subject, Since: c.ann.Created})
		}
	}
	for _, a := range x.deps[x.key(p)] {
		if a.Agent != e.agent.ID && t.once("depends", a.ID, p) {
			t.emit(news{kind: coord.KindDependencyEdited, project: e.project, actor: e.agent.ID, thread: a.Thread, priority: coord.Medium,
				to: []coord.AgentID{a.Agent}, payload: touched(e, p, a.ID)})
		}
	}
}

// elsewhere informs about the same path in another workspace: the editor by
// context, the peer by one event, each once.
func (t *txn) elsewhere(e editor, p coord.Path, v *coord.Verdict, n coord.Note) {
	if !t.once("elsewhere", e.agent.ID, n.Agent, p) {
		return
	}
	inform(v, n)
	if t.once("elsewhere", n.Agent, e.agent.ID, p) {
		t.emit(news{kind: coord.KindOverlapMerge, project: e.project, actor: e.agent.ID, priority: coord.Medium, to: []coord.AgentID{n.Agent},
			payload: touched(e, p, n.Announcement)})
	}
}

func touched(e editor, p coord.Path, a coord.AnnouncementID) coord.FileTouched {
	return coord.FileTouched{Path: p, Workspace: e.workspace, Agent: e.agent.ID, Name: e.agent.Name, Announcement: a}
}

// subjectAt gives the subject under which an agent announced the path.
func (t *txn) subjectAt(project coord.ProjectID, id coord.AgentID, p coord.Path) string {
	for _, c := range t.claims(project, p) {
		if c.ann.Agent == id {
			return c.ann.Subject
		}
	}
	return ""
}

// mine reports whether the lease of a path is the editor's to go on with: it
// holds it, or left it and nobody has come for it since.
func (t *txn) mine(e editor, p coord.Path, l *coord.Lease) bool {
	if l == nil || l.Agent != e.agent.ID {
		return false
	}
	w := t.reservation(e, p)
	return l.Left == 0 || w == nil || w.Agent == e.agent.ID
}
