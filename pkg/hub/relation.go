package hub

import (
	"encoding/json"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// relationOf says what an event has to do with one of its recipients.
func (s *state) relationOf(agent coord.AgentID, ev *coord.Event) coord.Relation {
	if th := s.threads[ev.Thread]; th != nil && (th.Has(agent) || slices.Contains(th.Parties, agent)) {
		return coord.RelationParty
	}
	for _, p := range pathsOf(ev) {
		switch {
		case slices.ContainsFunc(s.linesOf(agent), func(w *coord.Wait) bool { return w.Path == p }):
			return coord.RelationWaiter
		case s.holds(agent, ev.Project, p):
			return coord.RelationHolder
		}
	}
	if ev.Kind == coord.KindPathFree { // the line it was told from may have ended
		return coord.RelationWaiter
	}
	return coord.RelationBystander
}

// pathsOf lists the paths that an event is about.
func pathsOf(ev *coord.Event) []coord.Path {
	var about struct {
		Path  coord.Path   `json:"path"`
		Paths []coord.Path `json:"paths"`
	}
	if json.Unmarshal(ev.Payload, &about) != nil {
		return nil
	}
	if !about.Path.IsZero() {
		about.Paths = append(about.Paths, about.Path)
	}
	return about.Paths
}

func (s *state) linesOf(agent coord.AgentID) []*coord.Wait {
	var out []*coord.Wait
	for _, w := range s.waitsOf[agent] {
		out = append(out, w)
	}
	return out
}

// holds reports whether an agent has leased or announced a path.
func (s *state) holds(agent coord.AgentID, project coord.ProjectID, p coord.Path) bool {
	x := s.project(project).index
	return slices.ContainsFunc(x.leases[x.key(p)], func(l *coord.Lease) bool { return l.Agent == agent }) ||
		slices.ContainsFunc(s.claims(project, p), func(c claim) bool { return c.ann.Agent == agent })
}

// priorityFor is how hard delivery tries to bring an event to a recipient: as
// hard as the event itself wants, and at least as its kind does.
func (s *state) priorityFor(agent coord.AgentID, ev *coord.Event) coord.Priority {
	own := coord.PriorityOf(ev.Kind, s.relationOf(agent, ev))
	if ranks[ev.Priority] > ranks[own] {
		return ev.Priority
	}
	return own
}
