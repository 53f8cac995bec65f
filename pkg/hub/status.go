package hub

import (
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// status answers coordinator_status. An operator without a project sees counts
// of all.
func (h *Hub) status(me *coord.Agent, c coord.Caller, _ tool.CoordinatorStatusIn) (tool.CoordinatorStatusOut, error) {
	p := h.publisher.Stats()
	out := tool.CoordinatorStatusOut{
		Hub:     tool.HubStatus{Instance: h.instance, Version: h.version, Started: h.started, Epoch: h.state.epoch},
		MQTT:    tool.MQTTStatus{Connections: p.Connections, Published: p.Published, Dropped: p.Dropped},
		Agents:  tool.AgentCount{Peers: []tool.AgentRef{}},
		Threads: tool.ThreadCount{WaitingForMe: []coord.ThreadID{}},
		Hot:     []tool.HotFile{},
	}
	if top, ok := coord.HighestQuota(h.state.quota); ok {
		out.Quota = &tool.QuotaStatus{UtilizationPct: top.Utilization, ResetsAt: top.ResetsAt}
	}
	if me != nil {
		v := h.agentView(me, me.ID)
		out.Me = &v
		out.Threads.WaitingForMe = h.state.waitingFor(me)
		out.Threads.WaitingForMe = out.Threads.WaitingForMe[:min(len(out.Threads.WaitingForMe), maxPeers)]
	}
	if me == nil {
		out.Agents.Here = h.here(c.Project)
	}
	for id, p := range h.state.projects {
		if c.Project == "" || id == c.Project {
			h.tally(&out, p)
		}
	}
	if c.Project != "" {
		out.Agents.Peers, _ = h.state.peerRefs(c.Project, c.Agent)
		hot := newPage[tool.HotFile](maxHotInStatus)
		hot.room = maxHotBytes
		fill(hot, h.state.hotFiles(c.Project, coord.At(h.now()).Add(-hotWindow)), 0, same)
		out.Hot = hot.rows
	}
	return out, nil
}

// Bounds of the hot files in a status, where they are one of several lists.
const (
	maxHotInStatus = 5
	maxHotBytes    = 2 << 10
)

// tally adds a project's live agents and threads. The caller holds mu.
func (h *Hub) tally(out *tool.CoordinatorStatusOut, p *project) {
	for _, a := range p.agents {
		if !a.Live() {
			continue
		}
		out.Agents.Online++
		if there := h.presence.of(a.ID); there.lost || there.returning {
			out.Agents.Away++
		}
	}
	for _, th := range p.live {
		switch {
		case th.Status == coord.ThreadClaimed:
			out.Threads.Claimed++
		case th.KeepOpen:
			out.Threads.Offered++
		case th.Status == coord.ThreadOpen:
			out.Threads.Open++
		default:
			out.Threads.Resolving++
		}
	}
}
