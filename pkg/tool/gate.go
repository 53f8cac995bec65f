package tool

import "github.com/coordhq/coord/pkg/coord"

// Acquire asks the edit gate for paths and takes their leases; a client's
// pre-edit hook calls it.
var Acquire = declare[AcquireIn, AcquireOut](Op{
	Name:   "acquire",
	Text:   "Ask the edit gate for paths that are about to be written and take their leases.",
	Hidden: true,
})

// AcquireIn is the argument of acquire.
type AcquireIn struct {
	FilePaths []string          `json:"file_paths" req:"true" max:"500" path:"file"`
	Subagent  string            `json:"subagent,omitempty" max:"100" doc:"of the session, empty = its main thread"`
	Done      bool              `json:"done,omitempty" doc:"the write has happened already"`
	Project   coord.ProjectID   `json:"project,omitempty" max:"1024" doc:"of the files, if not the session's"`
	Workspace coord.WorkspaceID `json:"workspace,omitempty" max:"2048" doc:"of the files, if not the session's"`
}

// AcquireOut answers acquire: one verdict per path. When one refuses, no lease
// was taken for any.
type AcquireOut struct {
	Decision coord.Decision  `json:"decision"` // the strictest
	Verdicts []coord.Verdict `json:"verdicts"`
	Agents   []AgentRef      `json:"agents"` // those named in the notes
}

// Edited reports what became of an edit that acquire let through.
var Edited = declare[EditedIn, EditedOut](Op{
	Name:   "edited",
	Text:   "Report files that were written, or edits that failed.",
	Hidden: true,
})

// EditedIn is the argument of edited.
type EditedIn struct {
	FilePaths []string          `json:"file_paths" req:"true" max:"500" path:"file"`
	Subagent  string            `json:"subagent,omitempty" max:"100"`
	Failed    bool              `json:"failed,omitempty" doc:"the edit did not happen: a lease taken for it ends"`
	Project   coord.ProjectID   `json:"project,omitempty" max:"1024"`
	Workspace coord.WorkspaceID `json:"workspace,omitempty" max:"2048"`
}

// EditedOut answers edited.
type EditedOut struct {
	Recorded int `json:"recorded"`
}

// Turn reports the life of a client's turns.
var Turn = declare[TurnIn, TurnOut](Op{
	Name:   "turn",
	Text:   "Report that a turn began or ended, or that the conversation was cleared.",
	Hidden: true,
})

// TurnIn is the argument of turn.
type TurnIn struct {
	Event    string `json:"event" req:"true" enum:"begin,end,clear,subagent_end"`
	Subagent string `json:"subagent,omitempty" max:"100" doc:"with subagent_end: whose leases go to the session"`
}

// TurnOut answers turn.
type TurnOut struct {
	InTurn bool `json:"in_turn"`
}

// Release gives up leases before the turn ends.
var Release = declare[ReleaseIn, ReleaseOut](Op{
	Name:   "release",
	Text:   "Leave the leases of paths, or all of the session's.",
	Hidden: true,
})

// ReleaseIn is the argument of release.
type ReleaseIn struct {
	FilePaths []string `json:"file_paths,omitempty" max:"500" path:"file" doc:"empty = all"`
	Committed bool     `json:"committed,omitempty" doc:"the files have no uncommitted change: the leases end"`
}

// ReleaseOut answers release.
type ReleaseOut struct {
	Released []coord.LeaseID `json:"released"`
}

// CheckFileConflict tells what stands in the way of writing a file.
var CheckFileConflict = declare[CheckFileConflictIn, CheckFileConflictOut](Op{
	Name:     "check_file_conflict",
	Text:     "Ask whether a file can be written now: free, recently edited, leased or announced by another agent, since when, and what to do.",
	ReadOnly: true,
})

// CheckFileConflictIn is the argument of check_file_conflict.
type CheckFileConflictIn struct {
	FilePath string `json:"file_path" req:"true" max:"1024" path:"file"`
}

// CheckFileConflictOut answers check_file_conflict.
type CheckFileConflictOut struct {
	FilePath  coord.Path     `json:"file_path"`
	Verdict   string         `json:"verdict"` // free, recent, leased or announced
	By        []AgentRef     `json:"by"`
	MoreBy    int            `json:"more_by,omitempty"`
	Since     coord.Millis   `json:"since,omitempty"`
	Until     coord.Millis   `json:"until,omitempty"` // when it ends by itself
	Elsewhere bool           `json:"other_workspace,omitempty"`
	Subject   string         `json:"subject,omitempty"`
	ThreadID  coord.ThreadID `json:"thread_id,omitempty"`
	Next      string         `json:"next"`
}

// Heartbeat says what the caller is at; a file's lease is taken or renewed.
var Heartbeat = declare[HeartbeatIn, HeartbeatOut](Op{
	Name: "heartbeat",
	Text: "Say what you are working on right now. current_file takes or renews your lease of that file if nobody is in the way.",
})

// HeartbeatIn is the argument of heartbeat.
type HeartbeatIn struct {
	CurrentFile   string         `json:"current_file,omitempty" max:"1024" path:"file"`
	CurrentThread coord.ThreadID `json:"current_thread,omitempty" max:"32"`
}

// HeartbeatOut answers heartbeat.
type HeartbeatOut struct {
	Activity Activity       `json:"activity"`
	Verdict  *coord.Verdict `json:"verdict,omitempty"` // of the gate about current_file, when it refused
}
