package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// A client that goes on with an earlier session starts its shim before it says
// which session that is, so the shim registers as somebody new. The hooks then
// bring the earlier agent back, and the new one, which has done nothing, ends:
// its shim is asked to register again and becomes the earlier agent.

// fresh reports whether an agent has left no trace yet but its registration.
func (s *state) fresh(a *coord.Agent) bool {
	if a.Hooks || a.HookOnly || len(s.waitsOf[a.ID]) > 0 {
		return false
	}
	for _, l := range s.leases {
		if l.Agent == a.ID {
			return false
		}
	}
	for _, n := range s.anns {
		if n.Agent == a.ID {
			return false
		}
	}
	p := s.project(a.Project)
	for _, th := range p.threads {
		if th.Has(a.ID) || slices.Contains(th.Parties, a.ID) {
			return false
		}
	}
	return !slices.ContainsFunc(p.index.recent, func(e coord.Edit) bool { return e.Agent == a.ID })
}

// unite takes out the agents that shims of the same client program have made
// before its hooks told who it is, and names them.
func (t *txn) unite(me *coord.Agent) []coord.AgentID {
	if !me.HookOnly || me.Parent.Start == 0 {
		return nil
	}
	var left []coord.AgentID
	for _, a := range t.project(me.Project).agents {
		if a.ID != me.ID && a.Live() && a.Parent == me.Parent && a.Member == me.Member && a.Host == me.Host &&
			a.Client.Name == claudeCode && t.fresh(a) {
			left = append(left, a.ID)
		}
	}
	slices.Sort(left)
	for _, id := range left {
		t.depart(id)
		never := *t.agents[id]
		never.LastSeen = 0
		t.putAgent(&never)
	}
	t.forgetKeys(left)
	if slices.ContainsFunc(left, func(id coord.AgentID) bool { return t.agents[id].Name == me.Label }) {
		t.rename(me.ID)
	}
	return left
}

// united reports whether unite has taken the agent out. The next tick forgets it;
// until then a call or connection that was let in before does not bring it back.
func united(a *coord.Agent) bool { return a != nil && !a.Live() && a.LastSeen == 0 }

// rename gives an agent the name its session asks for, when somebody had it who
// has gone.
func (t *txn) rename(id coord.AgentID) {
	a := t.agents[id]
	if a.Label == "" || a.Name == a.Label || t.nameTaken(a.Project, a.Label, a.ID) {
		return
	}
	again := *a
	again.Name = a.Label
	t.putAgent(&again)
	t.emitAgentStatus(&again)
}

// forgetKeys makes the credentials of agents unknown to registrations. The store
// keeps them until it forgets the agents: after a restart of the hub such a
// shim is taken out again.
func (t *txn) forgetKeys(of []coord.AgentID) {
	for hash, id := range t.creds {
		if slices.Contains(of, id) {
			delete(t.creds, hash)
			t.undo = append(t.undo, func() { t.creds[hash] = id })
		}
	}
}

// withdraw makes the credentials of agents unknown to Authenticate: their shims
// register again.
func (h *Hub) withdraw(agents []coord.AgentID) {
	h.keysMu.Lock()
	for hash, id := range h.keys {
		if slices.Contains(agents, id) {
			delete(h.keys, hash)
		}
	}
	h.keysMu.Unlock()
	for _, id := range agents {
		h.presence.forget(id)
	}
}
