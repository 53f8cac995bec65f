package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// consult gives two agents with T-1 open between them: b opened it on a.
func consult(t *testing.T) (r *rig, a, b *agent) {
	t.Helper()
	r = newRig(t)
	a, b = r.named("a"), r.named("b")
	a.announce("x")
	b.announce("x")
	return r, a, b
}

func state(a *agent) [2]any {
	th := a.call("get_thread", object{"thread_id": "T-1"})
	return [2]any{th["status"], th["type"]}
}

func TestProposalsAreNumberedAndReplaced(t *testing.T) {
	r, a, b := consult(t)
	c := r.named("c")
	a.refused(coord.Conflict, "approve_resolution", object{"thread_id": "T-1"})
	a.call("propose_resolution", object{"thread_id": "T-1", "summary": "one"})
	b.call("propose_resolution", object{"thread_id": "T-1", "summary": "two"})
	err := b.refused(coord.Conflict, "approve_resolution", object{"thread_id": "T-1", "proposal": 1})
	if !strings.Contains(err.Error(), "proposal 2 is on the table") {
		t.Errorf("unclear: %v", err)
	}
	c.refused(coord.Forbidden, "approve_resolution", object{"thread_id": "T-1"})
	c.refused(coord.Forbidden, "propose_resolution", object{"thread_id": "T-1", "summary": "three"})
	b.call("approve_resolution", object{"thread_id": "T-1", "proposal": 2}) // its own: approved already
	want(t, "still open", state(b), [2]any{"resolving", nil})
	a.call("approve_resolution", object{"thread_id": "T-1", "proposal": 2})
	want(t, "end", state(b), [2]any{"resolved", "consensus"})
	a.refused(coord.Conflict, "contest_resolution", object{"thread_id": "T-1", "reason": "late"})
}

func TestTheOrderOfAProposalNamesParticipants(t *testing.T) {
	_, a, b := consult(t)
	a.refused(coord.Invalid, "propose_resolution", object{"thread_id": "T-1", "summary": "s", "order": []any{a.AgentID, "ag-x"}})
	a.refused(coord.Invalid, "propose_resolution", object{"thread_id": "T-1", "summary": "s", "order": []any{a.AgentID, a.AgentID}})
	th := a.call("propose_resolution", object{"thread_id": "T-1", "summary": "s", "order": []any{b.AgentID, a.AgentID}})
	want(t, "order", th["proposal"].(object)["order"], []object{{"id": b.AgentID, "name": "b"}, {"id": a.AgentID, "name": "a"}})
}

func TestTheFourthContestEndsTheThread(t *testing.T) {
	r, a, b := consult(t)
	for round := 1; round <= 4; round++ {
		b.call("propose_resolution", object{"thread_id": "T-1", "summary": "s"})
		th := a.call("contest_resolution", object{"thread_id": "T-1", "reason": "no"})
		if round < 4 {
			want(t, "round", []any{th["status"], th["round"]}, []any{"open", round + 1})
		}
		r.pass(time.Minute)
	}
	want(t, "end", state(a), [2]any{"unresolved", nil})
}

func TestARoundEndsAfterTenMinutes(t *testing.T) {
	r, a, b := consult(t)
	r.pass(599 * time.Second)
	want(t, "before", state(a), [2]any{"open", nil})
	b.call("propose_resolution", object{"thread_id": "T-1", "summary": "s"})
	a.call("contest_resolution", object{"thread_id": "T-1", "reason": "no"}) // a new round, a new deadline
	r.pass(599 * time.Second)
	want(t, "second round", state(a), [2]any{"open", nil})
	r.pass(time.Second)
	want(t, "after", state(a), [2]any{"expired", nil})
	want(t, "b heard", r.pubs.news(b.AgentID)[len(r.pubs.news(b.AgentID))-1], coord.KindThreadStatus)
}

func TestThreadsGoOnWithoutAnAgentThatLeft(t *testing.T) {
	t.Run("the only respondent", func(t *testing.T) {
		_, a, b := consult(t)
		if err := a.r.Leave(a.ctx); err != nil {
			t.Fatal(err)
		}
		want(t, "end", state(b), [2]any{"resolved", "uncontested"})
	})
	t.Run("the initiator", func(t *testing.T) {
		_, a, b := consult(t)
		if err := b.r.Leave(b.ctx); err != nil {
			t.Fatal(err)
		}
		want(t, "end", state(a), [2]any{"abandoned", nil})
	})
	t.Run("one of two respondents, the other has approved", func(t *testing.T) {
		r := newRig(t)
		a, b, c := r.named("a"), r.named("b"), r.named("c")
		b.announce("x")
		c.announce("y")
		a.announce("x", "y")
		a.call("propose_resolution", object{"thread_id": "T-1", "summary": "s"})
		b.call("approve_resolution", object{"thread_id": "T-1"})
		want(t, "c is awaited", state(a), [2]any{"resolving", nil})
		if err := r.Leave(c.ctx); err != nil {
			t.Fatal(err)
		}
		want(t, "end", state(a), [2]any{"resolved", "consensus"})
	})
}

func TestClosingFreesAndSettles(t *testing.T) {
	t.Run("the respondent closes its announcement", func(t *testing.T) {
		r, a, b := consult(t)
		got := a.call("close_thread", object{"thread_id": "A-1"})
		want(t, "closed", got["closed"], []string{"A-1", "T-1"})
		want(t, "end", state(b), [2]any{"resolved", "uncontested"})
		want(t, "free", verdict(r.named("c").announce("z")), [4]any{"clear", "pass", 0, nil})
	})
	t.Run("the respondent still has another one there", func(t *testing.T) {
		r := newRig(t)
		a, b := r.named("a"), r.named("b")
		a.announce("x")
		a.announce("x")
		b.announce("x")
		a.call("close_thread", object{"thread_id": "A-1"})
		want(t, "goes on", state(b), [2]any{"open", nil})
	})
	t.Run("the initiator closes its thread", func(t *testing.T) {
		_, a, b := consult(t)
		a.refused(coord.Forbidden, "close_thread", object{"thread_id": "T-1"})
		want(t, "closed", b.call("close_thread", object{"thread_id": "T-1", "summary": "done"})["closed"], []string{"T-1", "A-2"})
		want(t, "end", state(a), [2]any{"resolved", "closed"})
		want(t, "again", b.call("close_thread", object{"thread_id": "T-1"})["closed"], []string{})
	})
}

func TestCancelWithdrawsTheAnnouncement(t *testing.T) {
	r, a, b := consult(t)
	a.refused(coord.Forbidden, "cancel_thread", object{"thread_id": "T-1", "reason": "r"})
	b.call("cancel_thread", object{"thread_id": "T-1", "reason": "not needed"})
	want(t, "end", state(a), [2]any{"cancelled", nil})
	a.refused(coord.Conflict, "post_to_thread", object{"thread_id": "T-1", "content": "but"})
	a.call("close_thread", object{"thread_id": "A-1"})
	want(t, "x is free", verdict(r.named("c").announce("x")), [4]any{"clear", "pass", 0, nil})
}

func TestALateCommentGoesToTheOwner(t *testing.T) {
	r, a, b := consult(t)
	a.call("close_thread", object{"thread_id": "A-1"})
	before := len(r.pubs.news(b.AgentID))
	m := a.call("post_to_thread", object{"thread_id": "T-1", "content": "by the way"})
	want(t, "late", m["late"], true)
	want(t, "b hears", len(r.pubs.news(b.AgentID)), before+1)
}

func TestLongThreadsAreRead(t *testing.T) {
	_, a, b := consult(t)
	long := strings.Repeat("x", 3000)
	for range 6 {
		a.call("post_to_thread", object{"thread_id": "T-1", "content": long})
	}
	seen, since := 0, 0.0
	for range 10 {
		th := b.call("get_thread", object{"thread_id": "T-1", "since_seq": since})
		seen += len(th["messages"].([]any))
		next, more := th["next_seq"].(float64)
		if !more {
			break
		}
		since = next
	}
	want(t, "messages over all pages", seen, 6)
}
