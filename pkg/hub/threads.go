package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// thread finds a thread of the agent's project: in memory, or the archived one
// that the request is about.
func (t *txn) thread(me *coord.Agent, id coord.ThreadID) (*coord.Thread, error) {
	if th := t.threads[id]; th != nil && th.Project == me.Project {
		return th, nil
	}
	if th := t.archived; th != nil && th.ID == id && th.Project == me.Project && !th.Status.Live() {
		return th, nil
	}
	return nil, noThread(id)
}

func noThread(id coord.ThreadID) error {
	return coord.Errorf(coord.NotFound, "list_threads shows those there are", "no thread %s in this project", id)
}

// advance stores a thread's next value and tells its participants when its
// status, round, proposal or approvals changed. Who did it knows from the answer;
// of consensus, which is permission, both sides hear by one and the same event.
func (t *txn) advance(me coord.AgentID, was *coord.Thread, next coord.Thread, priority coord.Priority, words string) *coord.Thread {
	t.putThread(&next)
	t.settled(&next)
	to := slices.Concat(was.Participants(), next.Participants()) // a dropped respondent hears of its end too, should it return
	agreed := was.Status.Live() && next.Resolution == coord.Consensus && next.Has(me)
	to = slices.DeleteFunc(to, func(a coord.AgentID) bool { return a == me && !agreed })
	t.emitStatus(me, &next, priority, words, to)
	return &next
}

// emitStatus says how a thread stands.
func (t *txn) emitStatus(me coord.AgentID, th *coord.Thread, priority coord.Priority, words string, to []coord.AgentID) {
	payload := coord.StatusChanged{Status: th.Status, Type: th.Resolution, Round: th.Round, Awaiting: awaiting(th), Summary: shorten(words, maxEventWords)}
	if a := t.agents[me]; a != nil {
		payload.Name = a.Name
	} else if me.IsHuman() {
		payload.Name = string(me)
	}
	if p := th.Proposal(); p != nil && th.Status != coord.ThreadOpen {
		payload.Proposal, payload.Order = p.Number, p.Order
	}
	t.emit(news{kind: coord.KindThreadStatus, project: th.Project, actor: me, thread: th.ID, priority: priority, payload: payload, to: to})
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
		t.standDown(a)
	}
	return t.view(next), nil
}

// standDown follows from an announcement that does not stand for its owner any
// more. It gives the threads that ended, uncontested, by that.
func (t *txn) standDown(a *coord.Announcement) []coord.ThreadID {
	settled := t.settle(a.Agent)
	if owner := t.agents[a.Agent]; owner != nil {
		t.releaseUncovered(owner, a)
		t.passTurns(owner)
	}
	return settled
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
	// One that joined because the work concerns it stands by what it announced,
	// whether or not that names a path of the thread.
	return slices.Contains(th.Gray, id) && slices.ContainsFunc(th.Against, func(a coord.AnnouncementID) bool {
		return t.anns[a] != nil && t.anns[a].Agent == id
	})
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
	m, err := t.say(me, th, in.Type, in.Content, in.InReplyTo)
	v := t.messageView(m)
	cutMessage(&v, maxPage)
	return v, err
}

// Bounds of the texts in an event, in bytes: as a whole it stays under 8 KiB.
const (
	maxPostBytes  = 7500 // of the payload of message.posted, as JSON
	maxEventWords = 2500 // of a summary or reason
)

// cutNote ends the content of an event that could not hold all of a post.
const cutNote = "… cut; get_thread gives all"

// author is who says something, and how hard it is brought to the others.
type author struct {
	id       coord.AgentID
	name     string
	project  coord.ProjectID
	priority coord.Priority
}

func (t *txn) say(me *coord.Agent, th *coord.Thread, how coord.MessageType, content string, to coord.MessageID) (coord.Message, error) {
	return t.sayAs(author{me.ID, me.Name, me.Project, coord.Medium}, th, how, content, to)
}

func (t *txn) sayAs(me author, th *coord.Thread, how coord.MessageType, content string, to coord.MessageID) (coord.Message, error) {
	m := coord.Message{ID: t.nextMessage(), Project: me.project, Thread: th.ID, Author: me.id, Name: me.name, Type: how,
		Content: content, InReplyTo: to, Late: !th.Status.Live(), Time: t.now}
	payload := coord.MessagePosted{MessageID: m.ID, Name: m.Name, Type: m.Type, Content: m.Content, InReplyTo: m.InReplyTo, Late: m.Late}
	if over := len(mustJSON(payload)) - maxPostBytes; over > 0 {
		payload.Cut = true
		payload.Content = prefix(m.Content, jsonSize(m.Content)-over-len(cutNote)-len(`,"cut":true`)) + cutNote
	}
	readers := th.Participants()
	if m.Late {
		readers = []coord.AgentID{th.Initiator}
	}
	readers = slices.DeleteFunc(readers, func(a coord.AgentID) bool { return a == me.id })
	m.Seq = t.emit(news{kind: coord.KindMessagePosted, project: me.project, actor: me.id, thread: th.ID, priority: me.priority, to: readers, payload: payload})
	t.changes.Messages = append(t.changes.Messages, m)
	if next := heard(*th, me.id); th.Status.Live() && len(next.Answered) > len(th.Answered) {
		t.putThread(&next)
	}
	return m, nil
}
