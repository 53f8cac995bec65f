package hub

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// hotWindow is how far back hot_files looks unless it is told.
const hotWindow = 30 * time.Minute

// maxHotAgents bounds the agents named for one hot file.
const maxHotAgents = 10

// logAction notes what the caller did; with a file it is an edit.
func (h *Hub) logAction(t *txn, me *coord.Agent, c coord.Caller, in tool.LogActionSummaryIn) (tool.LogActionSummaryOut, error) {
	out := tool.LogActionSummaryOut{Recorded: true, FilePath: in.FilePath, Time: t.now}
	if in.FilePath == "" {
		t.putEdit(coord.Edit{Project: me.Project, Workspace: c.Workspace, Agent: me.ID, Time: t.now, Summary: in.Summary})
		return out, nil
	}
	p, err := coord.ParsePath(in.FilePath)
	if err != nil {
		return tool.LogActionSummaryOut{}, err
	}
	t.edited(editor{agent: me, subagent: c.Subagent, project: me.Project, workspace: c.Workspace}, p, in.Summary)
	out.FilePath = p.String()
	return out, nil
}

func (h *Hub) hotFilesOf(_ *coord.Agent, c coord.Caller, in tool.HotFilesIn) (tool.HotFilesOut, error) {
	skip, err := offset(in.Cursor)
	if err != nil {
		return tool.HotFilesOut{}, err
	}
	window := time.Duration(in.SinceMinutes) * time.Minute
	if in.SinceMinutes == 0 {
		window = hotWindow
	}
	p := newPage[tool.HotFile](in.Limit)
	next := fill(p, h.state.hotFiles(c.Project, coord.At(h.now()).Add(-window)), skip, same)
	return tool.HotFilesOut{Files: p.rows, NextCursor: next}, nil
}

// hotFiles lists the paths that more than one agent has edited since then or
// has a lease on, the most crowded first.
func (s *state) hotFiles(id coord.ProjectID, since coord.Millis) []tool.HotFile {
	return s.busyFiles(id, since, 2)
}

// busyFiles is hotFiles for any least number of agents.
func (s *state) busyFiles(id coord.ProjectID, since coord.Millis, agents int) []tool.HotFile {
	x := s.project(id).index
	found := map[coord.PathKey]*tool.HotFile{}
	met := func(p coord.Path, agent coord.AgentID) *tool.HotFile {
		hot := found[x.key(p)]
		if hot == nil {
			hot = &tool.HotFile{Path: p}
			found[x.key(p)] = hot
		}
		if ref := s.refOf(agent); !slices.Contains(hot.Agents, ref) {
			hot.Agents = append(hot.Agents, ref)
		}
		return hot
	}
	for _, e := range slices.Backward(x.recent) {
		if e.Time < since {
			break
		}
		hot := met(e.Path, e.Agent)
		hot.Edits++
		hot.Last = max(hot.Last, e.Time)
	}
	for _, leases := range x.leases {
		for _, l := range leases {
			met(l.Path, l.Agent)
		}
	}
	var out []tool.HotFile
	for _, hot := range found {
		if len(hot.Agents) < agents {
			continue
		}
		slices.SortFunc(hot.Agents, func(a, b tool.AgentRef) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
		out = append(out, *hot)
	}
	slices.SortFunc(out, func(a, b tool.HotFile) int {
		return cmp.Or(len(b.Agents)-len(a.Agents), cmp.Compare(a.Path.String(), b.Path.String()))
	})
	for i := range out {
		if n := len(out[i].Agents); n > maxHotAgents {
			out[i].Agents, out[i].MoreAgents = out[i].Agents[:maxHotAgents], n-maxHotAgents
		}
	}
	return out
}

func (h *Hub) sessionFiles(ctx context.Context, c coord.Caller, in tool.GetSessionFilesIn) (tool.GetSessionFilesOut, error) {
	who := in.Agent
	if who == "" {
		who = string(c.Agent)
	}
	h.mu.RLock()
	a, err := h.state.findAgent(c.Project, who)
	h.mu.RUnlock()
	if err != nil {
		return tool.GetSessionFilesOut{}, err
	}
	out := tool.GetSessionFilesOut{Agent: tool.AgentRef{ID: a.ID, Name: a.Name}}
	p := newPage[tool.SessionFile](in.Limit)
	files, err := h.store.EditedFiles(ctx, c.Project, a.ID, in.Cursor, p.limit+1)
	if err != nil {
		return out, storage(err)
	}
	for _, f := range files {
		if !p.add(tool.SessionFile{Path: f.Path, Edits: f.Edits, Last: f.Last, Summary: shorten(f.Summary, maxActionBytes)}) {
			out.NextCursor = p.rows[len(p.rows)-1].Path.String()
			break
		}
	}
	out.Files = p.rows
	return out, nil
}
