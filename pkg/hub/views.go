package hub

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// maxViewFiles bounds the files named in a thread's view.
const maxViewFiles = 20

func (s *state) refOf(id coord.AgentID) tool.AgentRef {
	ref := tool.AgentRef{ID: id}
	if a := s.agents[id]; a != nil {
		ref.Name = a.Name
	}
	return ref
}

func (s *state) refsOf(ids []coord.AgentID) []tool.AgentRef {
	out := make([]tool.AgentRef, 0, len(ids))
	for _, id := range ids {
		out = append(out, s.refOf(id))
	}
	return out
}

// view gives a thread as readers get it, without messages.
func (s *state) view(th *coord.Thread) tool.ThreadView {
	out := tool.ThreadView{ThreadID: th.ID, Status: th.Status, Type: th.Resolution, Subject: th.Subject, AnnouncementID: th.Announcement,
		Initiator: s.refOf(th.Initiator), Respondents: s.refsOf(th.Respondents), Files: list(th.Paths), Category: th.Category,
		Score: th.Score, Layer: th.Layer, Round: th.Round, Deadline: th.Deadline, Summary: th.Summary}
	if len(out.Files) > maxViewFiles {
		out.MoreFiles = len(out.Files) - maxViewFiles
		out.Files = out.Files[:maxViewFiles]
	}
	if p := th.Proposal(); p != nil {
		out.Proposal = &tool.ProposalView{Number: p.Number, By: s.refOf(p.By), Summary: p.Summary, Order: s.refsOf(p.Order),
			Approved: s.refsOf(p.Approved), Awaiting: s.refsOf(awaiting(th))}
	}
	out.Next = nextForThread(out)
	return out
}

// nextForThread says what a participant can do now.
func nextForThread(v tool.ThreadView) string {
	switch {
	case v.Status == coord.ThreadResolving:
		return fmt.Sprintf("Waiting for %s to approve or contest proposal %d.", names(v.Proposal.Awaiting), v.Proposal.Number)
	case v.Status == coord.ThreadOpen:
		return "Talk with post_to_thread; propose_resolution when you see a way."
	case v.Type == coord.Consensus:
		return "Agreed: go ahead as the proposal says, and close_thread when done."
	case v.Type == coord.Uncontested:
		return "Nobody contests it any more: go ahead, and close_thread when done."
	default:
		return ""
	}
}

func (s *state) messageView(m coord.Message) tool.MessageView {
	return tool.MessageView{MessageID: m.ID, Seq: m.Seq, ThreadID: m.Thread, Author: tool.AgentRef{ID: m.Author, Name: m.Name},
		Type: m.Type, Content: m.Content, InReplyTo: m.InReplyTo, Late: m.Late, Time: m.Time}
}

// agentView gives an agent as readers get it.
func (h *Hub) agentView(a *coord.Agent, me coord.AgentID) tool.AgentView {
	return tool.AgentView{ID: a.ID, Name: a.Name, Client: a.Client.Name, Status: a.Status, Modules: list(a.Modules), Workspace: a.Workspace,
		Branch: a.Branch, LastSeen: max(a.LastSeen, h.presence.lastSeen(a.ID)), Me: a.ID == me}
}

// waitingFor lists the live threads that want an answer of the agent: a
// proposal it has not approved, or a consultation that opened on it and has no
// proposal yet.
func (s *state) waitingFor(me *coord.Agent) []coord.ThreadID {
	var mine []*coord.Thread
	for _, th := range s.project(me.Project).live {
		asked := slices.Contains(awaiting(th), me.ID)
		fresh := th.Status == coord.ThreadOpen && slices.Contains(th.Respondents, me.ID)
		if asked || fresh {
			mine = append(mine, th)
		}
	}
	slices.SortFunc(mine, byNumber)
	out := []coord.ThreadID{}
	for _, th := range mine {
		out = append(out, th.ID)
	}
	return out
}

// hotFiles lists paths that more than one live agent has announced or edited,
// at most n, the most crowded first.
func (s *state) hotFiles(id coord.ProjectID, n int) []tool.HotFile {
	x := s.project(id).index
	var out []tool.HotFile
	for k, anns := range x.names {
		agents := map[coord.AgentID]bool{}
		for _, a := range anns {
			agents[a.Agent] = true
		}
		for _, e := range x.edits[k] {
			if a := s.agents[e.Agent]; a != nil && a.Live() {
				agents[e.Agent] = true
			}
		}
		if len(agents) < 2 {
			continue
		}
		hot := tool.HotFile{Path: pathOf(k)}
		for a := range agents {
			hot.Agents = append(hot.Agents, s.refOf(a))
		}
		slices.SortFunc(hot.Agents, func(a, b tool.AgentRef) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, hot)
	}
	slices.SortFunc(out, func(a, b tool.HotFile) int {
		if len(a.Agents) != len(b.Agents) {
			return len(b.Agents) - len(a.Agents)
		}
		return cmp.Compare(a.Path.String(), b.Path.String())
	})
	return out[:min(n, len(out))]
}

func (s *state) threadsByNumber(id coord.ProjectID) []*coord.Thread {
	return slices.SortedFunc(maps.Values(s.project(id).threads), byNumber)
}

func (s *state) waitsByNumber() []*coord.Wait {
	return slices.SortedFunc(maps.Values(s.waits), func(a, b *coord.Wait) int { return int(a.Order - b.Order) })
}
