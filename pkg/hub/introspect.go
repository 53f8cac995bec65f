package hub

import (
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// askAgain is how long an agent is not asked by the way by the same peer.
const askAgain = time.Hour

// maxAsked bounds the introspections that one answer lists.
const maxAsked = 5

// askGray tells agents that are touched by the way, each pair once an hour.
func (t *txn) askGray(me *coord.Agent, th *coord.Thread, payload coord.ThreadOpened) {
	var to []coord.AgentID
	for _, id := range th.Gray {
		if t.onceIn(askAgain, "introspection", me.ID, id) {
			to = append(to, id)
		}
	}
	if len(to) > 0 {
		t.emit(news{kind: coord.KindIntrospection, project: me.Project, actor: me.ID, thread: th.ID, priority: coord.Low, payload: payload, to: to})
	}
}

// answer takes the answer to an introspection. When the work concerns the
// caller, and its announcement lives, the thread opens with the caller as
// respondent; else the answer is kept as a comment.
func (t *txn) answer(me *coord.Agent, in tool.AnswerIntrospectionIn) (tool.AnswerIntrospectionOut, error) {
	th, err := t.thread(me, in.ThreadID)
	switch {
	case err != nil:
		return tool.AnswerIntrospectionOut{}, err
	case th.Status == coord.ThreadCancelled:
		return tool.AnswerIntrospectionOut{}, ended(th)
	case th.Has(me.ID):
		return tool.AnswerIntrospectionOut{ThreadView: t.view(th)}, nil // answered before
	case !slices.Contains(th.Gray, me.ID):
		return tool.AnswerIntrospectionOut{}, coord.Errorf(coord.Forbidden, "post_to_thread lets you comment", "nobody asked you in %s", th.ID)
	}
	open := t.canJoin(th)
	if !in.Concerned {
		th = t.decline(me, th, open)
	} else if open {
		th = t.advance(me.ID, th, concern(*th, me.ID, t.groundsOf(me, th), t.now), coord.High, in.Reason)
	}
	if in.Concerned || in.Reason != "" {
		if _, err := t.say(me, th, coord.ContextMessage, words(in), ""); err != nil {
			return tool.AnswerIntrospectionOut{}, err
		}
	}
	return tool.AnswerIntrospectionOut{ThreadView: t.view(th), Late: in.Concerned && !open}, nil
}

// canJoin reports whether one that was asked by the way can still become a
// respondent.
func (s *state) canJoin(th *coord.Thread) bool {
	return s.anns[th.Announcement] != nil && (th.Status.Live() || th.Resolution == coord.AutoResolved)
}

// decline notes that the work does not concern the caller, who is not asked any
// more.
func (t *txn) decline(me *coord.Agent, th *coord.Thread, open bool) *coord.Thread {
	if !open {
		return th
	}
	next := *th
	next.Gray = others(slices.Clone(th.Gray), me.ID)
	t.putThread(&next)
	return &next
}

func words(in tool.AnswerIntrospectionIn) string {
	if in.Reason == "" {
		return "This concerns me."
	}
	return in.Reason
}

// groundsOf lists the caller's announcements that the thread's work touches.
func (t *txn) groundsOf(me *coord.Agent, th *coord.Thread) []coord.AnnouncementID {
	var out []coord.AnnouncementID
	for _, i := range t.impacts(t.anns[th.Announcement], nil) {
		for _, r := range i.Reasons {
			if i.Agent == me.ID && r.Announcement != "" && !slices.Contains(out, r.Announcement) && !slices.Contains(th.Against, r.Announcement) {
				out = append(out, r.Announcement)
			}
		}
	}
	return out
}

// asked lists what an agent has been asked by the way and can still answer, the
// newest first.
func (s *state) asked(me *coord.Agent) []tool.AskedView {
	out := []tool.AskedView{}
	for _, th := range slices.Backward(s.threadsByNumber(me.Project)) {
		if len(out) == maxAsked {
			break
		}
		if slices.Contains(th.Gray, me.ID) && !th.Has(me.ID) && s.canJoin(th) {
			out = append(out, tool.AskedView{ThreadID: th.ID, Subject: shorten(th.Subject, maxSubjectBytes), Initiator: s.refOf(th.Initiator), Score: th.Score, Layer: th.Layer})
		}
	}
	return out
}

// introspection gives the operations that are tools, and what the caller has
// been asked.
func (h *Hub) introspection(me *coord.Agent, _ coord.Caller, in tool.IntrospectionIn) (tool.IntrospectionOut, error) {
	skip, err := offset(in.Cursor)
	if err != nil {
		return tool.IntrospectionOut{}, err
	}
	ops := tool.Offered(false)
	if in.Tool != "" {
		ops = slices.DeleteFunc(ops, func(op *tool.Op) bool { return op.Name != in.Tool })
		if len(ops) == 0 {
			return tool.IntrospectionOut{}, coord.Errorf(coord.NotFound, "leave tool out to list them all", "there is no tool %q", in.Tool)
		}
	}
	out := tool.IntrospectionOut{Asked: []tool.AskedView{}}
	p := newPage[tool.ToolSchema](in.Limit)
	if me != nil && skip == 0 {
		out.Asked = h.state.asked(me)
		p.room -= len(mustJSON(out.Asked))
	}
	out.NextCursor = fill(p, ops, skip, func(op *tool.Op) tool.ToolSchema {
		return tool.ToolSchema{Name: op.Name, Text: op.Text, Schema: op.Schema()}
	})
	out.Tools = p.rows
	return out, nil
}
