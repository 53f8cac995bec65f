package hub

import (
	"context"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// How agents go, and how they come back.

// Leave ends the caller's session: its client said goodbye. The agent departs
// with the last one, at once; Claude Code may have started two shims for it.
func (h *Hub) Leave(ctx context.Context) error {
	caller, ok := coord.CallerFrom(ctx)
	if !ok || caller.Agent == "" {
		return coord.Errorf(coord.Unauthorized, "register first", "only a registered session can leave")
	}
	_, err := h.submit(ctx, "leave", ReplyKey{}, func(t *txn) (any, error) {
		if h.presence.end(caller.Agent, caller.Session, t.now) {
			t.depart(caller.Agent)
			t.after = func() { h.presence.forget(caller.Agent) }
		}
		return nil, nil
	})
	return err
}

// depart takes an agent out: its announcements close, its threads end or go on
// without it. Departing twice does nothing.
func (t *txn) depart(id coord.AgentID) {
	a := t.agents[id]
	if a == nil || !a.Live() {
		return
	}
	gone := *a
	gone.Status, gone.LastSeen = coord.Offline, t.now
	if gone.TurnSince > 0 {
		gone.TurnSince, gone.TurnEnded = 0, t.now
	}
	t.putAgent(&gone)
	t.emitAgentStatus(&gone)
	t.returnTasks(id)
	for _, ann := range t.announcementsOf(id) {
		if !ann.KeepOpen {
			t.closeAnnouncement(ann)
		}
	}
	for _, th := range t.threadsOf(id) {
		t.departThread(th, id)
	}
	t.leaveAll(&gone)
	t.leaveLines(id)
	t.passTurns(&gone)
}

// lose takes out an agent that did not say goodbye, and leaves word in its inbox
// of what ended with it, should it come back.
func (t *txn) lose(id coord.AgentID) {
	a := t.agents[id]
	if a == nil || !a.Live() {
		return
	}
	word := coord.AgentLost{Closed: []string{}, Next: "You were out of touch and counted as gone. Announce what you still work on, and read the files again before you edit."}
	for _, ann := range t.announcementsOf(id) {
		if !ann.KeepOpen {
			word.Closed = append(word.Closed, string(ann.ID))
		}
	}
	for _, th := range t.threadsOf(id) {
		word.Closed = append(word.Closed, string(th.ID))
	}
	var left []coord.Path
	for _, l := range t.leasesOf(id) {
		left = append(left, l.Path)
	}
	word.Left = eventPaths(left)
	word.More = len(left) - len(word.Left)
	t.depart(id)
	if len(word.Closed)+len(left) > 0 {
		word.Closed, _ = some(word.Closed, maxModuleBytes)
		t.emit(news{kind: coord.KindAgentLost, project: a.Project, priority: coord.Medium, payload: word, to: []coord.AgentID{id}})
	}
}

// revive brings an agent back that counted as gone, or whose hooks alone were
// heard of while its shim was away.
func (t *txn) revive(a *coord.Agent) *coord.Agent {
	back := *a
	back.Status, back.HookOnly = coord.Online, false
	if a.Live() {
		t.putAgent(&back)
		return &back
	}
	back.LastSeen = t.now
	if t.nameTaken(back.Project, back.Name, back.ID) {
		back.Name = t.freeName(back.Project, back.ID, back.Name)
	}
	t.putAgent(&back)
	t.emitAgentStatus(&back)
	return &back
}

// revive brings an agent back if it counts as gone or as without a shim.
func (h *Hub) revive(ctx context.Context, id coord.AgentID) error {
	h.mu.RLock()
	a := h.state.agents[id]
	gone := a != nil && (!a.Live() || a.HookOnly)
	h.mu.RUnlock()
	if !gone {
		return nil
	}
	_, err := h.submit(ctx, "revive", ReplyKey{}, func(t *txn) (any, error) {
		switch a := t.agents[id]; {
		case united(a):
			return nil, unknownAgent(id)
		case a != nil && (!a.Live() || a.HookOnly):
			t.revive(a)
		}
		return nil, nil
	})
	return err
}

// unknownAgent refuses the key of an agent that is no more: its shim registers again.
func unknownAgent(id coord.AgentID) error {
	return coord.Errorf(coord.Unauthorized, "register again", "the hub does not know agent %s", id)
}

// threadsOf lists the live threads an agent takes part in, by number.
func (t *txn) threadsOf(id coord.AgentID) []*coord.Thread {
	a := t.agents[id]
	if a == nil {
		return nil
	}
	var out []*coord.Thread
	for _, th := range t.project(a.Project).live {
		if th.Has(id) {
			out = append(out, th)
		}
	}
	slices.SortFunc(out, byNumber)
	return out
}

func byNumber(a, b *coord.Thread) int {
	na, _ := coord.Ordinal("T", a.ID)
	nb, _ := coord.Ordinal("T", b.ID)
	return int(na - nb)
}
