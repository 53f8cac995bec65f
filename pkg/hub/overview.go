package hub

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
	"github.com/coordhq/coord/pkg/tool"
)

// Default numbers of rows of the views.
const (
	viewAgentRows  = 200
	viewThreadRows = 100
	viewLeaseRows  = 200
	viewFileRows   = 50
	viewFileWindow = time.Hour
	viewSummary    = 500 // bytes of a thread's summary in a row
)

// scope lists the projects that a caller looks at, by id: its own, the one it
// named, or all.
func (s *state) scope(c coord.Caller) []coord.ProjectID {
	if c.Project != "" || !c.Operator {
		return []coord.ProjectID{c.Project}
	}
	return slices.Sorted(maps.Keys(s.projects))
}

// top gives the first rows and how many more there are.
func top[T any](rows []T, limit, none int) ([]T, int) {
	n := min(len(rows), orDefault(limit, none))
	return list(rows[:n]), len(rows) - n
}

func (h *Hub) viewAgents(_ *coord.Agent, c coord.Caller, in tool.ViewAgentsIn) (tool.ViewAgentsOut, error) {
	now := coord.At(h.now())
	var rows []tool.AgentLine
	for _, id := range h.state.scope(c) {
		for _, a := range h.state.agentsOf(id, false) {
			if a.Live() || a.LastSeen >= now.Add(-tool.ViewWindow) {
				rows = append(rows, h.agentLine(a, c.Agent, now))
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b tool.AgentLine) int {
		return cmp.Or(cmp.Compare(gone(a), gone(b)), cmp.Compare(a.Project, b.Project))
	})
	out := tool.ViewAgentsOut{}
	out.Agents, out.More = top(rows, in.Limit, viewAgentRows)
	return out, nil
}

// gone orders those who are here before those who are not.
func gone(a tool.AgentLine) int {
	if a.Status == coord.Offline {
		return 1
	}
	return 0
}

func (h *Hub) agentLine(a *coord.Agent, me coord.AgentID, now coord.Millis) tool.AgentLine {
	is := h.activityOf(a, now)
	line := tool.AgentLine{AgentView: h.agentView(a, me), Project: a.Project, CurrentFile: is.file, ThreadID: is.thread, Since: is.since, Registered: a.Registered,
		LastAction: shorten(h.state.actions[a.ID], maxActionBytes), Hooks: a.Hooks}
	line.Activity = is.state
	return line
}

func (h *Hub) viewThreads(_ *coord.Agent, c coord.Caller, in tool.ViewThreadsIn) (tool.ViewThreadsOut, error) {
	skip, err := offset(in.Cursor)
	if err != nil {
		return tool.ViewThreadsOut{}, err
	}
	var found []*coord.Thread
	for _, id := range h.state.scope(c) {
		for _, th := range h.state.project(id).threads {
			if (in.Status == "" || th.Status == in.Status) && (!in.Live || th.Status.Live()) {
				found = append(found, th)
			}
		}
	}
	slices.SortFunc(found, func(a, b *coord.Thread) int { return byNumber(b, a) })
	rows, more := top(found[min(skip, len(found)):], in.Limit, viewThreadRows)
	out := tool.ViewThreadsOut{Threads: []tool.ThreadLine{}}
	for _, th := range rows {
		out.Threads = append(out.Threads, h.state.threadLine(th))
	}
	if more > 0 {
		out.NextCursor = strconv.Itoa(skip + len(rows))
	}
	return out, nil
}

func (s *state) threadLine(th *coord.Thread) tool.ThreadLine {
	out := tool.ThreadLine{ThreadRow: s.threadRow(th), Project: th.Project, Category: th.Category, Layer: th.Layer,
		Summary: shorten(th.Summary, viewSummary)}
	if v := s.view(th); v.Proposal != nil {
		out.Proposal = v.Proposal
		out.Proposal.Summary = shorten(out.Proposal.Summary, viewSummary)
	}
	out.Awaiting, _ = s.someRefs(awaited(th))
	return out
}

// linePlace names one waiting line.
type linePlace struct {
	project   coord.ProjectID
	workspace coord.WorkspaceID
	key       coord.PathKey
}

func (h *Hub) viewLeases(_ *coord.Agent, c coord.Caller, in tool.ViewLeasesIn) (tool.ViewLeasesOut, error) {
	now := coord.At(h.now())
	scope := h.state.scope(c)
	rows := map[linePlace]*tool.LeaseLine{}
	place := func(p coord.ProjectID, w coord.WorkspaceID, path coord.Path) linePlace {
		return linePlace{p, w, h.state.project(p).index.key(path)}
	}
	for _, l := range h.state.leases {
		if slices.Contains(scope, l.Project) {
			rows[place(l.Project, l.Workspace, l.Path)] = &tool.LeaseLine{ID: l.ID, Project: l.Project, Workspace: l.Workspace, Path: l.Path,
				Holder: h.state.refOf(l.Agent), Subagent: l.Subagent, Taken: l.Taken, Touched: l.Touched, Held: h.state.held(l, now), Waiting: []tool.WaitLine{}}
		}
	}
	for _, w := range h.state.waitsByNumber() {
		if !slices.Contains(scope, w.Project) {
			continue
		}
		at := place(w.Project, w.Workspace, w.Path)
		if rows[at] == nil {
			rows[at] = &tool.LeaseLine{Project: w.Project, Workspace: w.Workspace, Path: w.Path, Holder: h.state.refOf(w.For), Announcement: w.Blocker}
		}
		rows[at].Waiting = append(rows[at].Waiting, tool.WaitLine{Agent: h.state.refOf(w.Agent), Since: w.Since, Reserved: w.Reserved, Told: w.Told})
	}
	out := tool.ViewLeasesOut{}
	out.Leases, out.More = top(inOrder(rows), in.Limit, viewLeaseRows)
	return out, nil
}

// inOrder puts what somebody waits for first, then what is held, by path.
func inOrder(rows map[linePlace]*tool.LeaseLine) []tool.LeaseLine {
	rank := func(l tool.LeaseLine) int {
		switch {
		case len(l.Waiting) > 0:
			return 0
		case l.Held:
			return 1
		default:
			return 2
		}
	}
	var out []tool.LeaseLine
	for _, l := range rows {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b tool.LeaseLine) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Path.String(), b.Path.String()), cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Project, b.Project))
	})
	return out
}

func (h *Hub) viewFiles(_ *coord.Agent, c coord.Caller, in tool.ViewFilesIn) (tool.ViewFilesOut, error) {
	window := time.Duration(in.SinceMinutes) * time.Minute
	if in.SinceMinutes == 0 {
		window = viewFileWindow
	}
	var rows []tool.FileLine
	for _, id := range h.state.scope(c) {
		for _, f := range h.state.busyFiles(id, coord.At(h.now()).Add(-window), 1) {
			if f.Edits > 0 { // a lease alone is no edit
				rows = append(rows, tool.FileLine{Project: id, HotFile: f})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b tool.FileLine) int {
		return cmp.Or(len(b.Agents)+b.MoreAgents-len(a.Agents)-a.MoreAgents, b.Edits-a.Edits)
	})
	out := tool.ViewFilesOut{}
	out.Files, out.More = top(rows, in.Limit, viewFileRows)
	return out, nil
}

func (h *Hub) viewStats(_ *coord.Agent, c coord.Caller, _ tool.ViewStatsIn) (tool.ViewStatsOut, error) {
	since := coord.At(h.now()).Add(-tool.ViewWindow)
	out := tool.ViewStatsOut{Since: since, Outcomes: map[string]int{}, Layers: []tool.LayerCount{}}
	byLayer := map[coord.Layer]int{}
	var agreed []int64
	rounds := 0
	for _, id := range h.state.scope(c) {
		p := h.state.project(id)
		out.Announcements += len(p.anns)
		out.Edits += len(p.index.recent)
		for _, th := range p.threads {
			if th.Created < since || th.KeepOpen {
				continue
			}
			out.Opened++
			out.Outcomes[outcomeOf(th)]++
			byLayer[th.Layer]++
			if th.Resolution == coord.Consensus {
				agreed, rounds = append(agreed, int64(th.Ended-th.Created)), rounds+th.Round
			}
		}
	}
	if n := len(agreed); n > 0 {
		slices.Sort(agreed)
		out.MedianMS, out.Rounds = agreed[n/2], float64(rounds)/float64(n)
	}
	for _, l := range impact.Layers {
		out.Layers = append(out.Layers, tool.LayerCount{Layer: l.Name, Score: l.Score, Threads: byLayer[l.Name]})
	}
	return out, nil
}

// outcomeOf words how a thread ended.
func outcomeOf(th *coord.Thread) string {
	switch {
	case th.Status.Live():
		return "live"
	case th.Resolution != "":
		return string(th.Resolution)
	default:
		return string(th.Status)
	}
}

func (h *Hub) overview(me *coord.Agent, c coord.Caller, in tool.OverviewIn) (out tool.OverviewOut, err error) {
	stats := h.publisher.Stats()
	out.Hub = tool.HubStatus{Instance: h.instance, Version: h.version, Started: h.started, Epoch: h.state.epoch}
	out.MQTT = tool.MQTTStatus{Connections: stats.Connections, Published: stats.Published, Dropped: stats.Dropped}
	out.Projects = []tool.ProjectLine{}
	for _, id := range h.state.scope(c) {
		line := tool.ProjectLine{ID: id}
		for _, a := range h.state.project(id).agents {
			if a.Live() {
				line.Online++
			}
		}
		out.Projects = append(out.Projects, line)
	}
	agents, _ := h.viewAgents(me, c, tool.ViewAgentsIn{}) // none of these can fail without a cursor
	if in.Steady {
		for i := range agents.Agents {
			agents.Agents[i].LastSeen -= agents.Agents[i].LastSeen % coord.Millis(time.Minute.Milliseconds())
		}
	}
	threads, _ := h.viewThreads(me, c, tool.ViewThreadsIn{})
	leases, _ := h.viewLeases(me, c, tool.ViewLeasesIn{})
	files, _ := h.viewFiles(me, c, tool.ViewFilesIn{})
	out.Agents, out.Threads, out.Leases, out.Files = agents.Agents, threads.Threads, leases.Leases, files.Files
	out.Stats, err = h.viewStats(me, c, tool.ViewStatsIn{})
	return out, err
}
