package hub

import (
	"fmt"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
	"github.com/coordhq/coord/pkg/tool"
)

// editorOf gives who edits and where: the session's own working tree unless the
// call names another.
func (s *state) editorOf(me *coord.Agent, c coord.Caller, project coord.ProjectID, ws coord.WorkspaceID, subagent string) editor {
	e := editor{agent: me, subagent: subagent, project: me.Project, workspace: c.Workspace}
	if project != "" {
		e.project = project
	}
	if ws != "" {
		e.workspace = ws
	}
	e.project = s.projectAt(e.project, e.workspace, e.project == me.Project)
	return e
}

// acquire is the edit gate for one call: all paths or none.
func (h *Hub) acquire(t *txn, me *coord.Agent, c coord.Caller, in tool.AcquireIn) (tool.AcquireOut, error) {
	ps, err := paths(in.FilePaths)
	if err != nil {
		return tool.AcquireOut{}, err
	}
	e := t.editorOf(me, c, in.Project, in.Workspace, in.Subagent)
	if me.Hooks {
		e.agent = t.beginTurn(me)
	}
	spots := make([]spot, len(ps))
	for i, p := range ps {
		spots[i] = spot{e, p}
	}
	t.lapse(e, spots...)
	return t.acquireAll(spots, !in.Done), nil
}

// spot is one path that an editor wants to write.
type spot struct {
	editor
	path coord.Path
}

// acquireAll asks the gate for all paths or none: a refused call writes nothing.
func (t *txn) acquireAll(spots []spot, pending bool) tool.AcquireOut {
	out := tool.AcquireOut{Decision: coord.DecisionPass, Verdicts: []coord.Verdict{}, Agents: []tool.AgentRef{}}
	for _, s := range spots { // those that refuse first
		if t.refuses(s.editor, t.obstacle(s.editor, s.path)) {
			out.Verdicts = append(out.Verdicts, t.acquire(s.editor, s.path, pending))
		}
	}
	if len(out.Verdicts) == 0 {
		for _, s := range spots {
			out.Verdicts = append(out.Verdicts, t.acquire(s.editor, s.path, pending))
		}
	}
	for _, v := range out.Verdicts {
		if v.Decision == coord.DecisionRefuse || out.Decision == coord.DecisionPass {
			out.Decision = v.Decision
		}
		for _, n := range v.Notes {
			if ref := t.refOf(n.Agent); !slices.Contains(out.Agents, ref) {
				out.Agents = append(out.Agents, ref)
			}
		}
	}
	return out
}

// edited records edits that happened, or ends the leases of those that did not.
func (h *Hub) edited(t *txn, me *coord.Agent, c coord.Caller, in tool.EditedIn) (tool.EditedOut, error) {
	ps, err := paths(in.FilePaths)
	if err != nil {
		return tool.EditedOut{}, err
	}
	e := t.editorOf(me, c, in.Project, in.Workspace, in.Subagent)
	for _, p := range ps {
		if !in.Failed {
			t.edited(e, p, "")
		} else if l := t.leaseAt(e, p); l != nil && l.Agent == me.ID {
			t.undone(l)
		}
	}
	return tool.EditedOut{Recorded: len(ps)}, nil
}

// turn follows the client's turns.
func (t *txn) turn(me *coord.Agent, in tool.TurnIn) (tool.TurnOut, error) {
	switch in.Event {
	case "begin":
		if me.Hooks && me.TurnSince > 0 { // a prompt without a Stop before it: the turn before is over
			t.endTurn(me)
			me = t.agents[me.ID]
		}
		t.beginTurn(me)
		return tool.TurnOut{InTurn: true}, nil
	case "clear":
		t.returnTasks(me.ID)
		for _, a := range t.announcementsOf(me.ID) {
			if !a.KeepOpen {
				t.closeAnnouncement(a)
			}
		}
		for _, th := range t.threadsOf(me.ID) {
			if th.Initiator == me.ID && !th.KeepOpen {
				t.advance(me.ID, th, end(*th, coord.ThreadAbandoned, "", "", t.now), coord.High, "")
			}
		}
		t.endTurn(me)
	case "subagent_end":
		for _, l := range t.leasesOf(me.ID) {
			if l.Subagent == in.Subagent && in.Subagent != "" {
				next := *l
				next.Subagent = ""
				t.putLease(&next)
			}
		}
		return tool.TurnOut{InTurn: t.inTurn(me, t.now)}, nil
	default:
		t.endTurn(me)
	}
	return tool.TurnOut{}, nil
}

// release leaves the caller's leases of some paths, or all.
func (t *txn) release(me *coord.Agent, in tool.ReleaseIn) (tool.ReleaseOut, error) {
	ps, err := paths(in.FilePaths)
	if err != nil {
		return tool.ReleaseOut{}, err
	}
	out := tool.ReleaseOut{Released: []coord.LeaseID{}}
	for _, l := range t.leasesOf(me.ID) {
		if len(ps) > 0 && !slices.Contains(ps, l.Path) {
			continue
		}
		if in.Committed {
			t.endLease(l)
		} else {
			t.leave(l)
		}
		out.Released = append(out.Released, l.ID)
	}
	t.settle(me.ID)
	return out, nil
}

// checkFile answers check_file_conflict.
func (h *Hub) checkFile(t *txn, me *coord.Agent, c coord.Caller, in tool.CheckFileConflictIn) (tool.CheckFileConflictOut, error) {
	p, err := coord.ParsePath(in.FilePath)
	if err != nil {
		return tool.CheckFileConflictOut{}, err
	}
	e := editor{agent: me, subagent: c.Subagent, project: me.Project, workspace: c.Workspace}
	out := tool.CheckFileConflictOut{FilePath: p, Verdict: "free", By: []tool.AgentRef{}, Next: "Nothing is in the way: go ahead."}
	if n := t.obstacle(e, p); n != nil {
		out.Verdict = "leased"
		if n.Gate == coord.GateRightOfWay {
			out.Verdict = "announced"
		}
		out.By, out.Since, out.Until, out.Subject, out.ThreadID = t.refsOf([]coord.AgentID{n.Agent}), n.Since, n.Until, n.Subject, n.Thread
		out.Next = fmt.Sprintf("Do not write it now: announce_work it to open a thread with %s, or work on something else.", out.By[0].Name)
		if n.Gate == coord.GateRightOfWay && n.Thread != "" { // the order agreed there: nothing is left to settle
			out.Next = fmt.Sprintf("Do not write it now: it is %s's turn in %s; you are told when it is yours. Work on something else until then.", out.By[0].Name, n.Thread)
		}
		return out, nil
	}
	var who []coord.AgentID
	for _, i := range impact.Judge(impact.Work{Agent: me.ID, Workspace: c.Workspace, Targets: []coord.Target{{Kind: coord.FileTarget, Path: p}}},
		t.now, t.world(me.Project), nil) {
		if peer := t.agents[i.Agent]; peer == nil || !peer.Live() || i.Score < 90 {
			continue
		}
		who = append(who, i.Agent)
		if out.Verdict == "free" {
			t.describe(&out, c.Workspace, i)
		}
	}
	if len(who) > 0 {
		refs, more := t.someRefs(who)
		out.By, out.MoreBy = refs, more
		out.Next = fmt.Sprintf("Nothing refuses it, but look first at what %s does there.", names(refs, more))
	}
	return out, nil
}

// describe fills the verdict from the strongest impact.
func (t *txn) describe(out *tool.CheckFileConflictOut, here coord.WorkspaceID, i coord.Impact) {
	r := i.Reasons[0]
	out.Verdict, out.Since = "recent", r.Since
	if a := t.anns[r.Announcement]; a != nil {
		out.Verdict, out.Since, out.Subject, out.ThreadID = "announced", a.Created, a.Subject, a.Thread
		out.Elsewhere = a.Workspace != here
	}
}

// heartbeat takes or renews a lease and says how the caller appears to others.
func (h *Hub) heartbeat(t *txn, me *coord.Agent, c coord.Caller, in tool.HeartbeatIn) (tool.HeartbeatOut, error) {
	var out tool.HeartbeatOut
	if in.CurrentThread != "" {
		if _, err := t.thread(me, in.CurrentThread); err != nil {
			return out, err
		}
	}
	if in.CurrentFile != "" {
		p, err := coord.ParsePath(in.CurrentFile)
		if err != nil {
			return out, err
		}
		v := t.acquire(editor{agent: me, subagent: c.Subagent, project: me.Project, workspace: c.Workspace}, p, false)
		if v.Decision == coord.DecisionRefuse {
			out.Verdict = &v
		}
	}
	h.presence.watch(me.ID, in.CurrentThread, t.now)
	out.Activity = h.activityOf(t.agents[me.ID], t.now).state
	return out, nil
}
