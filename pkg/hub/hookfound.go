package hub

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// What shell commands have written is found out afterwards by their hooks
// (CONTRACT 3): it counts as edits, and those whom it hits are told on both
// sides.

// maxWatched bounds the files that a hook or shim looks at.
const maxWatched = 500

// watch tells a hook what to look at after a shell command. It changes nothing.
func (h *Hub) watch(c coord.Caller, in coord.HookCall, said *coord.HookAnswer) (json.RawMessage, error) {
	if err := checkHook(in); err != nil {
		return nil, err
	}
	now := coord.At(h.now())
	h.mu.RLock()
	defer h.mu.RUnlock()
	a := h.state.agentOfHook(c, in, false, now)
	if a == nil {
		return asJSON(coord.HookAnswer{})
	}
	var from coord.Millis
	if in.Duration > 0 {
		from = now.Add(-time.Duration(in.Duration) * time.Millisecond)
	}
	list := coord.HookWatchList{Files: h.state.watched(in.Project, in.Workspace, a.ID)}
	list.Others, list.Began = h.toolRuns.during(a.ID, in.ToolUse, in.Workspace, from)
	said.Watch = &list
	return asJSON(*said)
}

// watched lists the files of a working tree whose change concerns somebody: the
// leased ones, the announced ones, and those the agent has edited, the newest of
// each first.
func (s *state) watched(project coord.ProjectID, ws coord.WorkspaceID, agent coord.AgentID) []coord.Path {
	p := s.project(project)
	x := p.index
	out := []coord.Path{}
	have := map[coord.PathKey]bool{}
	add := func(q coord.Path) {
		if k := x.key(q); !have[k] && len(out) < maxWatched {
			have[k] = true
			out = append(out, q)
		}
	}
	var leases []*coord.Lease
	for _, at := range x.leases {
		for _, l := range at {
			if l.Workspace == ws {
				leases = append(leases, l)
			}
		}
	}
	slices.SortFunc(leases, func(a, b *coord.Lease) int {
		return cmp.Or(cmp.Compare(b.Touched, a.Touched), cmp.Compare(a.Path.String(), b.Path.String()))
	})
	for _, l := range leases {
		add(l.Path)
	}
	var anns []*coord.Announcement
	for _, a := range p.anns {
		if a.Workspace == ws {
			anns = append(anns, a)
		}
	}
	slices.SortFunc(anns, func(a, b *coord.Announcement) int {
		return cmp.Or(cmp.Compare(b.Created, a.Created), cmp.Compare(a.ID, b.ID))
	})
	for _, a := range anns {
		for _, t := range a.Targets {
			if t.Kind == coord.FileTarget {
				add(t.Path)
			}
			for _, q := range t.Expanded {
				add(q)
			}
		}
	}
	for _, e := range slices.Backward(x.recent) {
		if e.Workspace == ws && e.Agent == agent {
			add(e.Path)
		}
	}
	return out
}

// runsOver notes that no call of the hook's thread of work runs any more.
func (k *hook) runsOver() { k.hub.toolRuns.over(k.me.ID, k.in.Subagent, k.now) }

// foundOut takes over what commands of the session have written.
func (k *hook) foundOut() {
	for _, f := range k.in.Found {
		if f.Unsure && k.hub.toolRuns.explains(k.me.ID, f) {
			continue
		}
		e := editor{agent: k.agents[k.me.ID], subagent: f.Subagent, project: f.File.Project, workspace: f.File.Workspace, lenient: true}
		k.foundWritten(e, f)
	}
}

// foundWritten takes one write over as an edit. One that the editor has reported
// itself is known; a removal is found again as long as the directory changes.
func (t *txn) foundWritten(e editor, f coord.HookFound) {
	l := t.leaseAt(e, f.File.Path)
	var lease coord.LeaseID
	if l != nil {
		lease = l.ID
	}
	x := t.project(e.project).index
	edits := x.edits[x.key(f.File.Path)]
	switch {
	case l != nil && l.Agent == e.agent.ID && !l.Pending && l.Touched >= f.From:
		return
	case f.Gone && (l == nil || l.Pending) && len(edits) == 0: // it may never have been there
		return
	case f.Gone && !t.once("gone", e.workspace, f.File.Path, lease):
		return
	}
	hit, left := t.hitBy(e, f.File.Path)
	if hit != nil && t.onceIn(time.Minute, "written", e.agent.ID, hit.ID, e.workspace, f.File.Path) {
		t.tellHit(e, f, hit, left && !f.Unsure)
	}
	var v coord.Verdict
	t.contexts(e, f.File.Path, &v) // tells those in other working trees, and who depends on the file
	if hit != nil && f.Unsure {
		return // nobody knows whose work it is: the lease stays where it is
	}
	t.edited(e, f.File.Path, "")
	if a := t.agents[e.agent.ID]; !t.inTurn(a, t.now) { // found after the end of the turn
		if l := t.leaseAt(e, f.File.Path); l != nil && l.Agent == a.ID {
			t.leave(l)
		}
	}
}

// hitBy finds whose right or whose uncommitted work a write meets in its own
// working tree, nil = nobody's; left says that it is a left lease.
func (t *txn) hitBy(e editor, p coord.Path) (peer *coord.Agent, left bool) {
	if n := t.obstacle(e, p); n != nil {
		return t.agents[n.Agent], false
	}
	if l := t.leaseAt(e, p); l != nil && l.Agent != e.agent.ID && !l.Pending {
		return t.agents[l.Agent], true
	}
	return nil, false
}

// tellHit tells both sides. Whose left lease goes over is told of that.
func (t *txn) tellHit(e editor, f coord.HookFound, hit *coord.Agent, passes bool) {
	if !passes {
		to := touched(e, f.File.Path, "")
		to.Unsure = f.Unsure
		t.emit(news{kind: coord.KindOverlapEdit, project: e.project, actor: e.agent.ID, priority: coord.Medium, to: []coord.AgentID{hit.ID}, payload: to})
	}
	t.emit(news{kind: coord.KindOverlapWritten, project: e.project, actor: e.agent.ID, priority: coord.Medium, to: []coord.AgentID{e.agent.ID},
		payload: coord.FileTouched{Path: f.File.Path, Workspace: e.workspace, Agent: hit.ID, Name: hit.Name, Unsure: f.Unsure}})
}

// spent counts the tokens that a hook reports. It never fails: a number that
// cannot be right is left out.
func (k *hook) spent() {
	s := k.in.Spent
	if s == nil {
		return
	}
	k.answer.Counted = true
	if !k.once("spent", k.me.ID, s.Key) {
		return
	}
	var uses []coord.Tokens
	for _, u := range s.Uses {
		if plausible(u) {
			uses = append(uses, u)
		}
	}
	if _, err := k.recordTokens(k.me.ID, uses); err != nil {
		k.hub.log.Info("tokens of a session are not all counted", "agent", k.me.ID, "error", err)
	}
}
