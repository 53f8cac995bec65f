package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// txn is one request's view of the state: it reads the state with the changes
// of this batch already in it, puts new values, and can take all of it back.
type txn struct {
	*state
	now          coord.Millis
	changes      Changes
	publications []Publication
	undo         []func()
	loosened     map[coord.ProjectID]bool // projects in which something stopped being in the way
	circles      map[pair]bool            // what waitsFor found
	archived     *coord.Thread            // an ended thread that the request is about and that is no longer in memory
	before       Counters
	after        func() // nil = nothing: run once the request is committed, before the next one
}

func newTxn(s *state, now coord.Millis) *txn {
	return &txn{state: s, now: now, before: s.counters}
}

// rollback takes everything back, newest first.
func (t *txn) rollback() {
	for _, undo := range slices.Backward(t.undo) {
		undo()
	}
	t.undo = nil
	t.counters = t.before
	t.changes, t.publications = Changes{}, nil
}

// finish gives the changes to store.
func (t *txn) finish() *Changes {
	t.changes.Counters = t.counters
	return &t.changes
}

func put[T any](list []*T, old, new *T) []*T {
	if old != nil {
		if i := slices.Index(list, old); i >= 0 { // put twice in one request: the last one counts
			list[i] = new
			return list
		}
	}
	return append(list, new)
}

func (t *txn) putAgent(new *coord.Agent) {
	old := t.agents[new.ID]
	t.setAgent(old, new)
	t.undo = append(t.undo, func() { t.setAgent(new, old) })
	t.changes.Agents = put(t.changes.Agents, old, new)
}

func (t *txn) putAnnouncement(new *coord.Announcement) {
	old := t.anns[new.ID]
	t.setAnnouncement(old, new)
	t.undo = append(t.undo, func() { t.setAnnouncement(new, old) })
	t.changes.Announcements = put(t.changes.Announcements, old, new)
	if !new.Live() {
		t.loosen(new.Project)
	}
}

func (t *txn) putThread(new *coord.Thread) {
	old := t.threads[new.ID]
	t.setThread(old, new)
	t.undo = append(t.undo, func() { t.setThread(new, old) })
	t.changes.Threads = put(t.changes.Threads, old, new)
	if !new.Status.Live() {
		t.loosen(new.Project)
	}
}

func (t *txn) putLease(new *coord.Lease) {
	old := t.leases[new.ID]
	t.setLease(old, new)
	t.undo = append(t.undo, func() { t.setLease(new, old) })
	t.changes.Leases = put(t.changes.Leases, old, new)
	if new.Left != 0 || new.Ended != 0 {
		t.loosen(new.Project)
	}
}

func (t *txn) putWait(new *coord.Wait) {
	old := t.waits[new.ID]
	t.setWait(old, new)
	t.undo = append(t.undo, func() { t.setWait(new, old) })
	t.changes.Waits = put(t.changes.Waits, old, new)
	if new.Ended != 0 {
		t.loosen(new.Project)
	}
}

// loosen notes that somebody in a waiting line of the project may go now.
func (t *txn) loosen(id coord.ProjectID) {
	if t.loosened == nil {
		t.loosened = map[coord.ProjectID]bool{}
	}
	t.loosened[id] = true
}

func (t *txn) putEdit(e coord.Edit) {
	t.addEdit(e)
	t.undo = append(t.undo, func() { t.popEdit(e) })
	t.changes.Edits = append(t.changes.Edits, e)
	if e.Summary != "" {
		before := t.actions[e.Agent]
		t.actions[e.Agent] = e.Summary
		t.undo = append(t.undo, func() { t.actions[e.Agent] = before })
	}
}

// putModules puts a project's new dependency map. put are the modules that were
// added or changed; with drop all others are gone.
func (t *txn) putModules(id coord.ProjectID, new *depMap, drop bool, put []*coord.Module) {
	p := t.ensure(id)
	old := p.deps
	p.deps = new
	t.undo = append(t.undo, func() { p.deps = old })
	if drop {
		t.changes.DropModules = append(t.changes.DropModules, id)
	}
	t.changes.Modules = append(t.changes.Modules, put...)
}

func (t *txn) putCredential(c Credential) {
	t.creds[c.Hash] = c.Agent
	t.undo = append(t.undo, func() { delete(t.creds, c.Hash) })
	t.changes.Credentials = append(t.changes.Credentials, c)
}

func (t *txn) foldCase(id coord.ProjectID) {
	t.setFold(id, true)
	t.undo = append(t.undo, func() { t.setFold(id, false) })
	t.changes.FoldCase = append(t.changes.FoldCase, id)
}

// news is an event before it has a seq.
type news struct {
	kind     coord.EventKind
	project  coord.ProjectID
	actor    coord.AgentID
	thread   coord.ThreadID
	priority coord.Priority
	payload  any
	to       []coord.AgentID // whose inbox it goes to; repeated ids count once
}

// emit appends an event to the log and to its recipients' inboxes.
func (t *txn) emit(n news) coord.Seq {
	payload := mustJSON(n.payload)
	t.counters.Seq++
	ev := coord.Event{Seq: coord.Seq(t.counters.Seq), Kind: n.kind, Project: n.project, Actor: n.actor, Thread: n.thread,
		Time: t.now, Priority: n.priority, Payload: payload}
	pub := Publication{Event: ev}
	for i, to := range n.to {
		if slices.Contains(n.to[:i], to) || t.agents[to] == nil {
			continue
		}
		prev := t.heads[to]
		pub.Recipients = append(pub.Recipients, InboxEntry{Agent: to, Seq: ev.Seq, Prev: prev})
		t.heads[to] = ev.Seq
		t.undo = append(t.undo, func() { t.heads[to] = prev })
		t.drop(to, ev)
	}
	t.changes.Events = append(t.changes.Events, ev)
	t.changes.Inbox = append(t.changes.Inbox, pub.Recipients...)
	t.publications = append(t.publications, pub)
	return ev.Seq
}

func (t *txn) nextAnnouncement() coord.AnnouncementID {
	t.counters.Announcement++
	return coord.Number[coord.AnnouncementID]("A", t.counters.Announcement)
}

func (t *txn) nextThread() coord.ThreadID {
	t.counters.Thread++
	return coord.Number[coord.ThreadID]("T", t.counters.Thread)
}

func (t *txn) nextMessage() coord.MessageID {
	t.counters.Message++
	return coord.Number[coord.MessageID]("M", t.counters.Message)
}
