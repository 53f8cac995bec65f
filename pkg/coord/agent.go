package coord

import "slices"

// ClientInfo names the program an agent runs in, as it names itself.
type ClientInfo struct {
	Name    string `json:"name"` // "claude-code", "codex-mcp-client", …
	Version string `json:"version,omitempty"`
}

// Process names an operating-system process on one host without confusion by
// pid reuse. The zero Process is unknown.
type Process struct {
	PID   int   `json:"pid,omitempty"`
	Start int64 `json:"start,omitempty"` // start time in the host's own units (clock ticks since boot on Linux)
}

// AgentStatus says whether an agent can be reached.
type AgentStatus string

// An agent is online while its shim is connected, returning for 30 s after a
// hub start, and offline once it left or was lost.
const (
	Online    AgentStatus = "online"
	Returning AgentStatus = "returning"
	Offline   AgentStatus = "offline"
)

// Agent is one client session as the hub knows it.
type Agent struct {
	ID         AgentID     `json:"id"`
	Name       string      `json:"name"` // unique among the live agents of its project
	Project    ProjectID   `json:"project"`
	Fixed      bool        `json:"project_fixed,omitempty"` // the user has named the project
	Workspace  WorkspaceID `json:"workspace"`
	Branch     string      `json:"branch,omitempty"`
	Member     MemberID    `json:"member"`
	Host       HostID      `json:"host"`
	Client     ClientInfo  `json:"client"`
	Parent     Process     `json:"parent"` // the client program that spawned the shim
	Session    SessionID   `json:"session,omitempty"`
	Aliases    []SessionID `json:"aliases,omitempty"` // earlier session ids of the same agent, the newest first
	Label      string      `json:"label,omitempty"`
	Modules    []string    `json:"modules,omitempty"`
	Status     AgentStatus `json:"status"`
	Registered Millis      `json:"registered"`
	LastSeen   Millis      `json:"last_seen"`            // coarse in the store: written on changes of status and once a minute
	Seen       Seq         `json:"seen"`                 // everything in its inbox up to here has been handed to the client
	Hooks      bool        `json:"hooks,omitempty"`      // its client reports turns; without, a turn ends 120 s after the last call
	TurnSince  Millis      `json:"turn_since,omitempty"` // with hooks: start of the running turn, 0 = idle
	TurnEnded  Millis      `json:"turn_ended,omitempty"` // with hooks: end of the last turn
	HookOnly   bool        `json:"hook_only,omitempty"`  // known by its hooks alone: no shim has registered for it
	Transcript string      `json:"transcript,omitempty"` // file of its client; a hook of the same user may look into it, the hub never does
	Wakes      Wakes       `json:"wakes,omitzero"`       // how often it was woken since its user's last prompt
}

// Knows reports whether the session is the agent's, now or in earlier days.
func (a *Agent) Knows(id SessionID) bool {
	return id != "" && (a.Session == id || slices.Contains(a.Aliases, id))
}

// Live reports whether the agent still counts as present.
func (a *Agent) Live() bool { return a.Status != Offline }

// Registration is what a shim, hook or HTTP client says of itself to get an
// agent: the body of POST /api/sessions.
type Registration struct {
	Client    ClientInfo  `json:"client"`
	PID       int         `json:"pid,omitempty"`       // of the client program (the shim's parent)
	PIDStart  int64       `json:"pid_start,omitempty"` // its start time; 0 = unknown
	Session   SessionID   `json:"session_id,omitempty"`
	Project   ProjectID   `json:"project"`
	Fixed     bool        `json:"project_fixed,omitempty"` // the user has named the project: it is not that of others in the same working tree
	Workspace WorkspaceID `json:"workspace"`
	Branch    string      `json:"branch,omitempty"`
	Host      HostID      `json:"host_id"`
	Label     string      `json:"label,omitempty"`
	FoldCase  bool        `json:"fold_case,omitempty"` // the working tree is on a case-insensitive file system
	Resume    SessionKey  `json:"resume,omitempty"`    // key of a session this same process held before
}

// Registered answers a Registration.
type Registered struct {
	AgentID    AgentID    `json:"agent_id"`
	Name       string     `json:"name"`
	SessionKey SessionKey `json:"session_key"`
	Project    ProjectID  `json:"project"` // in which the agent works: that of the others in its working tree
	Epoch      Epoch      `json:"epoch"`
	Head       Seq        `json:"head"` // seq of the newest event in the agent's inbox, 0 when empty
	Seen       Seq        `json:"seen"` // the agent's acknowledged position: read on from here
	Resumed    bool       `json:"resumed"`
}

// KeyHash is the SHA-256 of a session key.
type KeyHash [32]byte

// Caller is who makes a call: the identity of the connection, never an argument.
type Caller struct {
	Agent     AgentID     // empty for an operator
	Project   ProjectID   // empty for an operator that named none
	Workspace WorkspaceID // working tree of this call
	Subagent  string      // of the session, as its client's hook has told of this call; "" = main thread, or unknown
	Member    MemberID
	Session   KeyHash // of the session key of this call; zero without one
	Operator  bool    // a valid credential without a session: reads and human acts
}
