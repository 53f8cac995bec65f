package setup

import (
	"path/filepath"
	"strings"
)

// Hook is one call of coord-hook by Claude Code.
type Hook struct {
	Event   string // of the client: "PreToolUse"
	Matcher string // "" = every firing of the event
	Arg     string // the event as coord-hook names it
	Timeout int    // seconds after which the client gives up; coord-hook itself is done far sooner
	Rewake  bool   // runs beside the session and wakes it when it exits with 2
}

// Hooks gives the table of hooks, in the order in which they are written.
//
// The tools that edit are told to the gate before they run, and shell commands
// with them, since they write too. Our own tools are hooked to join a call to
// the subagent that makes it. MultiEdit is gone from current clients and costs
// nothing. SessionEnd hooks of all plugins share 1.5 s.
func Hooks() []Hook {
	return []Hook{
		{Event: "SessionStart", Arg: "session-start", Timeout: 5},
		{Event: "UserPromptSubmit", Arg: "prompt", Timeout: 2},
		{Event: "PreToolUse", Matcher: "Edit|Write|MultiEdit|NotebookEdit", Arg: "pre-tool", Timeout: 2},
		{Event: "PreToolUse", Matcher: "Bash|PowerShell", Arg: "pre-tool", Timeout: 2},
		{Event: "PreToolUse", Matcher: "mcp__(plugin_[^_]+_)?coord__.*", Arg: "pre-tool", Timeout: 2},
		{Event: "PostToolUse", Matcher: "*", Arg: "post-tool", Timeout: 2},
		{Event: "PostToolUseFailure", Matcher: "*", Arg: "tool-failed", Timeout: 2},
		{Event: "Stop", Arg: "stop", Timeout: 2},
		{Event: "Stop", Arg: "rewake", Timeout: 3600, Rewake: true},
		{Event: "StopFailure", Arg: "stop-failed", Timeout: 2},
		{Event: "SubagentStart", Arg: "subagent-start", Timeout: 2},
		{Event: "SubagentStop", Arg: "subagent-stop", Timeout: 2},
		{Event: "Notification", Matcher: "idle_prompt", Arg: "idle", Timeout: 2},
		{Event: "SessionEnd", Arg: "session-end", Timeout: 1},
	}
}

// group is an entry of an event in a hooks file.
type group struct {
	Matcher string    `json:"matcher,omitempty"`
	Hooks   []handler `json:"hooks"`
}

// handler is a hook in exec form: the program is started as it is, without a
// shell.
type handler struct {
	Type    string   `json:"type"`
	Command string   `json:"command"`
	Args    []string `json:"args"`
	Rewake  bool     `json:"asyncRewake,omitempty"`
	Timeout int      `json:"timeout"`
}

// event is one member of a hooks object.
type event struct {
	name   string
	groups []group
}

// hookEvents gives the table as the client writes it: events in order, hooks of
// one event with the same matcher in one group. program and args come before
// the event's own argument.
func hookEvents(program string, args ...string) []event {
	var out []event
	for _, h := range Hooks() {
		if len(out) == 0 || out[len(out)-1].name != h.Event {
			out = append(out, event{name: h.Event})
		}
		e := &out[len(out)-1]
		if len(e.groups) == 0 || e.groups[len(e.groups)-1].Matcher != h.Matcher {
			e.groups = append(e.groups, group{Matcher: h.Matcher})
		}
		g := &e.groups[len(e.groups)-1]
		all := append(append([]string{}, args...), h.Arg)
		g.Hooks = append(g.Hooks, handler{Type: "command", Command: program, Args: all, Rewake: h.Rewake, Timeout: h.Timeout})
	}
	return out
}

// isHook reports whether a command of a hooks file is ours.
func isHook(command string) bool {
	return strings.TrimSuffix(filepath.Base(filepath.ToSlash(command)), ".exe") == hookProgram
}

// The programs, as they are found on the PATH.
const (
	hookProgram = "coord-hook"
	shimProgram = "coord-shim"
)
