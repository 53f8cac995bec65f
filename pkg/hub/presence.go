package hub

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// How long a lost connection may last before its agent counts as gone.
const (
	localGrace   = 15 * time.Second // unix socket
	networkGrace = 60 * time.Second
	startGrace   = 30 * time.Second // for agents stored by the hub before this one
)

// presence tracks which agents have an inbox connection. It is not stored: a
// new hub gives every stored live agent startGrace to come back.
type presence struct {
	mu     sync.Mutex
	agents map[coord.AgentID]*connection
}

type connection struct {
	open  int          // inbox connections
	seen  coord.Millis // last call, heartbeat or connection
	call  coord.Millis // last call
	spell coord.Millis // first call of the present run, in which none came later than callTurn after another
	until coord.Millis // while nothing is open: gone after this
	local bool

	sessions map[coord.KeyHash]coord.Millis // when each of its sessions was last used; two shims may be one agent

	lost      bool // it had a connection and has none
	returning bool // it was here before this hub, and has not been heard of since

	handed coord.Seq // up to here the last answer of wait_for_message or get_queued_messages went

	watched pending // the thread it said it waits for
	waiting pending // its call that waits at the hub
}

// pending is something an agent waits for. The zero value is nothing.
type pending struct {
	calls  int
	thread coord.ThreadID // "" = any news, or peers
	since  coord.Millis
}

func newPresence() *presence {
	return &presence{agents: map[coord.AgentID]*connection{}}
}

// begin gives every live agent of a loaded state time to come back.
func (p *presence) begin(s *state, now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, a := range s.agents {
		if a.Live() {
			grace := startGrace
			if a.HookOnly { // an idle session sends nothing
				grace = unseenGrace
				if a.Parent.Start > 0 {
					grace = seenGrace // its client is watched
				}
			}
			p.agents[id] = &connection{seen: a.LastSeen, call: a.LastSeen, spell: a.LastSeen, until: now.Add(grace), local: true,
				lost: !a.HookOnly, returning: !a.HookOnly}
		}
	}
}

// touch notes a sign of life. Without an open connection it is good for grace.
func (p *presence) touch(id coord.AgentID, now coord.Millis, grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil {
		c = &connection{}
		p.agents[id] = c
	}
	c.seen = now
	c.until = max(c.until, now.Add(grace))
	c.lost, c.returning = false, false
}

// used notes that a session of the agent is in use.
func (p *presence) used(id coord.AgentID, session coord.KeyHash, now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil || session == (coord.KeyHash{}) {
		return
	}
	if c.sessions == nil {
		c.sessions = map[coord.KeyHash]coord.Millis{}
	}
	c.sessions[session] = now
}

// end takes a session out. It reports whether it was the agent's last: one that
// has not been used for localGrace, three heartbeats of a shim, does not count.
func (p *presence) end(id coord.AgentID, session coord.KeyHash, now coord.Millis) (last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil {
		return true
	}
	delete(c.sessions, session)
	for _, used := range c.sessions {
		if now < used.Add(localGrace) {
			return false
		}
	}
	return true
}

// slept notes that the machine slept: nobody was heard because nobody ran. What
// counts down goes on from where it stood, and who has no connection gets the
// time that a start of the hub gives.
func (p *presence) slept(d time.Duration, now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.agents {
		for _, at := range []*coord.Millis{&c.seen, &c.call, &c.spell} {
			if *at > 0 {
				*at = min(at.Add(d), now)
			}
		}
		for session, at := range c.sessions {
			c.sessions[session] = min(at.Add(d), now)
		}
		c.until = max(c.until.Add(d), now.Add(startGrace))
	}
}

// opened and closed count inbox connections.
func (p *presence) opened(id coord.AgentID, now coord.Millis, local bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil {
		c = &connection{}
		p.agents[id] = c
	}
	c.open++
	c.seen, c.local = now, local
	c.lost, c.returning = false, false
}

func (p *presence) closed(id coord.AgentID, now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil || c.open == 0 {
		return
	}
	c.open--
	c.seen, c.lost = now, c.open == 0
	grace := networkGrace
	if c.local {
		grace = localGrace
	}
	c.until = now.Add(grace)
}

// forget drops an agent that left.
func (p *presence) forget(id coord.AgentID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.agents, id)
}

// called notes a call, by which an agent without hooks shows that it works. One
// that acts ends the waiting that a heartbeat spoke of.
func (p *presence) called(id coord.AgentID, now coord.Millis, acts bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil {
		return
	}
	if now >= c.call.Add(callTurn) {
		c.spell = now
	}
	c.call = now
	if acts {
		c.watched = pending{}
	}
}

// watch notes the thread that an agent says it waits for; "" = none.
func (p *presence) watch(id coord.AgentID, thread coord.ThreadID, now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	switch {
	case c == nil:
	case thread == "":
		c.watched = pending{}
	case c.watched.thread != thread:
		c.watched = pending{thread: thread, since: now}
	}
}

// wait notes that a call of the agent waits at the hub, until done is called.
func (p *presence) wait(id coord.AgentID, thread coord.ThreadID, now coord.Millis) (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil {
		return func() {}
	}
	if c.waiting.calls == 0 {
		c.waiting = pending{since: now}
	}
	c.waiting.calls++
	c.waiting.thread = thread
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		c.waiting.calls--
	}
}

// hand notes how far an answer went that hands over news.
func (p *presence) hand(id coord.AgentID, seq coord.Seq) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.agents[id]; c != nil {
		c.handed = max(c.handed, seq)
	}
}

// of gives what is known of an agent's connection.
func (p *presence) of(id coord.AgentID) connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.agents[id]; c != nil {
		return *c
	}
	return connection{}
}

func (p *presence) lastCalled(id coord.AgentID) coord.Millis { return p.of(id).call }

// due lists the agents without a connection whose time is over, or whose client
// is verified gone.
func (p *presence) due(now coord.Millis, gone func(coord.AgentID) bool) []coord.AgentID {
	p.mu.Lock()
	var candidates []coord.AgentID
	var out []coord.AgentID
	for id, c := range p.agents {
		switch {
		case c.open > 0:
		case now >= c.until:
			out = append(out, id)
		default:
			candidates = append(candidates, id)
		}
	}
	p.mu.Unlock()
	for _, id := range candidates {
		if gone(id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// stillLost reports whether no connection opened since due named the agent.
func (p *presence) stillLost(id coord.AgentID, now coord.Millis) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	return c == nil || (c.open == 0 && c.seen <= now)
}

// reviveLimit bounds how long a connection waits for its agent to come back.
const reviveLimit = 5 * time.Second

// Connected notes that an inbox connection of the agent opened; local means
// through the unix socket. One that counted as gone is back, as after a call.
func (h *Hub) Connected(agent coord.AgentID, local bool) {
	h.presence.opened(agent, coord.At(h.now()), local)
	ctx, cancel := context.WithTimeout(context.Background(), reviveLimit)
	defer cancel()
	if err := h.revive(ctx, agent); err != nil && coord.CodeOf(err) != coord.Unauthorized { // its shim learns that from its next call
		h.log.Error("an agent is connected and counts as gone", "agent", agent, "error", err)
	}
}

// Disconnected notes that an inbox connection closed. The agent is gone when
// its client is verified gone, else after 15 s (60 s over the network).
func (h *Hub) Disconnected(agent coord.AgentID, _ bool) {
	h.presence.closed(agent, coord.At(h.now()))
}

// verifiedGone reports whether the client program of an agent of this host has
// ended. An agent whose program is unknown is never verified gone.
func (h *Hub) verifiedGone(id coord.AgentID) bool {
	h.mu.RLock()
	a := h.state.agents[id]
	h.mu.RUnlock()
	return a != nil && a.Host == h.host && a.Parent.PID > 0 && a.Parent.Start > 0 && !h.alive(a.Parent)
}

// Projects lists the projects that the hub knows, sorted.
func (h *Hub) Projects() []coord.ProjectID {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Sorted(maps.Keys(h.state.projects))
}

// LiveProjects lists the projects with a live agent, sorted.
func (h *Hub) LiveProjects() []coord.ProjectID {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var out []coord.ProjectID
	for id, p := range h.state.projects {
		for _, a := range p.agents {
			if a.Live() {
				out = append(out, id)
				break
			}
		}
	}
	slices.Sort(out)
	return out
}
