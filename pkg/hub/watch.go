package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Clients without hooks are warned, not held (CONTRACT 3): their shims look at
// the announced and leased files of their working tree and report what changed.

// Unattributed is whose edit a change counts as that nobody can be named for.
const Unattributed = "workspace, unattributed"

// watchFiles answers watch.
func (h *Hub) watchFiles(t *txn, me *coord.Agent, c coord.Caller, in tool.WatchIn) (tool.WatchOut, error) {
	if len(in.Changed) > maxWatched {
		return tool.WatchOut{}, coord.Errorf(coord.TooLarge, "send less", "%d changes are over the limit of %d", len(in.Changed), maxWatched)
	}
	out := tool.WatchOut{Hooks: me.Hooks, Files: []coord.Path{}}
	if me.Hooks {
		return out, nil
	}
	e := editor{agent: me, project: me.Project, workspace: c.Workspace, lenient: true}
	for _, f := range in.Changed {
		if f.Path.IsZero() {
			return tool.WatchOut{}, coord.Errorf(coord.Invalid, "name it", "a change without a path")
		}
		if !t.accounted(h, e, f) && t.changed(e, f) {
			h.presence.called(me.ID, t.now, true) // its client is at work, without a call
		}
	}
	out.Files = t.watched(me.Project, c.Workspace, me.ID)
	return out, nil
}

// accounted reports whether somebody has reported the change, or is about to: a
// hook whose tool call runs.
func (t *txn) accounted(h *Hub, e editor, f tool.WatchedFile) bool {
	x := t.project(e.project).index
	for _, done := range x.edits[x.key(f.Path)] {
		if done.Workspace == e.workspace && done.Time >= f.Modified {
			return true
		}
	}
	if l := t.leaseAt(e, f.Path); l != nil && l.Pending {
		return true
	}
	runs, _ := h.toolRuns.during("", "", e.workspace, f.Modified)
	return slices.ContainsFunc(runs, func(s coord.HookSpan) bool { return s.From <= f.Modified })
}

// changed counts a change as somebody's edit: as the caller's when it alone has
// announced or leased the file, as nobody's when only others have, who are told;
// mine reports the first.
func (t *txn) changed(e editor, f tool.WatchedFile) (mine bool) {
	var others []coord.AgentID
	concerns := func(id coord.AgentID) {
		switch {
		case id == e.agent.ID:
			mine = true
		case !slices.Contains(others, id):
			others = append(others, id)
		}
	}
	for _, c := range t.claims(e.project, f.Path) {
		if c.ann.Workspace == e.workspace {
			concerns(c.ann.Agent)
		}
	}
	if l := t.leaseAt(e, f.Path); l != nil {
		concerns(l.Agent)
	}
	if mine && len(others) == 0 {
		t.edited(e, f.Path, "")
		return true
	}
	if !mine && slices.ContainsFunc(others, func(id coord.AgentID) bool { a := t.agents[id]; return a != nil && a.Live() && !a.Hooks }) {
		return false // its own shim sees the change, and knows whose it is
	}
	if !t.once("changed", e.workspace, f.Path, f.Modified) {
		return mine
	}
	if mine {
		others = append(others, e.agent.ID)
	}
	payload := coord.FileTouched{Path: f.Path, Workspace: e.workspace, Name: Unattributed}
	t.emit(news{kind: coord.KindFileEdited, project: e.project, priority: coord.Low, payload: payload})
	payload.Unsure = true
	t.emit(news{kind: coord.KindOverlapEdit, project: e.project, priority: coord.Medium, to: others, payload: payload})
	return mine
}
