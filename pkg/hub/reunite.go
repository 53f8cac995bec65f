package hub

import (
	"maps"

	"github.com/coordhq/coord/pkg/coord"
)

// reunite lets a session that its client resumes go on as the agent it was. The
// client starts its servers with an id that the session keeps only until it is
// resumed, so a shim that was there before the first hook has become an agent of
// its own: that one leaves, and its shim registers anew. It gives the one that
// left, nil when there was none.
func (t *txn) reunite(c coord.Caller, in coord.HookCall, moved bool) *coord.Agent {
	if in.Source != "resume" || c.Agent != "" {
		return nil
	}
	twin, old := t.agentOfHook(c, in, moved, t.now), t.agentOfSession(c.Member, in)
	switch {
	case twin == nil, old == nil, twin.ID == old.ID, twin.Hooks, twin.Knows(in.Session):
		return nil
	case twin.Project != old.Project, old.Live() && !moved, !old.Live() && t.now >= old.LastSeen.Add(resumeLife):
		return nil
	}
	t.depart(twin.ID)
	left := *t.agents[twin.ID]
	left.Parent = coord.Process{}
	t.putAgent(&left)
	t.revoke(left.ID)
	return &left
}

// revoke makes the hub forget an agent's credentials: who has one must register
// anew.
func (t *txn) revoke(id coord.AgentID) {
	old := maps.Clone(t.creds)
	maps.DeleteFunc(t.creds, func(_ coord.KeyHash, of coord.AgentID) bool { return of == id })
	t.undo = append(t.undo, func() { maps.Copy(t.creds, old) })
}

// revoked makes the credentials of an agent unknown to Authenticate.
func (h *Hub) revoked(id coord.AgentID) {
	h.presence.forget(id)
	h.keysMu.Lock()
	defer h.keysMu.Unlock()
	maps.DeleteFunc(h.keys, func(_ coord.KeyHash, of coord.AgentID) bool { return of == id })
}
