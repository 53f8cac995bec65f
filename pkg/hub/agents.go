package hub

import (
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// maxPeers bounds the peers named in one answer.
const maxPeers = 20

func (h *Hub) registerAgent(t *txn, me *coord.Agent, _ coord.Caller, in tool.RegisterAgentIn) (tool.RegisterAgentOut, error) {
	next := *me
	next.Name, next.Modules = t.freeName(me.Project, me.ID, in.Name), trimmed(in.Modules)
	t.putAgent(&next)
	t.emitAgentStatus(&next)
	peers, _ := t.peerRefs(next.Project, next.ID)
	return tool.RegisterAgentOut{AgentID: next.ID, Name: next.Name, Project: next.Project, Workspace: next.Workspace,
		Modules: list(next.Modules), Peers: peers}, nil
}

// peerRefs names the first few live agents beside me, and counts the rest.
func (s *state) peerRefs(id coord.ProjectID, me coord.AgentID) (refs []tool.AgentRef, more int) {
	peers := s.peers(id, me)
	refs = []tool.AgentRef{}
	for _, a := range peers[:min(len(peers), maxPeers)] {
		refs = append(refs, s.refOf(a.ID))
	}
	return refs, len(peers) - len(refs)
}

func (h *Hub) listAgents(_ *coord.Agent, c coord.Caller, in tool.ListAgentsIn) (tool.ListAgentsOut, error) {
	skip, err := offset(in.Cursor)
	if err != nil {
		return tool.ListAgentsOut{}, err
	}
	online := in.OnlineOnly == nil || *in.OnlineOnly
	p := newPage[tool.AgentView](in.Limit)
	next := fill(p, h.state.agentsOf(c.Project, online), skip, func(a *coord.Agent) tool.AgentView { return h.agentView(a, c.Agent) })
	return tool.ListAgentsOut{Agents: p.rows, NextCursor: next}, nil
}

// agentView gives an agent as readers get it. The caller holds mu.
func (h *Hub) agentView(a *coord.Agent, me coord.AgentID) tool.AgentView {
	there := h.presence.of(a.ID)
	v := tool.AgentView{ID: a.ID, Name: a.Name, Client: a.Client.Name, Status: a.Status, Modules: list(a.Modules), Workspace: a.Workspace,
		Branch: a.Branch, LastSeen: max(a.LastSeen, there.seen), Me: a.ID == me,
		Activity: h.activityOf(a, coord.At(h.now())).state}
	if a.Live() && there.returning {
		v.Status = coord.Returning
	}
	return v
}

// findAgent finds an agent of a project by id, or by the name of a live one,
// or of the one that left last.
func (s *state) findAgent(id coord.ProjectID, who string) (*coord.Agent, error) {
	var named *coord.Agent
	for _, a := range s.project(id).agents {
		switch {
		case string(a.ID) == who:
			return a, nil
		case a.Name != who:
		case named == nil, a.Live() && !named.Live(), a.Live() == named.Live() && a.LastSeen > named.LastSeen:
			named = a
		}
	}
	if named == nil {
		return nil, coord.Errorf(coord.NotFound, "list_agents shows ids and names", "no agent %q in this project", who)
	}
	return named, nil
}
