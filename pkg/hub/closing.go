package hub

import (
	"fmt"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// closeWork ends the caller's work named by a thread, an announcement, a lease
// or a path it holds. Threads that nobody contests any more are resolved.
func (h *Hub) closeWork(t *txn, me *coord.Agent, c coord.Caller, in tool.CloseThreadIn) (tool.CloseThreadOut, error) {
	if _, ok := coord.Ordinal("T", in.ThreadID); ok {
		return t.closeThread(me, coord.ThreadID(in.ThreadID), in.Summary)
	}
	if _, ok := coord.Ordinal("A", in.ThreadID); ok {
		return t.closeOwn(me, coord.AnnouncementID(in.ThreadID), in.Summary)
	}
	return t.closeLease(me, c, in.ThreadID)
}

// closeThread closes a thread the caller opened, with its announcement, or
// completes the task it claimed.
func (t *txn) closeThread(me *coord.Agent, id coord.ThreadID, summary string) (tool.CloseThreadOut, error) {
	th, err := t.thread(me, id)
	switch {
	case err != nil:
		return tool.CloseThreadOut{}, err
	case th.Claimer == me.ID && th.Status == coord.ThreadClaimed:
		return t.closeClaim(me, th, summary)
	case th.Initiator != me.ID:
		return tool.CloseThreadOut{}, t.notYours(me, th)
	case th.Status == coord.ThreadClaimed:
		return tool.CloseThreadOut{}, coord.Errorf(coord.Conflict, "cancel_thread withdraws it, complete_task is for its claimer", "%s is claimed by %s", th.ID, t.refOf(th.Claimer).Name)
	}
	out := tool.CloseThreadOut{Closed: []string{}}
	t.endThread(me, th, summary, &out)
	if a := t.anns[th.Announcement]; a != nil && a.Agent == me.ID {
		t.closeWith(me, a, summary, &out)
	}
	return closed(out, id), nil
}

// closeOwn closes an announcement of the caller and the threads it opened.
func (t *txn) closeOwn(me *coord.Agent, id coord.AnnouncementID, summary string) (tool.CloseThreadOut, error) {
	a := t.anns[id]
	if a == nil || a.Agent != me.ID {
		return tool.CloseThreadOut{}, coord.Errorf(coord.NotFound, "it may be closed already; coordinator_status shows what waits for you", "you have no live announcement %s", id)
	}
	if th := t.claimOf(a); th != nil {
		return t.closeClaim(me, th, summary)
	}
	out := tool.CloseThreadOut{Closed: []string{}}
	t.closeWith(me, a, summary, &out)
	return closed(out, id), nil
}

// closeWith closes an announcement, the live threads it opened, and whatever
// rests on it.
func (t *txn) closeWith(me *coord.Agent, a *coord.Announcement, summary string, out *tool.CloseThreadOut) {
	t.closeAnnouncement(a)
	out.Closed = append(out.Closed, string(a.ID))
	for _, th := range t.threadsOf(me.ID) {
		if th.Announcement == a.ID && th.Initiator == me.ID {
			t.endThread(me, th, summary, out)
		}
	}
	for _, id := range t.standDown(a) {
		out.Closed = append(out.Closed, string(id))
	}
}

func (t *txn) endThread(me *coord.Agent, th *coord.Thread, summary string, out *tool.CloseThreadOut) {
	if th.Status.Live() {
		t.advance(me.ID, th, end(*th, coord.ThreadResolved, coord.ClosedByHand, summary, t.now), coord.High, summary)
		out.Closed = append(out.Closed, string(th.ID))
	}
}

func (t *txn) closeClaim(me *coord.Agent, th *coord.Thread, summary string) (tool.CloseThreadOut, error) {
	done, err := t.completed(me, th, summary)
	if err != nil {
		return tool.CloseThreadOut{}, err
	}
	return tool.CloseThreadOut{Closed: []string{string(done.ID), string(done.Announcement)}, Next: "The task is completed; its files are free for the others."}, nil
}

// closeLease leaves a lease of the caller, named by its id or its path. What it
// wrote there may be uncommitted, so the lease does not end.
func (t *txn) closeLease(me *coord.Agent, c coord.Caller, name string) (tool.CloseThreadOut, error) {
	l, err := t.ownLease(me, c, name)
	if err != nil {
		return tool.CloseThreadOut{}, err
	}
	out := tool.CloseThreadOut{Closed: []string{}}
	if l.Left == 0 {
		out.Closed = append(out.Closed, string(l.ID))
	}
	t.leave(l)
	for _, id := range t.settle(me.ID) {
		out.Closed = append(out.Closed, string(id))
	}
	out = closed(out, l.Path)
	for _, c := range t.claims(l.Project, l.Path) {
		if c.ann.Agent == me.ID && c.ann.Workspace == l.Workspace && c.concrete && !yielded(t.project(l.Project).index, c.ann, l.Path) {
			out.Next = fmt.Sprintf("%s still announces %s: close_thread %s frees it for the others.", c.ann.ID, l.Path, c.ann.ID)
		}
	}
	return out, nil
}

// ownLease finds a lease of the caller; by path, the one in the working tree of
// the call goes first.
func (t *txn) ownLease(me *coord.Agent, c coord.Caller, name string) (found *coord.Lease, err error) {
	const next = "name a thread (T-n), an announcement (A-n), or a lease (L-n) or path that you hold"
	_, byID := coord.Ordinal("L", name)
	p, err := coord.ParsePath(name)
	if err != nil && !byID {
		return nil, err
	}
	for _, l := range t.leasesOf(me.ID) {
		x := t.project(l.Project).index
		switch {
		case byID && string(l.ID) != name, !byID && (l.Project != me.Project || x.key(l.Path) != x.key(p)):
		case found == nil || l.Workspace == c.Workspace:
			found = l
		}
	}
	if found == nil {
		return nil, coord.Errorf(coord.NotFound, next, "you hold no lease %s", name)
	}
	return found, nil
}

func (t *txn) notYours(me *coord.Agent, th *coord.Thread) error {
	mine := "your own announcement"
	for _, a := range t.announcementsOf(me.ID) {
		mine = string(a.ID)
	}
	return coord.Errorf(coord.Forbidden, "to free your files close "+mine, "only %s, who opened %s, can close it", t.refOf(th.Initiator).Name, th.ID)
}

// closed words what was done.
func closed(out tool.CloseThreadOut, what any) tool.CloseThreadOut {
	out.Next = "Your files are free for the others."
	if len(out.Closed) == 0 {
		out.Next = fmt.Sprintf("%s was closed before.", what)
	}
	return out
}
