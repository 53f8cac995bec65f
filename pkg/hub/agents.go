package hub

import (
	"slices"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Bounds of the agents named in one list that has no pages.
const (
	maxPeers     = 20
	maxPeerBytes = 1500
)

// Bounds of what an agent says of its modules.
const (
	maxModuleName  = 200  // characters
	maxModuleBytes = 1000 // in a list of agents
)

func (h *Hub) registerAgent(t *txn, me *coord.Agent, _ coord.Caller, in tool.RegisterAgentIn) (tool.RegisterAgentOut, error) {
	modules, err := moduleNames(in.Modules)
	if err != nil {
		return tool.RegisterAgentOut{}, err
	}
	next := *me
	next.Name, next.Modules = t.freeName(me.Project, me.ID, in.Name), modules
	t.putAgent(&next)
	t.emitAgentStatus(&next)
	peers, _ := t.peerRefs(next.Project, next.ID)
	shown, _ := some(next.Modules, maxModuleBytes)
	return tool.RegisterAgentOut{AgentID: next.ID, Name: next.Name, Project: next.Project, Workspace: next.Workspace,
		Modules: shown, Peers: peers}, nil
}

// moduleNames reads a list of modules as an agent declares them.
func moduleNames(in []string) ([]string, error) {
	out := slices.DeleteFunc(trimmed(in), func(m string) bool { return place(m) == "" })
	for _, m := range out {
		if n := utf8.RuneCountInString(m); n > maxModuleName {
			return nil, coord.Errorf(coord.TooLarge, "name it like auth or api/users", "a module name of %d characters is over the limit of %d", n, maxModuleName)
		}
	}
	return out, nil
}

// peerRefs names the first few live agents beside me, and counts the rest.
func (s *state) peerRefs(id coord.ProjectID, me coord.AgentID) (refs []tool.AgentRef, more int) {
	var ids []coord.AgentID
	for _, a := range s.peers(id, me) {
		ids = append(ids, a.ID)
	}
	return s.someRefs(ids)
}

// someRefs names the first few agents of a list, and counts the rest.
func (s *state) someRefs(ids []coord.AgentID) (refs []tool.AgentRef, more int) {
	refs, more = some(s.refsOf(ids[:min(len(ids), maxPeers)]), maxPeerBytes)
	return refs, more + max(len(ids)-maxPeers, 0)
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
	v := tool.AgentView{ID: a.ID, Name: a.Name, Client: a.Client.Name, Status: a.Status, Workspace: a.Workspace,
		Branch: a.Branch, LastSeen: max(a.LastSeen, there.seen), Me: a.ID == me,
		Activity: h.activityOf(a, coord.At(h.now())).state}
	v.Modules, _ = some(a.Modules, maxModuleBytes)
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
