package hub

import (
	"fmt"
	"maps"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Bounds of the files named in a thread's view.
const (
	maxViewFiles = 20
	maxFileBytes = 1 << 10
)

// name gives the name of an agent; for one that is forgotten, its id.
func (s *state) name(id coord.AgentID) string {
	if a := s.agents[id]; a != nil {
		return a.Name
	}
	return string(id)
}

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
		Initiator: s.refOf(th.Initiator), Category: th.Category,
		Score: th.Score, Layer: th.Layer, Round: th.Round, Deadline: th.Deadline, Summary: th.Summary}
	out.Respondents, out.MoreRespondents = s.someRefs(th.Respondents)
	out.Files, out.MoreFiles = some(th.Paths[:min(len(th.Paths), maxViewFiles)], maxFileBytes)
	out.MoreFiles += max(len(th.Paths)-maxViewFiles, 0)
	if p := th.Proposal(); p != nil {
		out.Proposal = &tool.ProposalView{Number: p.Number, By: s.refOf(p.By), Summary: p.Summary}
		out.Proposal.Order, _ = s.someRefs(p.Order)
		out.Proposal.Approved, _ = s.someRefs(p.Approved)
		out.Proposal.Awaiting, _ = s.someRefs(awaiting(th))
	}
	if th.KeepOpen {
		out.Task = s.taskView(th)
	}
	out.Next = nextForThread(out)
	fit(&out)
	return out
}

// maxAnswer bounds one answer, in bytes, and maxView the view of a thread in it.
const (
	maxAnswer = 8 << 10
	maxView   = 5500
)

// fit makes a view fit into an answer. Usually it does; texts of characters of many
// bytes, or a crowd of participants, can make it longer.
func fit(v *tool.ThreadView) {
	for _, trim := range []func(*tool.ThreadView){
		func(v *tool.ThreadView) { trimTexts(v, 500, 1000, 2000) },
		trimCrowd,
		func(v *tool.ThreadView) { trimTexts(v, 200, 300, 800) },
		func(v *tool.ThreadView) {
			v.MoreFiles += len(v.Files) - len(few(v.Files))
			v.Files = few(v.Files)
		},
		trimNames,
		func(v *tool.ThreadView) {
			if len(v.Files) > 1 {
				v.MoreFiles, v.Files = v.MoreFiles+len(v.Files)-1, v.Files[:1]
			}
		},
	} {
		if len(mustJSON(v)) <= maxView {
			return
		}
		trim(v)
	}
}

// trimTexts shortens the texts of a view to so many bytes each.
func trimTexts(v *tool.ThreadView, summary, plan, proposal int) {
	v.Summary = brief(v.Summary, summary)
	if v.Task != nil {
		v.Task.Plan = brief(v.Task.Plan, plan)
	}
	if v.Proposal != nil {
		v.Proposal.Summary = brief(v.Proposal.Summary, proposal)
	}
}

// trimCrowd names only the first few participants.
func trimCrowd(v *tool.ThreadView) {
	v.MoreRespondents += len(v.Respondents) - len(few(v.Respondents))
	v.Respondents = few(v.Respondents)
	if p := v.Proposal; p != nil {
		p.Approved, p.Order, p.Awaiting = few(p.Approved), few(p.Order), few(p.Awaiting)
	}
}

// maxNameBytes is what is left of a name in a view that is too long.
const maxNameBytes = 60

// trimNames shortens the names of those who take part.
func trimNames(v *tool.ThreadView) {
	refs := [][]tool.AgentRef{v.Respondents}
	v.Initiator.Name = brief(v.Initiator.Name, maxNameBytes)
	if v.Task != nil && v.Task.Claimer != nil {
		v.Task.Claimer.Name = brief(v.Task.Claimer.Name, maxNameBytes)
	}
	if p := v.Proposal; p != nil {
		p.By.Name = brief(p.By.Name, maxNameBytes)
		refs = append(refs, p.Approved, p.Order, p.Awaiting)
	}
	for _, list := range refs {
		for i := range list {
			list[i].Name = brief(list[i].Name, maxNameBytes)
		}
	}
	v.Next = nextForThread(*v)
}

// few gives the first three of a list.
func few[T any](in []T) []T { return in[:min(len(in), 3)] }

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
	for _, target := range a.Targets {
		v.TargetFiles = append(v.TargetFiles, target.String())
	}
	all := len(v.TargetFiles)
	v.TargetFiles, _ = some(v.TargetFiles[:min(all, maxViewFiles)], maxFileBytes)
	v.MoreFiles = all - len(v.TargetFiles)
	return v
}

// nextForThread says what a participant can do now.
func nextForThread(v tool.ThreadView) string {
	switch {
	case v.Status == coord.ThreadClaimed:
		return fmt.Sprintf("%s works on it; post_to_thread reaches both sides.", v.Task.Claimer.Name)
	case v.Status == coord.ThreadOpen && v.Task != nil:
		return "claim_task takes this task."
	case v.Status == coord.ThreadResolving:
		return fmt.Sprintf("Waiting for %s to approve or contest proposal %d.", names(v.Proposal.Awaiting, 0), v.Proposal.Number)
	case v.Status == coord.ThreadOpen:
		return "Talk with post_to_thread; propose_resolution when you see a way."
	case v.Type == coord.Consensus:
		return "Agreed: go ahead as the proposal says, and close_thread when done."
	case v.Type == coord.Uncontested:
		return "Nobody contests it any more: go ahead, and close_thread when done."
	case v.Status == coord.ThreadUnresolved:
		return "No agreement: tell your user, and do not write the files before the other side, if it announced them first."
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
	return slices.SortedFunc(maps.Values(s.waits), inLine)
}
