package hub

import (
	"cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// statusLine answers status_line. It finds the agent as a hook would and changes
// nothing: a session that nobody knows stays unknown.
func (h *Hub) statusLine(me *coord.Agent, c coord.Caller, in tool.StatusLineIn) (tool.StatusLineOut, error) {
	s := h.state
	out := tool.StatusLineOut{Answer: []coord.ThreadID{}, Wants: []coord.Path{}}
	if me == nil {
		me = s.agentOfStatusLine(c, in, coord.At(h.now()))
	}
	if me == nil || !me.Live() {
		return out, nil
	}
	now := coord.At(h.now())
	out.Known, out.Name = true, me.Name
	for _, a := range s.project(me.Project).agents {
		if a.ID == me.ID || !a.Live() {
			continue
		}
		out.Peers++
		if h.activityOf(a, now).state == tool.Working {
			out.Working++
		}
	}
	out.Answer = s.waitingFor(me)
	out.Answer = out.Answer[:min(len(out.Answer), maxPeers)]
	out.Waits = h.activityOf(me, now).thread
	waiting := map[coord.AgentID]bool{}
	for _, w := range s.waitsByNumber() {
		if w.Told != 0 { // the path is free for it
			continue
		}
		if w.Agent == me.ID && len(out.Wants) < maxPeers {
			out.Wants = append(out.Wants, w.Path)
		}
		if w.For == me.ID {
			waiting[w.Agent] = true
		}
	}
	out.Wanted = len(waiting)
	if top, ok := coord.HighestQuota(s.quota); ok {
		out.Quota = &tool.QuotaStatus{UtilizationPct: top.Utilization, ResetsAt: top.ResetsAt}
	}
	return out, nil
}

// agentOfStatusLine finds the agent by the client program and, since what stands
// between the client and its status line may be a shell, by the session alone.
func (s *state) agentOfStatusLine(c coord.Caller, in tool.StatusLineIn, now coord.Millis) *coord.Agent {
	call := coord.HookCall{Session: in.Session, Host: in.Host, PID: in.PID, PIDStart: in.PIDStart}
	byProgram := s.agentOfHook(c, call, false, now)
	call.PID, call.PIDStart = 0, 0
	return cmp.Or(byProgram, s.agentOfHook(c, call, false, now))
}
