package hub

import (
	"cmp"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// maxHere bounds the agents that an operator's status names.
const maxHere = 200

// here lists who is online in one project, or in all of them, by project and
// name. The caller holds mu.
func (h *Hub) here(project coord.ProjectID) []tool.Present {
	out := []tool.Present{}
	now := coord.At(h.now())
	for id := range h.state.projects {
		if project != "" && id != project {
			continue
		}
		for _, a := range h.state.agentsOf(id, true) {
			is := h.activityOf(a, now)
			out = append(out, tool.Present{Name: a.Name, Client: a.Client.Name, Project: id, Activity: is.state, CurrentFile: is.file})
		}
	}
	slices.SortStableFunc(out, func(a, b tool.Present) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Name, b.Name))
	})
	return out[:min(len(out), maxHere)]
}
