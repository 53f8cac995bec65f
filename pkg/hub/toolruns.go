package hub

import (
	"slices"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// toolRuns knows when tool calls that may write ran, by working tree: a file that
// changed while two of them did may be the work of either. It is not stored.
type toolRuns struct {
	mu sync.Mutex // guards of
	of map[coord.WorkspaceID][]toolRun
}

// toolRun is one tool call in one working tree.
type toolRun struct {
	agent    coord.AgentID
	subagent string
	toolUse  string
	files    []coord.HookFile // that it was to write
	span     coord.HookSpan
}

// Bounds of what is remembered of a working tree.
const (
	runLife = 15 * time.Minute // after its end, or an hour after its begin
	maxRuns = 200
)

func newToolRuns() *toolRuns { return &toolRuns{of: map[coord.WorkspaceID][]toolRun{}} }

// begin notes a call that was let through.
func (s *toolRuns) begin(agent coord.AgentID, in *coord.HookCall, now coord.Millis) {
	shell := in.Tool == coord.ShellTool && !in.Harmless
	if in.ToolUse == "" || (len(in.Files) == 0 && !shell) {
		return
	}
	var where []coord.WorkspaceID
	if shell {
		where = append(where, in.Workspace)
	}
	for _, f := range in.Files {
		if !slices.Contains(where, f.Workspace) {
			where = append(where, f.Workspace)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ws := range where {
		list := slices.DeleteFunc(s.of[ws], func(a toolRun) bool {
			return a.agent == agent && a.toolUse == in.ToolUse || a.span.To > 0 && now >= a.span.To.Add(runLife) || now >= a.span.From.Add(4*runLife)
		})
		list = append(list, toolRun{agent: agent, subagent: in.Subagent, toolUse: in.ToolUse, files: in.Files, span: coord.HookSpan{From: now}})
		s.of[ws] = list[max(0, len(list)-maxRuns):]
	}
}

// end notes the end of a call.
func (s *toolRuns) end(agent coord.AgentID, toolUse string, now coord.Millis) {
	s.each(func(a *toolRun) {
		if a.agent == agent && a.toolUse == toolUse && a.span.To == 0 {
			a.span.To = now
		}
	})
}

// over notes that one thread of work has no call left that runs: those without
// an end were denied, or their end was not told.
func (s *toolRuns) over(agent coord.AgentID, subagent string, now coord.Millis) {
	s.each(func(a *toolRun) {
		if a.agent == agent && a.subagent == subagent && a.span.To == 0 {
			a.span.To = now
		}
	})
}

func (s *toolRuns) each(do func(*toolRun)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.of {
		for i := range list {
			do(&list[i])
		}
	}
}

// during gives when calls of other agents ran in a working tree since a call of
// the agent's own began, and its begin; from is that begin if it is not known
// here.
func (s *toolRuns) during(agent coord.AgentID, toolUse string, ws coord.WorkspaceID, from coord.Millis) (others []coord.HookSpan, began coord.Millis) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.of[ws] {
		if a.agent == agent && a.toolUse == toolUse && toolUse != "" {
			began = a.span.From
		}
	}
	if began > 0 && (from == 0 || began < from) {
		from = began
	}
	others = []coord.HookSpan{}
	for _, a := range s.of[ws] {
		if a.agent != agent && (a.span.To == 0 || a.span.To >= from) {
			others = append(others, a.span)
		}
	}
	return others, began
}

// running reports whether a command of an agent runs of which nobody knows what
// it writes.
func (s *toolRuns) running(agent coord.AgentID, ws coord.WorkspaceID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.of[ws], func(a toolRun) bool { return a.agent == agent && a.span.To == 0 && len(a.files) == 0 })
}

// explains reports whether another agent was to write the file at that time:
// then it was that agent.
func (s *toolRuns) explains(agent coord.AgentID, f coord.HookFound) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.of[f.File.Workspace], func(a toolRun) bool {
		return a.agent != agent && slices.Contains(a.files, f.File) && a.span.From <= f.To && (a.span.To == 0 || a.span.To >= f.From)
	})
}
