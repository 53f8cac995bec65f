package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// An agreed order: the participants of a thread that ended in consensus go one
// after the other. The first keeps the others off the thread's paths until it
// closes its work or its turn ends; then the next is told. One that is idle when
// its turn comes, or in a turn and not at work there, is waited for only so long.

// agreedOrder finds who goes first by the order of a proposal that was agreed.
func (t *txn) agreedOrder(e editor, p coord.Path) *coord.Note {
	var found *coord.Note
	for _, th := range t.project(e.project).threads {
		if th.Resolution != coord.Consensus || !slices.Contains(th.Paths, p) || !slices.Contains(th.Parties, e.agent.ID) {
			continue
		}
		first := t.turnOf(th, "")
		if first == "" || first == e.agent.ID || t.agents[first].Workspace != e.workspace || (found != nil && found.Thread < th.ID) {
			continue
		}
		if until := t.turnUntil(th, first, t.now); t.now < until {
			found = &coord.Note{Gate: coord.GateRightOfWay, Agent: first, Thread: th.ID, Subject: th.Subject, Since: max(th.Ended, th.OrderSince), Until: until}
		}
	}
	return found
}

// turnOf gives whose turn it is by a thread's agreed order, "" when the order
// is used up or none was agreed. Who is gone is passed over, but for leaving.
func (s *state) turnOf(th *coord.Thread, leaving coord.AgentID) coord.AgentID {
	if th.Resolution != coord.Consensus || len(th.Proposals) == 0 {
		return ""
	}
	order := th.Proposals[len(th.Proposals)-1].Order
	for _, id := range order[min(th.OrderAt, len(order)):] {
		if a := s.agents[id]; a != nil && (a.Live() || id == leaving) {
			return id
		}
	}
	return ""
}

// turnUntil is when the turn of an agent in an agreed order ends by itself.
func (s *state) turnUntil(th *coord.Thread, id coord.AgentID, now coord.Millis) coord.Millis {
	since, a := max(th.Ended, th.OrderSince), s.agents[id]
	if s.inTurn(a, now) {
		return max(since, s.lastEdit(th, id)).Add(rightLife)
	}
	if a.Hooks {
		return since.Add(idleRound)
	}
	return max(since.Add(idleRound), s.idleSince(a)) // nobody reports the end of its turn
}

// lastEdit is when an agent last edited a path of a thread, 0 = never.
func (s *state) lastEdit(th *coord.Thread, id coord.AgentID) (at coord.Millis) {
	x := s.project(th.Project).index
	for _, p := range th.Paths {
		for _, e := range slices.Backward(x.edits[x.key(p)]) {
			if e.Agent == id {
				at = max(at, e.Time)
				break
			}
		}
	}
	return at
}

// missedTurns lists the threads in whose order somebody has let its turn pass.
func (s *state) missedTurns(now coord.Millis) []coord.ThreadID {
	var out []coord.ThreadID
	for _, th := range s.threads {
		if id := s.turnOf(th, ""); id != "" && now >= s.turnUntil(th, id, now) {
			out = append(out, th.ID)
		}
	}
	slices.Sort(out)
	return out
}

// passTurns lets the next one go in every agreed order whose first is the agent:
// its turn ended, it closed its work, or it left.
func (t *txn) passTurns(a *coord.Agent) {
	for _, th := range t.threadsByNumber(a.Project) {
		if t.turnOf(th, a.ID) == a.ID {
			t.passOrder(th, a.ID)
		}
	}
}

// passOrder ends the turn of an agent in an agreed order and tells the next.
func (t *txn) passOrder(th *coord.Thread, from coord.AgentID) {
	next := *th
	next.OrderAt, next.OrderSince = slices.Index(th.Proposals[len(th.Proposals)-1].Order, from)+1, t.now
	t.putThread(&next)
	if id := t.turnOf(&next, ""); id != "" {
		t.emit(news{kind: coord.KindPathFree, project: th.Project, actor: from, thread: th.ID, priority: coord.High, to: []coord.AgentID{id},
			payload: coord.PathFree{Paths: eventPaths(th.Paths), Reason: "your turn in the agreed order"}})
	}
}
