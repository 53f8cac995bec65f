package hub

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// sessionStart notes a session that begins or goes on. After a compaction or a
// resume the model knows no more where it stands: it is told.
func (k *hook) sessionStart() {
	k.lapse(k.self())
	if v := k.in.Version; v != "" && k.hub.version != "" && v != k.hub.version {
		k.note(fmt.Sprintf("coord: coord-hook is version %s and the hub is %s; run make install, then coord-hub restart.", v, k.hub.version))
	}
	if k.in.Source == "compact" || k.in.Source == "resume" {
		k.say(k.whereIStand())
	}
	k.news(coord.RungPrompt)
}

// unasked are prompts that no person has typed and that may come in the middle
// of a turn.
var unasked = []string{"system", "loop_wakeup", "schedule_wakeup", "poll_event"}

// prompt begins a turn. One that begins without the end of the one before ends
// that first: Esc fires no hook.
func (k *hook) prompt() {
	user := !slices.Contains(unasked, k.in.Source)
	k.lapse(k.self())
	if user {
		k.runsOver()
		k.inFlight(k.me.ID, "", false)
		k.must(k.turn(k.me, tool.TurnIn{Event: "begin"}))
	} else {
		k.beginTurn(k.me)
	}
	k.prompted(k.me.ID, prompt{mode: k.in.Mode, off: k.in.WakeOff, user: user, carried: k.in.Carried})
	k.progressed()
	k.news(coord.RungPrompt)
}

// beforeTool is the edit gate, and joins a call of our own tools to the subagent
// that makes it.
func (k *hook) beforeTool() {
	if k.in.Tool == coord.OurTool {
		k.hub.toolUses.told(k.me.ID, k.in.ToolUse, k.in.Subagent)
	}
	spots := k.spots()
	k.interrupted()
	k.committed(func(l *coord.Lease, f coord.Finding) bool { return !k.held(l) || f.Committed && k.quiet(l) })
	k.answer.Look, k.answer.Check = k.suspicions(spots), k.doubts(spots)
	if k.asks() {
		return // nothing has happened yet: it will ask again
	}
	k.progressed()
	k.lapse(k.self(), spots...)
	k.beginTurn(k.me)
	if k.overwrites(spots); k.answer.Refused {
		return
	}
	if k.judge(spots); k.answer.Refused {
		return // what else there is to say waits: nobody knows whether it would be read
	}
	k.hub.toolRuns.begin(k.me.ID, &k.in, k.now)
	k.answer.Work = k.unfinished()
	if k.in.Subagent == "" && k.in.ToolUse != "" {
		k.inFlight(k.me.ID, k.in.ToolUse, true)
	}
	k.news(coord.RungHook)
}

// judge asks the gate and puts its verdicts into words.
func (k *hook) judge(spots []spot) {
	if len(spots) == 0 {
		return
	}
	me := k.agents[k.me.ID]
	for i := range spots {
		spots[i].agent = me
	}
	for i, v := range k.acquireAll(spots, true).Verdicts {
		if v.Decision != coord.DecisionRefuse {
			k.unclaimed(spots[i], &v)
		}
		switch {
		case v.Decision == coord.DecisionRefuse && !k.answer.Refused:
			k.answer.Refused, k.answer.Reason = true, k.refusal(v)
		case v.Decision == coord.DecisionContext && k.in.Enforce != coord.EnforceOff:
			k.say(k.hints(v))
		}
	}
}

// maxUnfinished bounds the files that an answer lists.
const maxUnfinished = 500

// unfinished lists what has been written in the working trees that a command is
// about to touch: the leases there, held or left.
func (k *hook) unfinished() []coord.Unfinished {
	if k.in.Enforce == coord.EnforceOff || len(k.in.Trees) == 0 {
		return nil
	}
	var out []coord.Unfinished
	for _, l := range k.leases {
		here := slices.Contains(k.in.Trees, coord.HookTree{Project: l.Project, Workspace: l.Workspace})
		same := slices.ContainsFunc(k.in.Trees, func(t coord.HookTree) bool { return t.Project == l.Project })
		if l.Pending || !(here || same && l.Agent != k.me.ID) {
			continue
		}
		u := coord.Unfinished{Workspace: l.Workspace, Path: l.Path, Other: !here}
		owner := l.Agent
		if owner == k.me.ID {
			owner = k.makerOf(l)
			u.Mixed = owner != ""
		}
		if owner != "" {
			u.Owner, u.State = "another session", k.stateOf(owner)
		}
		if a := k.agents[owner]; a != nil {
			u.Owner = a.Name
		}
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b coord.Unfinished) int {
		return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Path.String(), b.Path.String()))
	})
	return out[:min(len(out), maxUnfinished)]
}

// makerOf gives the other agent whose uncommitted work may lie under a lease of
// the session, "" when there is none: one that is busy before one that is not.
func (k *hook) makerOf(l *coord.Lease) (maker coord.AgentID) {
	for _, id := range l.Makers {
		if maker == "" || k.stateOf(id) == coord.Busy {
			maker = id
		}
	}
	return maker
}

func (k *hook) afterTool() {
	if k.gitRan(); k.asks() {
		return
	}
	for _, f := range k.in.Reads {
		k.sees(k.editor(f), f.Path)
	}
	k.finish(false)
}

// toolFailed takes an edit as not done. A shell command that failed may have
// written before it did.
func (k *hook) toolFailed() {
	if k.gitRan(); !k.asks() {
		k.finish(k.in.Tool != coord.ShellTool)
	}
}

// gitRan ends the leases of what a git command of the session has committed or
// taken back, so that others need not wait for the end of its turn.
func (k *hook) gitRan() {
	var trees []coord.WorkspaceID
	for _, t := range k.in.Trees {
		trees = append(trees, t.Workspace)
	}
	k.committed(func(l *coord.Lease, _ coord.Finding) bool { return l.Agent == k.me.ID && k.atRest(l) })
	k.answer.Check = k.ownDoubts(trees...)
}

// finish notes what became of a tool call and of the files it was to write. What
// its own hook has said before reaches the model with the result, thus after
// this: it is not seen yet.
func (k *hook) finish(failed bool) {
	k.hub.toolRuns.end(k.me.ID, k.in.ToolUse, k.now)
	k.progressed()
	spots := k.spots()
	k.lapse(k.self(), spots...)
	for _, s := range spots {
		if !failed {
			k.edited(s.editor, s.path, "")
		} else if l := k.leaseAt(s.editor, s.path); l != nil && l.Agent == k.me.ID {
			k.undone(l)
		}
	}
	if k.in.Subagent == "" && k.in.ToolUse != "" {
		k.inFlight(k.me.ID, k.in.ToolUse, false)
	}
	k.news(coord.RungHook)
}

// stop ends the turn, unless tasks of the session go on, or news that should not
// wait keeps the session from stopping.
func (k *hook) stop() {
	if k.in.Subagent == "" && !k.in.Background {
		k.committed(func(l *coord.Lease, _ coord.Finding) bool { return l.Agent == k.me.ID })
		if k.answer.Check = k.ownDoubts(k.in.Workspace); k.asks() {
			return
		}
	}
	k.runsOver()
	k.lapse(k.self())
	k.inFlight(k.me.ID, "", false)
	k.progressed()
	if k.in.Subagent != "" || k.in.Background {
		return
	}
	if k.in.Blocked || !k.urgent() {
		k.turnOver()
	}
}

func (k *hook) turnOver() {
	k.runsOver()
	if k.in.Subagent == "" {
		k.must(k.turn(k.me, tool.TurnIn{Event: "end"}))
	}
}

func (k *hook) subagentStop() {
	k.runsOver()
	k.lapse(k.self())
	k.must(k.turn(k.me, tool.TurnIn{Event: "subagent_end", Subagent: k.in.Subagent}))
}

// sessionEnd leaves what the session holds. After /clear its announcements are
// gone too; after a resume of another session they stay. A client that ends
// takes an agent with it that nothing but hooks has kept here.
func (k *hook) sessionEnd() {
	switch {
	case k.in.Source == "clear":
		k.must(k.turn(k.me, tool.TurnIn{Event: "clear"}))
	case k.in.Source != "resume" && k.me.HookOnly:
		k.depart(k.me.ID)
		k.hub.presence.forget(k.me.ID)
	default:
		k.turnOver()
	}
}

// must takes the outcome of a turn, of which none can fail.
func (k *hook) must(_ tool.TurnOut, err error) {
	if err != nil {
		panic(err) // runRule makes an internal error of it
	}
}

// suspicions lists the holders that would refuse the hook and whose turn may
// have ended without a word.
func (k *hook) suspicions(spots []spot) []coord.Suspicion {
	var out []coord.Suspicion
	for _, s := range spots {
		n := k.obstacle(s.editor, s.path)
		if n == nil {
			continue
		}
		a := k.agents[n.Agent]
		if a == nil || a.Transcript == "" || a.Host != k.in.Host || a.Member != k.me.Member || !k.inTurn(a, k.now) {
			continue
		}
		q := coord.Suspicion{Agent: a.ID, Transcript: a.Transcript, Heard: k.heard[a.ID]}
		if !slices.Contains(out, q) && !k.lookedAt(q) {
			out = append(out, q)
		}
	}
	return out
}

// lookedAt reports whether the hook has answered the question. A holder that was
// heard of since is at work: that is an answer too.
func (k *hook) lookedAt(q coord.Suspicion) bool {
	return slices.ContainsFunc(k.in.Looked, func(l coord.Interruption) bool { return l.Agent == q.Agent })
}

// interrupted ends the turns that the hook has found to be over.
func (k *hook) interrupted() {
	for _, l := range k.in.Looked {
		a := k.agents[l.Agent]
		if l.Interrupted && a != nil && a.Host == k.in.Host && a.Member == k.me.Member && k.heard[a.ID] == l.Heard && k.inTurn(a, k.now) {
			k.endTurn(a)
		}
	}
}
