package hub

import (
	"cmp"
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
	out := activity{state: tool.Idle, since: h.state.idleSince(a)}
	lease := h.state.currentLease(a, now)
	if lease != nil {
		out.file = lease.Path
	}
	if h.state.inTurn(a, now) {
		out.state, out.since = tool.Working, max(there.spell, a.Registered)
		if a.Hooks {
			out.since = a.TurnSince
		}
	}
	if since, thread := h.waitOf(a, there, lease); since != 0 {
		out.state, out.since, out.thread = tool.Waiting, since, thread
	}
	return out
}

// waitOf tells since when an agent waits, and in which thread; 0 = it does not.
// What it says of itself goes before its place in a line, and that before a
// consultation in which it has nothing to do but wait.
func (h *Hub) waitOf(a *coord.Agent, there connection, lease *coord.Lease) (coord.Millis, coord.ThreadID) {
	since, thread := h.state.longestWait(a)
	if since == 0 {
		since, thread = h.state.consults(a, lease)
	}
	if there.waiting.calls > 0 {
		return there.waiting.since, cmp.Or(there.waiting.thread, thread)
	}
	if th := h.state.threads[there.watched.thread]; th != nil && th.Status.Live() {
		return there.watched.since, th.ID
	}
	return since, thread
}

// longestWait tells since when an agent stands in a waiting line, the longest
// one, and in which thread that can be settled.
func (s *state) longestWait(a *coord.Agent) (coord.Millis, coord.ThreadID) {
	var first *coord.Wait
	for _, w := range s.waitsOf[a.ID] {
		if w.Told == 0 && (first == nil || w.Order < first.Order) {
			first = w
		}
	}
	if first == nil {
		return 0, ""
	}
	return first.Since, s.threadBehind(first)
}

// consults tells since when the word of others is missing to an agent, and in
// which consultation, the oldest of them. One that has edited since then is not
// held up.
func (s *state) consults(a *coord.Agent, lease *coord.Lease) (since coord.Millis, id coord.ThreadID) {
	for _, th := range s.project(a.Project).live {
		at := lacksWord(th, a.ID)
		if at == 0 || lease != nil && lease.Touched >= at {
			continue
		}
		if id == "" || at < since || at == since && th.ID < id {
			since, id = at, th.ID
		}
	}
	return since, id
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

// currentLease gives the lease that the agent holds and touched last, nil when it
// holds none.
func (s *state) currentLease(a *coord.Agent, now coord.Millis) *coord.Lease {
	var newest *coord.Lease
	for _, l := range s.leases {
		if l.Agent != a.ID || !s.held(l, now) {
			continue
		}
		if newest == nil || l.Touched > newest.Touched || (l.Touched == newest.Touched && l.Path.String() < newest.Path.String()) {
			newest = l
		}
	}
	return newest
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
