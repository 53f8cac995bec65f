package hub

import (
	"cmp"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// projectAt says in which project a caller of a working tree works. One directory
// is one project, whatever git said of it at the moment somebody asked: it says
// something else after the first commit, once there is an origin, or when it
// cannot be run. Therefore a caller joins the live agents of its very working
// tree; with several projects there, its own if that is one of them, else that
// of the oldest agent whose project the user has not named, or of the oldest at
// all. A caller whose project the user has named keeps it.
//
// A nested repository, a submodule and a linked working tree have another top,
// so they are another working tree.
func (s *state) projectAt(asked coord.ProjectID, ws coord.WorkspaceID, fixed bool) coord.ProjectID {
	if fixed || ws == "" {
		return asked
	}
	var oldest *coord.Agent
	for _, a := range s.agents {
		switch {
		case a.Workspace != ws || !a.Live():
		case a.Project == asked:
			return asked
		case oldest == nil || oldest.Fixed && !a.Fixed || oldest.Fixed == a.Fixed && older(a, oldest):
			oldest = a
		}
	}
	if oldest == nil {
		return asked
	}
	return oldest.Project
}

func older(a, b *coord.Agent) bool {
	return cmp.Or(cmp.Compare(a.Registered, b.Registered), cmp.Compare(a.ID, b.ID)) < 0
}

// settleHook puts what a hook names into the projects it belongs to.
func (s *state) settleHook(in coord.HookCall) coord.HookCall {
	in.Project = s.projectAt(in.Project, in.Workspace, in.Fixed)
	known := map[coord.HookTree]coord.ProjectID{}
	of := func(p coord.ProjectID, ws coord.WorkspaceID) coord.ProjectID {
		at := coord.HookTree{Project: p, Workspace: ws}
		if _, ok := known[at]; !ok {
			known[at] = s.projectAt(p, ws, in.Fixed)
		}
		return known[at]
	}
	in.Files, in.Trees = slices.Clone(in.Files), slices.Clone(in.Trees)
	for i, f := range in.Files {
		in.Files[i].Project = of(f.Project, f.Workspace)
	}
	for i, t := range in.Trees {
		in.Trees[i].Project = of(t.Project, t.Workspace)
	}
	return in
}
