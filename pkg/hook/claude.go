package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/coordhq/coord/pkg/brief"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook/reconcile"
	"github.com/coordhq/coord/pkg/hook/shell"
)

// claudeName is how the route and --client name Claude Code.
const claudeName = "claude"

// claudeEvents are Claude Code's names of what we listen to.
var claudeEvents = map[string]coord.HookEvent{
	"SessionStart": coord.HookSessionStart, "UserPromptSubmit": coord.HookPrompt, "PreToolUse": coord.HookBeforeTool,
	"PostToolUse": coord.HookAfterTool, "PostToolUseFailure": coord.HookToolFailed, "Stop": coord.HookStop, "StopFailure": coord.HookStopFailed,
	"SubagentStart": coord.HookSubagentStart, "SubagentStop": coord.HookSubagentStop, "Notification": coord.HookIdle, "SessionEnd": coord.HookSessionEnd,
}

// claudeEdits are the tools that write one file, and the argument that names it.
var claudeEdits = map[string]string{"Edit": "file_path", "Write": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}

// claudeRead is the tool that shows the model a file.
const claudeRead = "Read"

// claudeShells are the tools that run a command.
var claudeShells = map[string]bool{"Bash": true, "PowerShell": true}

// input is one hook as the client tells it.
type input struct {
	event coord.HookEvent
	name  string // the client's own name of the event
	cwd   string
	files []string       // absolute, or relative to cwd: written, or about to be
	reads []string       // likewise: shown to the model
	git   []shell.GitAct // what a shell command does to a working tree as a whole

	harmless bool           // a shell command that is known to write nothing
	changed  []string       // what the client says has changed during a shell command
	listed   bool           // the client says so at all
	spent    string         // the transcript of the tokens, with the end of a turn
	call     coord.HookCall // without what lies outside the client's JSON
}

// Claude Code's JSON is read leniently: a field that is missing or of another
// type is as good as empty, so that a client of tomorrow breaks nothing.
type fields map[string]json.RawMessage

func (f fields) text(key string) string {
	var s string
	if json.Unmarshal(f[key], &s) != nil {
		return ""
	}
	return s
}

func (f fields) truth(key string) bool {
	var b bool
	return json.Unmarshal(f[key], &b) == nil && b
}

func (f fields) object(key string) fields {
	var o fields
	if json.Unmarshal(f[key], &o) != nil {
		return nil
	}
	return o
}

// errNotForUs is the error of a hook that concerns nobody here.
var errNotForUs = errors.New("not for us")

// readClaude reads one hook of Claude Code. The error is errNotForUs, or says what
// cannot be read; the event is known then, if the command line names it.
func readClaude(r io.Reader, event string, getenv func(string) string) (in input, err error) {
	in.event, _ = claudeEvent(event, "")
	raw, err := io.ReadAll(r)
	switch {
	case err != nil:
		return in, fmt.Errorf("what the client says of it cannot be read: %w", err)
	case len(raw) > maxInput:
		return in, fmt.Errorf("what the client says of it is over %d MiB", maxInput>>20)
	}
	var f fields
	if json.Unmarshal(raw, &f) != nil {
		return in, errors.New("what the client says of it is not the JSON of a hook")
	}
	in.name, in.cwd = f.text("hook_event_name"), f.text("cwd")
	var known bool
	if in.event, known = claudeEvent(event, in.name); !known {
		return in, errNotForUs
	}
	if in.event == coord.HookIdle && f.text("notification_type") != "idle_prompt" {
		return in, errNotForUs
	}
	c := &in.call
	c.Session, c.Subagent = coord.SessionID(f.text("session_id")), f.text("agent_id")
	c.Mode, c.Source = f.text("permission_mode"), f.text("source")
	if reason := f.text("reason"); c.Source == "" && in.event == coord.HookSessionEnd {
		c.Source = reason
	}
	if t := f.text("transcript_path"); filepath.IsAbs(t) {
		c.Transcript = t
	}
	if slices.Contains(countsTokens, in.event) {
		if in.spent = f.text("agent_transcript_path"); in.spent == "" { // of a subagent
			in.spent = c.Transcript
		}
	}
	c.Blocked, c.Background = f.truth("stop_hook_active"), running(f["background_tasks"])
	if in.event == coord.HookPrompt {
		c.Carried = brief.Carried(f.text("prompt"))
	}
	if missing := readTool(f, &in, getenv); missing != "" {
		return in, errors.New("what the client says of it names no " + missing)
	}
	switch {
	case c.Session != "" && filepath.IsAbs(in.cwd):
		return in, nil
	case c.Tool != coord.EditTool && c.Tool != coord.ShellTool:
		return in, errNotForUs
	}
	return in, errors.New("what the client says of it does not name session and directory")
}

// countsTokens are the events at which the transcript is read on.
var countsTokens = []coord.HookEvent{coord.HookStop, coord.HookStopFailed, coord.HookSubagentStop, coord.HookSessionEnd}

// knownEvent reports whether a word of the command line names an event, in our
// words or the client's.
func knownEvent(word string) bool {
	_, ok := claudeEvent(word, "")
	return ok
}

// claudeEvent tells which event this is: the command line says so, in our words
// or the client's; without it the client's JSON does.
func claudeEvent(word, name string) (coord.HookEvent, bool) {
	if word == "" {
		word = name
	}
	if e, ok := claudeEvents[word]; ok {
		return e, true
	}
	for _, e := range coord.HookEvents {
		if string(e) == word && e != coord.HookWritten && e != coord.HookWatch {
			return e, true
		}
	}
	return "", false
}

// readTool reads what a tool hook is about. Before a tool runs it gives what is
// missing to know what it writes; "" = nothing.
func readTool(f fields, in *input, getenv func(string) string) (missing string) {
	name := f.text("tool_name")
	if name == "" && in.event == coord.HookBeforeTool {
		return "tool"
	}
	in.call.ToolUse = f.text("tool_use_id")
	args := f.object("tool_input")
	var ms float64
	if json.Unmarshal(f["duration_ms"], &ms) == nil && ms > 0 && ms < 1e12 {
		in.call.Duration = int64(ms)
	}
	switch key, edit := claudeEdits[name]; {
	case edit:
		in.call.Tool = coord.EditTool
		if file := args.text(key); file != "" {
			in.files = []string{file}
		} else if in.event == coord.HookBeforeTool {
			return "file"
		}
	case name == claudeRead && in.event == coord.HookAfterTool:
		if file := args.text("file_path"); file != "" {
			in.reads = []string{file}
		}
	case claudeShells[name]:
		in.call.Tool = coord.ShellTool
		command := args.text("command")
		if command == "" && in.event == coord.HookBeforeTool {
			return "command"
		}
		readShell(in, name, command, getenv)
		in.changed, in.listed = reconcile.ChangedFiles(f["tool_response"])
	case ours(name):
		in.call.Tool = coord.OurTool
	}
	return ""
}

// ours reports whether a tool is offered by our shim, configured by hand or by
// the plugin.
func ours(name string) bool {
	rest, ok := strings.CutPrefix(name, "mcp__")
	if !ok {
		return false
	}
	if plugin, ok := strings.CutPrefix(rest, "plugin_"); ok {
		if _, rest, ok = strings.Cut(plugin, "_"); !ok {
			return false
		}
	}
	return strings.HasPrefix(rest, "coord__")
}

// running reports whether a list of background tasks holds one that goes on and
// may still edit by itself: a subagent, or a kind not known. A command in the
// background, such as a server, may run for as long as the session does: it
// edits nothing that its own start did not announce, and holds no turn open.
func running(raw json.RawMessage) bool {
	var tasks []fields
	if json.Unmarshal(raw, &tasks) != nil {
		return false
	}
	for _, t := range tasks {
		if commandTask(t) {
			continue
		}
		switch t.text("status") {
		case "completed", "failed", "killed", "stopped", "cancelled", "error", "done":
		default:
			return true
		}
	}
	return false
}

// commandTask reports whether a background task is a command and no agent: its
// type says so, or it names a command.
func commandTask(t fields) bool {
	kind := strings.ToLower(t.text("type"))
	for _, word := range []string{"bash", "shell", "command", "monitor"} {
		if strings.Contains(kind, word) {
			return true
		}
	}
	return kind == "" && t.text("command") != ""
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
