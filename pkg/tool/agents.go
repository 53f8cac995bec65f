package tool

import (
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// RegisterAgent names the caller's agent; the session itself exists already.
var RegisterAgent = declare[RegisterAgentIn, RegisterAgentOut](Op{
	Name: "register_agent",
	Text: "Set this session's display name and the modules it owns. Optional: the session is registered by itself under a generated name. Returns your agent id and who else is here.",
})

// RegisterAgentIn is the argument of register_agent.
type RegisterAgentIn struct {
	Name    string   `json:"name" req:"true" max:"64" line:"true" doc:"display name, unique among live agents (a number is added if taken)"`
	Modules []string `json:"modules,omitempty" max:"50" line:"true" doc:"modules you work on, like auth or api/users"`
}

// RegisterAgentOut answers register_agent.
type RegisterAgentOut struct {
	AgentID   coord.AgentID     `json:"agent_id"`
	Name      string            `json:"name"`
	Project   coord.ProjectID   `json:"project"`
	Workspace coord.WorkspaceID `json:"workspace"`
	Modules   []string          `json:"modules"`
	Peers     []AgentRef        `json:"peers"`
}

// ListAgents lists the project's agents.
var ListAgents = declare[ListAgentsIn, ListAgentsOut](Op{
	Name:     "list_agents",
	Text:     "List the agents of this project: id, name, client, status, activity, workspace, branch, modules, last seen.",
	ReadOnly: true,
})

// ListAgentsIn is the argument of list_agents.
type ListAgentsIn struct {
	OnlineOnly *bool  `json:"online_only,omitempty" doc:"leave out those that left (default true)"`
	Limit      int    `json:"limit,omitempty" max:"200" doc:"at most this many (default 20)"`
	Cursor     string `json:"cursor,omitempty" max:"64" doc:"next_cursor of the page before"`
}

// AgentView is one row of list_agents.
type AgentView struct {
	ID        coord.AgentID     `json:"id"`
	Name      string            `json:"name"`
	Client    string            `json:"client"`
	Status    coord.AgentStatus `json:"status"`
	Activity  Activity          `json:"activity,omitempty"`
	Modules   []string          `json:"modules"`
	Workspace coord.WorkspaceID `json:"workspace"`
	Branch    string            `json:"branch,omitempty"`
	LastSeen  coord.Millis      `json:"last_seen"`
	Me        bool              `json:"me,omitempty"`
}

// ListAgentsOut answers list_agents.
type ListAgentsOut struct {
	Agents     []AgentView `json:"agents"`
	NextCursor string      `json:"next_cursor,omitempty"`
}

// LogActionSummary notes what was done; with a file it counts as an edit.
var LogActionSummary = declare[LogActionSummaryIn, LogActionSummaryOut](Op{
	Name: "log_action_summary",
	Text: "Record in one line what you just did. With file_path it also counts as an edit of that file, which peers are scored against for 60 seconds.",
})

// LogActionSummaryIn is the argument of log_action_summary.
type LogActionSummaryIn struct {
	Summary  string `json:"summary" req:"true" max:"2000" alias:"content" doc:"what was done"`
	FilePath string `json:"file_path,omitempty" max:"1024" path:"file" doc:"the file that was changed"`
}

// LogActionSummaryOut answers log_action_summary.
type LogActionSummaryOut struct {
	Recorded bool         `json:"recorded"`
	FilePath string       `json:"file_path,omitempty"`
	Time     coord.Millis `json:"time"`
}

// CoordinatorStatus is the state of everything in one answer.
var CoordinatorStatus = declare[CoordinatorStatusIn, CoordinatorStatusOut](Op{
	Name:       "coordinator_status",
	Text:       "One look at the coordination: the hub, you, who is here, and which consultations are open or wait for your answer.",
	ReadOnly:   true,
	AlwaysLoad: true,
	Core:       true,
})

// CoordinatorStatusIn is the (empty) argument of coordinator_status.
type CoordinatorStatusIn struct{}

// CoordinatorStatusOut answers coordinator_status.
type CoordinatorStatusOut struct {
	Hub     HubStatus    `json:"hub"`
	Me      *AgentView   `json:"me,omitempty"`
	Agents  AgentCount   `json:"agents"`
	Threads ThreadCount  `json:"threads"`
	Hot     []HotFile    `json:"hot_files"`
	MQTT    MQTTStatus   `json:"mqtt"`
	Quota   *QuotaStatus `json:"quota,omitempty"`
}

// HubStatus says which hub answers.
type HubStatus struct {
	Instance string       `json:"instance"`
	Version  string       `json:"version"`
	Started  coord.Millis `json:"started_at"`
	Epoch    coord.Epoch  `json:"epoch"`
}

// AgentCount counts the project's agents and names the first few.
type AgentCount struct {
	Online int        `json:"online"`
	Away   int        `json:"away,omitempty"` // of the online ones, those that are returning or have lost their connection
	Peers  []AgentRef `json:"peers"`
	Here   []Present  `json:"here,omitempty"` // for an operator: who is online, at most 200
}

// Present is an agent as somebody at a terminal sees it.
type Present struct {
	Name        string          `json:"name"`
	Client      string          `json:"client"`
	Project     coord.ProjectID `json:"project"`
	Activity    Activity        `json:"activity"`
	CurrentFile coord.Path      `json:"current_file,omitzero"`
}

// ThreadCount counts the project's live threads; WaitingForMe lists those whose
// newest proposal lacks the caller's approval, or that opened on the caller and
// have no proposal yet. Offered counts tasks that nobody has claimed.
type ThreadCount struct {
	Open         int              `json:"open"`
	Resolving    int              `json:"resolving"`
	Offered      int              `json:"offered,omitempty"`
	Claimed      int              `json:"claimed,omitempty"`
	WaitingForMe []coord.ThreadID `json:"waiting_for_me"`
}

// MQTTStatus is the state of the doorbell.
type MQTTStatus struct {
	Connections int    `json:"connections"`
	Published   uint64 `json:"published"`
	Dropped     uint64 `json:"dropped"`
}

// QuotaStatus is the newest known use of the model plan.
type QuotaStatus struct {
	UtilizationPct float64      `json:"utilization_pct"`
	ResetsAt       coord.Millis `json:"resets_at"`
}

// Sync is the shim's heartbeat and its way to fetch events that the doorbell
// lost: it reports how far the client has been served and reads on from there.
var Sync = declare[SyncIn, SyncOut](Op{
	Name:   "sync",
	Text:   "Heartbeat of a shim: acknowledge events, learn the head, fetch a hole.",
	Hidden: true,
})

// SyncIn is the argument of sync.
type SyncIn struct {
	Epoch coord.Epoch `json:"epoch,omitempty" doc:"epoch that seen and after belong to; another epoch is answered with the hub's and no events"`
	Seen  coord.Seq   `json:"seen,omitempty" doc:"everything up to here has been handed to the client; 0 = no news"`
	Read  bool        `json:"read,omitempty" doc:"and the client has called again since"`
	After coord.Seq   `json:"after,omitempty" doc:"with limit: give events after this seq"`
	Limit int         `json:"limit,omitempty" max:"200" doc:"0 = no events, only the head"`

	Thread coord.ThreadID `json:"thread_id,omitempty" max:"32" doc:"the client is going to wait for news of this thread: refused when there is none"`
}

// SyncOut answers sync.
type SyncOut struct {
	Epoch     coord.Epoch       `json:"epoch"`
	Head      coord.Seq         `json:"head"`   // newest seq in the caller's inbox
	Seen      coord.Seq         `json:"seen"`   // acknowledged position as now stored
	Events    []json.RawMessage `json:"events"` // wire form, with prev
	Remaining int               `json:"remaining"`
	Hooks     bool              `json:"hooks,omitempty"` // the client's hooks hand out the same news
}
