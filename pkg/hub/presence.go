package hub

import (
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
	until coord.Millis // while nothing is open: gone after this
	local bool
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
			p.agents[id] = &connection{seen: a.LastSeen, call: a.LastSeen, until: now.Add(startGrace), local: true}
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
}

func (p *presence) closed(id coord.AgentID, now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.agents[id]
	if c == nil || c.open == 0 {
		return
	}
	c.open--
	c.seen = now
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

// called notes a call, by which an agent without hooks shows that it works.
func (p *presence) called(id coord.AgentID, now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.agents[id]; c != nil {
		c.call = now
	}
}

func (p *presence) lastCalled(id coord.AgentID) coord.Millis {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.agents[id]; c != nil {
		return c.call
	}
	return 0
}

func (p *presence) lastSeen(id coord.AgentID) coord.Millis {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.agents[id]; c != nil {
		return c.seen
	}
	return 0
}

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

// Connected notes that an inbox connection of the agent opened; local means
// through the unix socket.
func (h *Hub) Connected(agent coord.AgentID, local bool) {
	h.presence.opened(agent, coord.At(h.now()), local)
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
