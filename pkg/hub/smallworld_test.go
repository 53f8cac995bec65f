package hub

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// The small world: a few agents with hooks in one working tree, who do
// everything they can in every order. Each trace is played on the pure state,
// without a store, and after each step the promises of the gate are checked. Of
// traces that differ only in who is called what, one is played.

// deed is one thing that one agent does, or time that passes.
type deed struct {
	who  coord.AgentID
	act  string // announce, edit, stop, close, propose, die, wait
	path string // announce, edit
	time time.Duration
}

func (d deed) String() string {
	if d.act == "wait" {
		return d.time.String()
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", d.who, d.act, d.path))
}

// smallWorld explores one set of agents and paths.
type smallWorld struct {
	t      *testing.T
	hub    *Hub
	state  *state
	deeds  []deed
	trace  []deed
	now    coord.Millis
	played int
	failed int // exploring ends after a few
}

const smallProject, smallTree = coord.ProjectID("p"), coord.WorkspaceID("w")

func newSmallWorld(t *testing.T, agents []coord.AgentID, paths, acts []string, pauses []time.Duration) *smallWorld {
	w := &smallWorld{t: t, hub: &Hub{}, state: newState(), now: 1_000_000}
	setup := newTxn(w.state, w.now)
	for _, id := range agents {
		setup.putAgent(&coord.Agent{ID: id, Name: string(id), Project: smallProject, Workspace: smallTree, Status: coord.Online, Hooks: true, Registered: w.now})
		for _, act := range acts {
			if act != "announce" && act != "edit" {
				w.deeds = append(w.deeds, deed{who: id, act: act})
				continue
			}
			for _, p := range paths {
				w.deeds = append(w.deeds, deed{who: id, act: act, path: p})
			}
		}
	}
	for _, d := range pauses {
		w.deeds = append(w.deeds, deed{who: agents[0], act: "wait", time: d})
	}
	return w
}

// explore plays every trace that goes on from here, at most so many deeds long.
// What a deed changed is taken back after its continuations.
func (w *smallWorld) explore(depth int) {
	for _, d := range w.deeds {
		if depth == 0 || w.failed > 10 {
			return
		}
		t := newTxn(w.state, w.now)
		if !w.possible(t, d) || !w.named(d) {
			continue
		}
		before := w.now
		t.now = before.Add(time.Second)
		w.trace = append(w.trace, d)
		w.do(t, d)
		t.serveLines()
		w.now = t.now
		w.played++
		w.check()
		w.explore(depth - 1)
		t.rollback()
		w.trace, w.now = w.trace[:len(w.trace)-1], before
	}
}

// named leaves out traces in which agents or paths do not appear for the first
// time in the order of their names.
func (w *smallWorld) named(d deed) bool {
	var who, path string
	for _, before := range w.trace {
		if before.act != "wait" {
			who, path = max(who, string(before.who)), max(path, before.path)
		}
	}
	next := func(last, first, name string) bool {
		return name <= last || (last == "" && name == first) || (last != "" && name[0] == last[0]+1)
	}
	return d.act == "wait" || (next(who, "a", string(d.who)) && (d.path == "" || next(path, "x", d.path)))
}

// possible leaves out deeds that would change nothing.
func (w *smallWorld) possible(t *txn, d deed) bool {
	a := t.agents[d.who]
	switch {
	case d.act == "wait":
		return true
	case !a.Live():
		return false
	case d.act == "stop":
		return a.TurnSince > 0
	case d.act == "close":
		return len(t.announcementsOf(d.who)) > 0
	case d.act == "propose":
		return w.negotiable(t, d.who) != nil
	default:
		return true
	}
}

// negotiable gives the oldest live thread of an agent in which it has something
// to say.
func (w *smallWorld) negotiable(t *txn, id coord.AgentID) *coord.Thread {
	for _, th := range t.threadsOf(id) {
		if p := th.Proposal(); p == nil || !slices.Contains(p.Approved, id) {
			return th
		}
	}
	return nil
}

// do plays one deed the way a client would: what an agent does, it does in a
// turn; a proposal of the other side is approved.
func (w *smallWorld) do(t *txn, d deed) {
	me := t.agents[d.who]
	if !slices.Contains([]string{"stop", "die", "wait"}, d.act) {
		me = t.beginTurn(me)
	}
	caller := coord.Caller{Agent: d.who, Project: smallProject, Workspace: smallTree}
	var err error
	switch d.act {
	case "announce":
		_, err = w.hub.announce(t, me, caller, tool.AnnounceWorkIn{Subject: "s", TargetFiles: []string{d.path}})
	case "edit":
		err = w.edit(t, me, caller, d.path)
	case "stop":
		t.endTurn(me)
	case "close":
		_, err = w.hub.closeWork(t, me, caller, tool.CloseThreadIn{ThreadID: string(t.announcementsOf(d.who)[0].ID)})
	case "propose":
		th := w.negotiable(t, d.who)
		if th.Proposal() != nil {
			_, err = t.approve(me, tool.ApproveResolutionIn{ThreadID: th.ID})
			break
		}
		order := []coord.AgentID{d.who}
		for _, id := range th.Participants() {
			if id != d.who {
				order = append(order, id)
			}
		}
		_, err = t.propose(me, tool.ProposeResolutionIn{ThreadID: th.ID, Summary: "me first", Order: order})
	case "die":
		t.depart(d.who)
	case "wait":
		w.pass(t, d.time)
	}
	if err != nil {
		w.fault("%s: %v", d, err)
	}
}

// edit asks the gate and writes when it may. Over somebody else's uncommitted
// work it must have been told.
func (w *smallWorld) edit(t *txn, me *coord.Agent, c coord.Caller, path string) error {
	p, err := coord.ParsePath(path)
	if err != nil {
		return err
	}
	under := t.leaseAt(editor{agent: me, project: smallProject, workspace: smallTree}, p)
	out, err := w.hub.acquire(t, me, c, tool.AcquireIn{FilePaths: []string{path}})
	if err != nil || out.Decision == coord.DecisionRefuse {
		return err
	}
	warned := slices.ContainsFunc(out.Verdicts[0].Notes, func(n coord.Note) bool { return n.Gate == coord.GateUncommitted && n.Agent == under.Agent })
	if under != nil && under.Agent != me.ID && !warned {
		w.fault("an overwrite without a word: %v", out.Verdicts)
	}
	_, err = w.hub.edited(t, t.agents[me.ID], c, tool.EditedIn{FilePaths: []string{path}})
	return err
}

func (w *smallWorld) fault(format string, args ...any) {
	w.failed++
	w.t.Errorf("%v\n\t%s", w.trace, fmt.Sprintf(format, args...))
}

// check holds the promises against the state as it is.
func (w *smallWorld) check() {
	t := newTxn(w.state, w.now)
	seen := map[coord.PathKey]bool{}
	for _, l := range t.leases {
		if k := coord.PathKey(l.Path.String()); seen[k] {
			w.fault("two leases of %s", l.Path)
		} else {
			seen[k] = true
		}
	}
	refused := map[coord.AgentID][]coord.AgentID{}
	stuck := map[coord.AgentID][]coord.AgentID{} // of those who cannot go on, by what does not end in a minute
	for _, wait := range t.waitsByNumber() {
		if n := w.refusal(t, wait); n != nil {
			if n.Gate != coord.GateReserved && (wait.Stuck || t.agents[wait.Agent].TurnSince == 0) {
				stuck[wait.Agent] = append(stuck[wait.Agent], n.Agent)
			}
			refused[wait.Agent] = append(refused[wait.Agent], n.Agent)
		}
	}
	for id := range stuck {
		if circle(stuck, id) {
			w.fault("a circle of refusals: %v", stuck)
		}
	}
	for id := range refused {
		w.mustEndByOthers(id)
		w.mustEndByTime(id)
	}
}

// refusal gives what keeps a waiting agent from its path now.
func (w *smallWorld) refusal(t *txn, wait *coord.Wait) *coord.Note {
	return t.obstacle(editor{agent: t.agents[wait.Agent], project: wait.Project, workspace: wait.Workspace}, wait.Path)
}

// circle reports whether an agent is refused because of itself in the end.
func circle(refused map[coord.AgentID][]coord.AgentID, from coord.AgentID) bool {
	seen := map[coord.AgentID]bool{}
	var follow func(coord.AgentID) bool
	follow = func(a coord.AgentID) bool {
		for _, next := range refused[a] {
			if next == from {
				return true
			}
			if !seen[next] {
				seen[next] = true
				if follow(next) {
					return true
				}
			}
		}
		return false
	}
	return follow(from)
}

// mustEndByOthers lets all others stop, and in another future die: whoever waits
// must then be served, at the latest when those before it in the line have let
// their minute pass.
func (w *smallWorld) mustEndByOthers(id coord.AgentID) {
	for _, how := range []string{"stop", "die"} {
		t := newTxn(w.state, w.now)
		for _, a := range t.agentsOf(smallProject, true) {
			switch {
			case a.ID == id:
			case how == "die":
				t.depart(a.ID)
			case a.TurnSince > 0:
				t.endTurn(a)
			}
			t.serveLines()
		}
		pending := t.waitsByNumber()
		for range 4 {
			pending = slices.DeleteFunc(pending, func(wait *coord.Wait) bool {
				now := t.waits[wait.ID]
				return wait.Agent != id || now == nil || (now.Told != 0 && w.refusal(t, now) == nil)
			})
			w.pass(t, time.Minute)
		}
		if len(pending) > 0 {
			w.fault("%s waits for %s although all others %s: %+v", id, pending[0].Path, how, w.refusal(t, pending[0]))
		}
		t.rollback()
	}
}

// mustEndByTime lets nobody do anything for a day.
func (w *smallWorld) mustEndByTime(id coord.AgentID) {
	t := newTxn(w.state, w.now)
	waits := t.waitsByNumber()
	for _, d := range []time.Duration{11 * time.Minute, 5 * time.Minute, 5 * time.Minute, 24 * time.Hour} {
		w.pass(t, d)
	}
	for _, wait := range waits {
		if n := w.refusal(t, wait); wait.Agent == id && n != nil {
			w.fault("%s is refused %s for ever: %+v", id, wait.Path, n)
		}
	}
	t.rollback()
}

// pass lets time pass, as the hub's timer does.
func (w *smallWorld) pass(t *txn, d time.Duration) {
	t.now = t.now.Add(d)
	for _, id := range t.overdue(t.now) {
		t.expire(id)
	}
	t.age()
	t.serveLines()
}

func TestEveryShortTraceKeepsThePromisesOfTheGate(t *testing.T) {
	all := []string{"announce", "edit", "stop", "close", "propose", "die"}
	for _, tt := range []struct {
		name   string
		agents []coord.AgentID
		paths  []string
		acts   []string
		pauses []time.Duration
		length int
	}{
		{"two agents, two paths", []coord.AgentID{"a", "b"}, []string{"x", "y"}, all, nil, 5},
		{"three agents, one path", []coord.AgentID{"a", "b", "c"}, []string{"x"}, all, nil, 5},
		{"two agents, one path, and time", []coord.AgentID{"a", "b"}, []string{"x"}, all, []time.Duration{time.Minute, 11 * time.Minute, 31 * time.Minute}, 5},
		{"three agents who only edit three paths", []coord.AgentID{"a", "b", "c"}, []string{"x", "y", "z"}, []string{"edit", "stop"}, nil, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newSmallWorld(t, tt.agents, tt.paths, tt.acts, tt.pauses)
			w.explore(tt.length)
			if w.played < 10_000 {
				t.Errorf("only %d steps were played", w.played)
			}
			t.Logf("%d steps", w.played)
		})
	}
}
