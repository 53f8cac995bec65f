package hub

import "github.com/coordhq/coord/pkg/coord"

// A circle of waits: everybody in it is kept from a path by the next one. The
// gate never closes one; it lets an edit through instead.

// refusal gives what keeps somebody in a waiting line from its path now, nil when
// nothing does.
func (t *txn) refusal(w *coord.Wait) *coord.Note {
	return t.obstacle(editor{agent: t.agents[w.Agent], project: w.Project, workspace: w.Workspace}, w.Path)
}

// pair is two agents of whom the first may wait for the second.
type pair struct{ who, whom coord.AgentID }

// waitsFor reports whether an agent waits, directly or through others, for the
// one that makes this request, and nobody in between can go on: refusing the
// request would close a circle. What the one does in its request changes nothing
// about that, so each agent is looked at once.
func (t *txn) waitsFor(who, whom coord.AgentID) bool {
	if known, ok := t.circles[pair{who, whom}]; ok {
		return known
	}
	if t.circles == nil {
		t.circles = map[pair]bool{}
	}
	g := waitGraph{t: t, stuck: true}
	t.circles[pair{who, whom}] = g.reaches(who, whom)
	return t.circles[pair{who, whom}]
}

// endures reports whether an obstacle lasts as long as others want. A
// reservation is over in a minute, whoever waits for whom: it closes no circle.
func endures(n *coord.Note) bool { return n.Gate != coord.GateReserved }

// stuck reports whether an agent goes no further before it gets what it waits
// for: its turn is over, or nothing has been let through since it was refused.
func (t *txn) stuck(w *coord.Wait) bool { return w.Stuck || !t.inTurn(t.agents[w.Agent], t.now) }

// waitGraph knows who is kept from a path by whom. It looks when it is asked.
type waitGraph struct {
	t     *txn
	stuck bool // only who is stuck counts, and only what endures
	edges map[coord.AgentID][]coord.AgentID
}

// ahead lists those that keep an agent from a path.
func (g *waitGraph) ahead(id coord.AgentID) []coord.AgentID {
	if edges, ok := g.edges[id]; ok {
		return edges
	}
	var edges []coord.AgentID
	for _, w := range g.t.waitsOf[id] {
		if g.stuck && !g.t.stuck(w) {
			continue
		}
		if n := g.t.refusal(w); n != nil && (!g.stuck || endures(n)) {
			edges = append(edges, n.Agent)
		}
	}
	if g.edges == nil {
		g.edges = map[coord.AgentID][]coord.AgentID{}
	}
	g.edges[id] = edges
	return edges
}

// keep notes that a path is kept for one of its line.
func (g *waitGraph) keep(winner coord.AgentID, line []*coord.Wait) {
	for _, w := range line {
		if edges, ok := g.edges[w.Agent]; ok && w.Agent != winner {
			g.edges[w.Agent] = append(edges, winner)
		}
	}
}

// reaches reports whether an agent waits, directly or through others, for
// another one.
func (g *waitGraph) reaches(from, to coord.AgentID) bool {
	seen := map[coord.AgentID]bool{}
	for next := []coord.AgentID{from}; len(next) > 0; next = next[1:] {
		if seen[next[0]] {
			continue
		}
		seen[next[0]] = true
		for _, id := range g.ahead(next[0]) {
			if id == to {
				return from != to
			}
			next = append(next, id)
		}
	}
	return false
}
