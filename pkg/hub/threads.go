package hub

import (
	"fmt"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// thread finds a thread of the agent's project in memory.
func (t *txn) thread(me *coord.Agent, id coord.ThreadID) (*coord.Thread, error) {
	th := t.threads[id]
	if th == nil || th.Project != me.Project {
		return nil, noThread(id)
	}
	return th, nil
}

func noThread(id coord.ThreadID) error {
	return coord.Errorf(coord.NotFound, "coordinator_status shows the threads that concern you", "no thread %s in this project", id)
}

// advance stores a thread's next value and tells its participants when its
// status, round, proposal or approvals changed.
func (t *txn) advance(me coord.AgentID, was *coord.Thread, next coord.Thread, priority coord.Priority, words string) *coord.Thread {
	t.putThread(&next)
	t.settled(&next)
	payload := coord.StatusChanged{Status: next.Status, Type: next.Resolution, Round: next.Round, Awaiting: awaiting(&next), Summary: words}
	if a := t.agents[me]; a != nil {
		payload.Name = a.Name
	}
	if p := next.Proposal(); p != nil && next.Status != coord.ThreadOpen {
		payload.Proposal, payload.Order = p.Number, p.Order
	}
	to := slices.Concat(was.Participants(), next.Participants()) // a dropped respondent hears of its end too, should it return
	to = slices.DeleteFunc(to, func(a coord.AgentID) bool { return a == me })
	t.emit(news{kind: coord.KindThreadStatus, project: next.Project, actor: me, thread: next.ID, priority: priority, payload: payload, to: to})
	return &next
}

func (t *txn) propose(me *coord.Agent, in tool.ProposeResolutionIn) (tool.ThreadView, error) {
	th, err := t.thread(me, in.ThreadID)
	if err != nil {
		return tool.ThreadView{}, err
	}
	next, err := propose(*th, me.ID, in.Summary, in.Order, t.now)
	if err != nil {
		return tool.ThreadView{}, err
	}
	return t.view(t.advance(me.ID, th, next, coord.High, in.Summary)), nil
}

func (t *txn) approve(me *coord.Agent, in tool.ApproveResolutionIn) (tool.ThreadView, error) {
	th, err := t.thread(me, in.ThreadID)
	if err != nil {
		return tool.ThreadView{}, err
	}
	next, err := approve(*th, me.ID, in.Proposal, t.now)
	if err != nil {
		return tool.ThreadView{}, err
	}
	if len(awaiting(&next)) == len(awaiting(th)) && next.Status == th.Status {
		return t.view(th), nil // had approved already
	}
	return t.view(t.advance(me.ID, th, next, coord.High, next.Summary)), nil
}

func (t *txn) contest(me *coord.Agent, in tool.ContestResolutionIn) (tool.ThreadView, error) {
	th, err := t.thread(me, in.ThreadID)
	if err != nil {
		return tool.ThreadView{}, err
	}
	next, err := contest(*th, me.ID, in.Proposal, in.Reason, t.now)
	if err != nil {
		return tool.ThreadView{}, err
	}
	return t.view(t.advance(me.ID, th, next, coord.High, in.Reason)), nil
}

// cancel withdraws the announcement behind a thread of mine.
func (t *txn) cancel(me *coord.Agent, in tool.CancelThreadIn) (tool.ThreadView, error) {
	th, err := t.thread(me, in.ThreadID)
	switch {
	case err != nil:
		return tool.ThreadView{}, err
	case th.Initiator != me.ID:
		return tool.ThreadView{}, coord.Errorf(coord.Forbidden, "contest_resolution or post_to_thread says that you disagree", "only %s, who opened %s, can cancel it", t.refOf(th.Initiator).Name, th.ID)
	case !th.Status.Live():
		return tool.ThreadView{}, ended(th)
	}
	next := t.advance(me.ID, th, end(*th, coord.ThreadCancelled, "", in.Reason, t.now), coord.High, in.Reason)
	if a := t.anns[th.Announcement]; a != nil {
		t.closeAnnouncement(a)
		t.settle(me.ID)
		t.passTurns(me)
	}
	return t.view(next), nil
}

// closeWork ends the caller's work named by a thread or announcement id: both
// are closed, and threads that nobody contests any more are resolved.
func (t *txn) closeWork(me *coord.Agent, in tool.CloseThreadIn) (tool.CloseThreadOut, error) {
	a, th, err := t.closable(me, in.ThreadID)
	if err != nil {
		return tool.CloseThreadOut{}, err
	}
	out := tool.CloseThreadOut{Closed: []string{}, Next: "Your files are free for the others."}
	if th != nil && th.Status.Live() {
		t.advance(me.ID, th, end(*th, coord.ThreadResolved, coord.ClosedByHand, in.Summary, t.now), coord.High, in.Summary)
		out.Closed = append(out.Closed, string(th.ID))
	}
	if a != nil {
		t.closeAnnouncement(a)
		out.Closed = append(out.Closed, string(a.ID))
		for _, id := range t.settle(me.ID) {
			out.Closed = append(out.Closed, string(id))
		}
		t.releaseUncovered(me, a)
		t.passTurns(me)
	}
	if len(out.Closed) == 0 {
		out.Next = fmt.Sprintf("%s was closed before.", in.ThreadID)
	}
	return out, nil
}

// closable finds what an id names: a live announcement of mine, the thread it
// opened, or both.
func (t *txn) closable(me *coord.Agent, id string) (*coord.Announcement, *coord.Thread, error) {
	if _, ok := coord.Ordinal("A", id); ok {
		a := t.anns[coord.AnnouncementID(id)]
		if a == nil || a.Agent != me.ID {
			return nil, nil, coord.Errorf(coord.NotFound, "it may be closed already; coordinator_status shows what waits for you", "you have no live announcement %s", id)
		}
		if th := t.threads[a.Thread]; th != nil && th.Announcement == a.ID {
			return a, th, nil
		}
		return a, nil, nil
	}
	th, err := t.thread(me, coord.ThreadID(id))
	if err != nil {
		return nil, nil, err
	}
	if th.Initiator != me.ID {
		mine := "your own announcement"
		for _, a := range t.announcementsOf(me.ID) {
			mine = string(a.ID)
		}
		return nil, nil, coord.Errorf(coord.Forbidden, "to free your files close "+mine, "only %s, who opened %s, can close it", t.refOf(th.Initiator).Name, th.ID)
	}
	return t.anns[th.Announcement], th, nil
}

// settle takes an agent out of the live threads whose paths it neither announces
// nor holds any more. It gives the threads that ended, uncontested, by that.
func (t *txn) settle(id coord.AgentID) []coord.ThreadID {
	var out []coord.ThreadID
	for _, th := range t.threadsOf(id) {
		if th.KeepOpen || th.Initiator == id || len(th.Paths) == 0 || t.standsIn(id, th) {
			continue
		}
		next := dropAgent(*th, id, t.now)
		t.advance(id, th, next, coord.High, next.Summary)
		if !next.Status.Live() {
			out = append(out, th.ID)
		}
	}
	return out
}

// standsIn reports whether the agent still announces or holds a path that the
// thread is about.
func (t *txn) standsIn(id coord.AgentID, th *coord.Thread) bool {
	x := t.project(th.Project).index
	for _, p := range th.Paths {
		file := coord.Target{Kind: coord.FileTarget, Path: p}
		found := false
		look := func(agent coord.AgentID) { found = found || agent == id }
		x.announcers(file, func(a coord.AnnouncementID) { look(t.anns[a].Agent) })
		for _, l := range x.leases[x.key(p)] {
			if t.held(l) {
				look(l.Agent)
			}
		}
		if found {
			return true
		}
	}
	return false
}

// departThread lets a thread go on without an agent that left.
func (t *txn) departThread(th *coord.Thread, id coord.AgentID) {
	next := dropAgent(*th, id, t.now)
	if next.Status == th.Status && len(next.Respondents) == len(th.Respondents) && next.Claimer == th.Claimer {
		return
	}
	t.advance(id, th, next, coord.High, next.Summary)
}

// expire ends a thread whose time is over.
func (t *txn) expire(id coord.ThreadID) {
	th := t.threads[id]
	if th == nil || !overdue(th, t.now) {
		return
	}
	t.advance("", th, expire(*th, t.now), coord.High, "")
}

// overdue lists the live threads whose deadline has passed.
func (s *state) overdue(now coord.Millis) []coord.ThreadID {
	var out []coord.ThreadID
	for _, p := range s.projects {
		for _, th := range p.live {
			if overdue(th, now) {
				out = append(out, th.ID)
			}
		}
	}
	slices.Sort(out)
	return out
}

// post adds a message. A thread that has ended takes it as a late comment to its
// owner; a cancelled one refuses.
func (t *txn) post(me *coord.Agent, in tool.PostToThreadIn) (tool.MessageView, error) {
	th, err := t.thread(me, in.ThreadID)
	switch {
	case err != nil:
		return tool.MessageView{}, err
	case th.Status == coord.ThreadCancelled:
		return tool.MessageView{}, ended(th)
	}
	m := coord.Message{ID: t.nextMessage(), Project: me.Project, Thread: th.ID, Author: me.ID, Name: me.Name, Type: in.Type,
		Content: in.Content, InReplyTo: in.InReplyTo, Late: !th.Status.Live(), Time: t.now}
	to := th.Participants()
	if m.Late {
		to = []coord.AgentID{th.Initiator}
	}
	to = slices.DeleteFunc(to, func(a coord.AgentID) bool { return a == me.ID })
	m.Seq = t.emit(news{kind: coord.KindMessagePosted, project: me.Project, actor: me.ID, thread: th.ID, priority: coord.Medium, to: to,
		payload: coord.MessagePosted{MessageID: m.ID, Name: m.Name, Type: m.Type, Content: m.Content, InReplyTo: m.InReplyTo, Late: m.Late}})
	t.changes.Messages = append(t.changes.Messages, m)
	return t.messageView(m), nil
}
