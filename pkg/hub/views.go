package hub

import (
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
	if th.KeepOpen {
		out.Task = s.taskView(th)
	}
	out.Next = nextForThread(out)
	return out
}

// taskView gives what a claimer wants to know of a task. The announcement's part
// is known while it lives.
func (s *state) taskView(th *coord.Thread) *tool.TaskView {
	v := &tool.TaskView{TargetFiles: []string{}, AssignedTo: th.AssignedTo, RunID: th.RunID, Unclaims: th.Unclaims}
	if th.Claimer != "" {
		ref := s.refOf(th.Claimer)
		v.Claimer = &ref
	}
	a := s.anns[th.Announcement]
	if a == nil {
		return v
	}
	v.Plan = a.Plan
	size := 0
	for i, target := range a.Targets {
		if size += len(target.String()); i == maxViewFiles || (i > 0 && size > maxTaskBytes) {
			v.MoreFiles = len(a.Targets) - i
			break
		}
		v.TargetFiles = append(v.TargetFiles, target.String())
	}
	return v
}

// maxTaskBytes bounds the targets of a task in its thread's view.
const maxTaskBytes = 1 << 10

// nextForThread says what a participant can do now.
func nextForThread(v tool.ThreadView) string {
	switch {
	case v.Status == coord.ThreadClaimed:
		return fmt.Sprintf("%s works on it; post_to_thread reaches both sides.", v.Task.Claimer.Name)
	case v.Status == coord.ThreadOpen && v.Task != nil:
		return "claim_task takes this task."
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

// waitingFor lists the live threads that want an answer of the agent: a
// proposal it has not approved, a consultation that opened on it and has no
// proposal yet, or a task that is assigned to it.
func (s *state) waitingFor(me *coord.Agent) []coord.ThreadID {
	var mine []*coord.Thread
	for _, th := range s.project(me.Project).live {
		asked := slices.Contains(awaiting(th), me.ID)
		fresh := th.Status == coord.ThreadOpen && (slices.Contains(th.Respondents, me.ID) || th.AssignedTo == me.ID)
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

func (s *state) threadsByNumber(id coord.ProjectID) []*coord.Thread {
	return slices.SortedFunc(maps.Values(s.project(id).threads), byNumber)
}

func (s *state) waitsByNumber() []*coord.Wait {
	return slices.SortedFunc(maps.Values(s.waits), func(a, b *coord.Wait) int { return int(a.Order - b.Order) })
}
