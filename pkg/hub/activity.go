package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// activity is what an agent is at.
type activity struct {
	state  tool.Activity
	file   coord.Path     // zero: none
	thread coord.ThreadID // waited on
	since  coord.Millis
}

// activityOf tells what an agent is at. Waiting goes before working: an agent
// in a turn that wants a path somebody else holds does not get on. The caller
// holds mu.
func (h *Hub) activityOf(a *coord.Agent, now coord.Millis) activity {
	there := h.presence.of(a.ID)
	switch {
	case !a.Live():
		return activity{state: tool.Offline, since: a.LastSeen}
	case there.lost:
		return activity{state: tool.Offline, since: max(a.LastSeen, there.seen)}
	}
	out := activity{state: tool.Idle, since: h.state.idleSince(a), file: h.state.currentFile(a, now)}
	if h.state.inTurn(a, now) {
		out.state, out.since = tool.Working, max(there.spell, a.Registered)
		if a.Hooks {
			out.since = a.TurnSince
		}
	}
	if since, thread := h.waitOf(a, there); since != 0 {
		out.state, out.since, out.thread = tool.Waiting, since, thread
	}
	return out
}

// waitOf tells since when an agent waits, and in which thread; 0 = it does not.
func (h *Hub) waitOf(a *coord.Agent, there connection) (coord.Millis, coord.ThreadID) {
	if there.waiting.calls > 0 {
		return there.waiting.since, there.waiting.thread
	}
	if th := h.state.threads[there.watched.thread]; th != nil && th.Status.Live() {
		return there.watched.since, th.ID
	}
	var first *coord.Wait
	for _, w := range h.state.waitsOf[a.ID] {
		if w.Told == 0 && (first == nil || w.Order < first.Order) {
			first = w
		}
	}
	if first == nil {
		return 0, ""
	}
	return first.Since, h.state.threadBehind(first)
}

// threadBehind finds the live thread in which a place in a waiting line can be
// settled.
func (s *state) threadBehind(w *coord.Wait) (id coord.ThreadID) {
	for _, th := range s.project(w.Project).live {
		if th.Has(w.Agent) && th.Has(w.For) && slices.Contains(th.Paths, w.Path) && (id == "" || th.ID < id) {
			id = th.ID
		}
	}
	return id
}

// currentFile gives the path whose lease the agent holds and touched last.
func (s *state) currentFile(a *coord.Agent, now coord.Millis) coord.Path {
	var newest *coord.Lease
	for _, l := range s.leases {
		if l.Agent != a.ID || !s.held(l, now) {
			continue
		}
		if newest == nil || l.Touched > newest.Touched || (l.Touched == newest.Touched && l.Path.String() < newest.Path.String()) {
			newest = l
		}
	}
	if newest == nil {
		return coord.Path{}
	}
	return newest.Path
}

// maxActionBytes bounds an action summary in a list.
const maxActionBytes = 200

func (h *Hub) agentActivity(_ *coord.Agent, c coord.Caller, in tool.AgentActivityIn) (tool.AgentActivityOut, error) {
	skip, err := offset(in.Cursor)
	if err != nil {
		return tool.AgentActivityOut{}, err
	}
	now := coord.At(h.now())
	p := newPage[tool.ActivityView](in.Limit)
	next := fill(p, h.state.agentsOf(c.Project, true), skip, func(a *coord.Agent) tool.ActivityView {
		is := h.activityOf(a, now)
		return tool.ActivityView{ID: a.ID, Name: a.Name, Activity: is.state, CurrentFile: is.file, ThreadID: is.thread, Since: is.since,
			LastAction: shorten(h.state.actions[a.ID], maxActionBytes), Me: a.ID == c.Agent}
	})
	return tool.AgentActivityOut{Agents: p.rows, NextCursor: next}, nil
}
