package coord

// HookEvent names what a client's hook reports, in our words.
type HookEvent string

// The events of hooks.
const (
	HookSessionStart  HookEvent = "session-start"
	HookPrompt        HookEvent = "prompt"    // the user, or something in its place, has asked
	HookBeforeTool    HookEvent = "pre-tool"  // of an edit, a shell command, or a tool of ours
	HookAfterTool     HookEvent = "post-tool" // of any tool
	HookToolFailed    HookEvent = "tool-failed"
	HookStop          HookEvent = "stop"
	HookStopFailed    HookEvent = "stop-failed"
	HookSubagentStart HookEvent = "subagent-start"
	HookSubagentStop  HookEvent = "subagent-stop"
	HookIdle          HookEvent = "idle" // the client tells its user that it waits
	HookSessionEnd    HookEvent = "session-end"
	HookWritten       HookEvent = "written" // what was answered has been written out
	HookRewake        HookEvent = "rewake"  // a waiter that may wake the idle session
	HookWatch         HookEvent = "watch"   // what to look at after a shell command? changes nothing
)

// HookEvents are all events, in the order of a session's life.
var HookEvents = []HookEvent{HookSessionStart, HookPrompt, HookBeforeTool, HookAfterTool, HookToolFailed, HookStop, HookStopFailed,
	HookSubagentStart, HookSubagentStop, HookIdle, HookSessionEnd, HookWritten, HookRewake, HookWatch}

// Enforce says how much the edit gate may do.
type Enforce string

// Off says and refuses nothing, warn only speaks, deny refuses. The zero value
// is deny.
const (
	EnforceOff  Enforce = "off"
	EnforceWarn Enforce = "warn"
	EnforceDeny Enforce = "deny"
)

// HookTool is the kind of tool that a hook is about.
type HookTool string

// The kinds; "" is any other tool.
const (
	EditTool  HookTool = "edit"
	ShellTool HookTool = "shell"
	OurTool   HookTool = "coord" // offered by the shim
)

// HookCall is one hook of a client's session, normalised: the body of
// POST /api/hooks/{client}/{event}. It holds what happened and where, never a
// prompt, a command or the content of a file.
type HookCall struct {
	Session   SessionID   `json:"session_id"`
	Subagent  string      `json:"subagent,omitempty"` // "" = the main thread
	PID       int         `json:"pid,omitempty"`      // of the client program; 0 = unknown
	PIDStart  int64       `json:"pid_start,omitempty"`
	Host      HostID      `json:"host_id"`
	Project   ProjectID   `json:"project"`                 // of the working directory
	Fixed     bool        `json:"project_fixed,omitempty"` // the user has named the project, for files and trees too
	Workspace WorkspaceID `json:"workspace"`               // of the working directory
	Inside    bool        `json:"inside,omitempty"`        // the working directory lies below the top of Workspace
	Branch    string      `json:"branch,omitempty"`
	FoldCase  bool        `json:"fold_case,omitempty"`
	Label     string      `json:"label,omitempty"`

	Source     string `json:"source,omitempty"` // of a session's start or end, or of a prompt: the client's word
	Mode       string `json:"mode,omitempty"`   // permission mode: the client's word
	Transcript string `json:"transcript,omitempty"`
	Version    string `json:"version,omitempty"` // of coord-hook, at a session's start

	Tool       HookTool   `json:"tool,omitempty"`
	ToolUse    string     `json:"tool_use_id,omitempty"`
	Files      []HookFile `json:"files,omitempty"` // written, or about to be
	Reads      []HookFile `json:"reads,omitempty"` // shown to the model by the tool that has run
	Trees      []HookTree `json:"trees,omitempty"` // working trees that a command is about to touch as a whole; afterwards, of whose files it may have settled some
	Duration   int64      `json:"duration_ms,omitempty"`
	Harmless   bool       `json:"harmless,omitempty"`   // a shell command that is known to write nothing
	Blocked    bool       `json:"blocked,omitempty"`    // with stop: this stop follows one that a hook has blocked
	Background bool       `json:"background,omitempty"` // with stop: subagents of the session go on
	Enforce    Enforce    `json:"enforce,omitempty"`
	WakeOff    bool       `json:"wake_off,omitempty"` // COORDINATOR_WAKE=off
	Carried    []EventID  `json:"carried,omitempty"`  // with prompt: events whose words stand in it

	Looked  []Interruption `json:"looked,omitempty"`  // answers to HookAnswer.Look
	Checked []Finding      `json:"checked,omitempty"` // answers to HookAnswer.Check
	Receipt *HookReceipt   `json:"receipt,omitempty"` // with written
	Found   []HookFound    `json:"found,omitempty"`   // what earlier shell commands, or this one, have written
	Spent   *HookSpent     `json:"spent,omitempty"`   // with the end of a turn
	Missed  int            `json:"missed,omitempty"`  // hooks of this session that found no hub before this one
}

// HookFile is a file that a hook names, and where it lies.
type HookFile struct {
	Path      Path        `json:"path"`
	Project   ProjectID   `json:"project"`
	Workspace WorkspaceID `json:"workspace"`
}

// HookTree is a working tree.
type HookTree struct {
	Project   ProjectID   `json:"project"`
	Workspace WorkspaceID `json:"workspace"`
}

// HookAnswer is what the hub has to say to a hook. The zero value is silence.
type HookAnswer struct {
	Refused bool         `json:"refused,omitempty"` // the tool must not run, or the session not stop
	Reason  string       `json:"reason,omitempty"`  // for the model, when refused
	Context string       `json:"context,omitempty"` // for the model
	Note    string       `json:"note,omitempty"`    // for the user
	Wake    string       `json:"wake,omitempty"`    // for the model of an idle session
	Over    bool         `json:"over,omitempty"`    // with rewake: do not come back
	Receipt *HookReceipt `json:"receipt,omitempty"` // send it back once all this is written out

	// Work lists what sessions have written in the Trees and may not have
	// committed; the hook knows what its command would do to it.
	Work []Unfinished `json:"work,omitempty"`

	Watch   *HookWatchList `json:"watch,omitempty"`   // with watch
	Counted bool           `json:"counted,omitempty"` // the tokens of HookCall.Spent are, now or before

	// Look asks the hook to look into transcripts and to ask again: its call has
	// had no effect yet.
	Look []Suspicion `json:"look,omitempty"`

	// Check asks the hook in the same way whether files have uncommitted changes.
	Check []Doubt `json:"check,omitempty"`
}

// Unfinished is a file with changes that may not be committed.
type Unfinished struct {
	Workspace WorkspaceID `json:"workspace"`
	Path      Path        `json:"path"`
	Owner     string      `json:"owner,omitempty"`      // name of the peer that wrote it, "" = the session itself
	State     Activity    `json:"state,omitempty"`      // of the owner
	Mixed     bool        `json:"mixed,omitempty"`      // the session itself has gone on with it
	Other     bool        `json:"other_tree,omitempty"` // it lies in another working tree of the project, whose stash is the same
}

// Activity is what the owner of unfinished work is at.
type Activity string

// The activities that matter to whoever stands before unfinished work.
const (
	Busy Activity = "busy"
	Idle Activity = "idle"
	Gone Activity = "gone"
)

// HookReceipt names the news that an answer carries.
type HookReceipt struct {
	Agent AgentID `json:"agent_id"`
	Rung  Rung    `json:"rung"`
	Seqs  []Seq   `json:"seqs"`
}

// Suspicion is a turn that may have ended without a word: Esc fires no hook. The
// transcript is a file of the same user on the same host; the hub opens no
// path that a client named, so a hook looks.
type Suspicion struct {
	Agent      AgentID `json:"agent_id"`
	Transcript string  `json:"transcript"`
	Heard      Millis  `json:"heard"` // when the agent's last hook came
}

// Interruption is what a hook found behind a Suspicion.
type Interruption struct {
	Agent       AgentID `json:"agent_id"`
	Heard       Millis  `json:"heard"`       // as in the Suspicion
	Interrupted bool    `json:"interrupted"` // the newest entry says that the user has stopped the turn
}

// Doubt is a file of which the hub should know whether it has uncommitted
// changes. The hub runs no git: a hook asks it.
type Doubt struct {
	Workspace WorkspaceID `json:"workspace"`
	Path      Path        `json:"path"`
	Lease     LeaseID     `json:"lease_id,omitempty"` // the lease there, "" = none
	Touched   Millis      `json:"touched,omitempty"`  // of that lease
	Since     Millis      `json:"since,omitempty"`    // the lease is held: was the file committed after that second?
}

// Finding is what git said of a Doubt.
type Finding struct {
	Doubt     Doubt  `json:"doubt"`
	Known     bool   `json:"known"`               // false: no answer in time, or no repository
	Dirty     bool   `json:"dirty"`               // the file differs from the last commit, or is in none
	Committed bool   `json:"committed,omitempty"` // with Since, of a file that is not dirty: a commit of it was made
	Changed   Millis `json:"changed,omitempty"`   // when the file was last written, 0 = it is not there
}
