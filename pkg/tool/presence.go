package tool

import "github.com/coordhq/coord/pkg/coord"

// Activity says what an agent is at.
type Activity string

// Working is in a turn; waiting stands in a waiting line, waits for news of a
// thread, or can do nothing in a consultation until others have their say; offline has lost its connection and may come back.
const (
	Working Activity = "working"
	Idle    Activity = "idle"
	Waiting Activity = "waiting"
	Offline Activity = "offline"
)

// AgentActivity tells what everybody is doing.
var AgentActivity = declare[AgentActivityIn, AgentActivityOut](Op{
	Name:     "agent_activity",
	Text:     "What each agent here is doing now: working, idle, waiting or offline, since when, on which file, waiting in which thread.",
	ReadOnly: true,
})

// AgentActivityIn is the argument of agent_activity.
type AgentActivityIn struct {
	Limit  int    `json:"limit,omitempty" max:"200"`
	Cursor string `json:"cursor,omitempty" max:"64"`
}

// ActivityView is one row of agent_activity.
type ActivityView struct {
	ID          coord.AgentID  `json:"id"`
	Name        string         `json:"name"`
	Activity    Activity       `json:"activity"`
	CurrentFile coord.Path     `json:"current_file,omitzero"` // the lease it holds and touched last
	ThreadID    coord.ThreadID `json:"thread_id,omitempty"`   // the thread it waits for
	Since       coord.Millis   `json:"since"`                 // of the activity
	LastAction  string         `json:"last_action,omitempty"` // its newest log_action_summary; peer text
	Me          bool           `json:"me,omitempty"`
}

// AgentActivityOut answers agent_activity, by name.
type AgentActivityOut struct {
	Agents     []ActivityView `json:"agents"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// WaitForPeers blocks until others are here.
var WaitForPeers = declare[WaitForPeersIn, WaitForPeersOut](Op{
	Name:     "wait_for_peers",
	Text:     "Wait until at least min_peers other agents are online in this project.",
	ReadOnly: true,
	Waits:    LongestWait,
})

// WaitForPeersIn is the argument of wait_for_peers.
type WaitForPeersIn struct {
	MinPeers       int      `json:"min_peers,omitempty" max:"1000" doc:"default 1"`
	TimeoutSeconds *float64 `json:"timeout_seconds,omitempty" max:"3600" doc:"default 30; capped at 100 (50 outside Claude Code)"`
}

// WaitForPeersOut answers wait_for_peers.
type WaitForPeersOut struct {
	Ready       bool       `json:"ready"` // false: the time was over first
	OnlinePeers []AgentRef `json:"online_peers"`
	More        int        `json:"more_peers,omitempty"`
	WaitedMS    int64      `json:"waited_ms"`
	Next        string     `json:"next,omitempty"`
}
