package coord

// Edit records that an agent changed a file.
type Edit struct {
	Project   ProjectID   `json:"project"`
	Workspace WorkspaceID `json:"workspace"`
	Path      Path        `json:"path"`
	Agent     AgentID     `json:"agent"`
	Time      Millis      `json:"time"`
	Summary   string      `json:"summary,omitempty"`
}

// Lease is the right to write one path in one workspace, taken by an edit. It
// is held while its holder is in a turn and has touched the path lately; a left
// lease refuses nobody and says that uncommitted work may lie there.
type Lease struct {
	ID        LeaseID     `json:"id"`
	Project   ProjectID   `json:"project"`
	Workspace WorkspaceID `json:"workspace"`
	Path      Path        `json:"path"`
	Agent     AgentID     `json:"agent"`
	Subagent  string      `json:"subagent,omitempty"` // of the holder's session, "" = its main thread
	Makers    []AgentID   `json:"makers,omitempty"`   // others whose uncommitted work may lie there too
	Taken     Millis      `json:"taken"`
	Touched   Millis      `json:"touched"`
	Pending   bool        `json:"pending,omitempty"` // its first edit has been let through and not yet reported done
	Before    *Touch      `json:"before,omitempty"`  // how it stood before a later edit that has been let through and not yet reported done
	Left      Millis      `json:"left,omitempty"`    // 0 while held
	Ended     Millis      `json:"ended,omitempty"`   // 0 while it exists
}

// Touch is how a lease stood when it was last touched.
type Touch struct {
	Subagent string `json:"subagent,omitempty"`
	Time     Millis `json:"time"`
	Left     Millis `json:"left,omitempty"`
}

// WaitID is "W-<n>", counted per hub.
type WaitID string

// Wait is one agent's place in the line for a path.
type Wait struct {
	ID        WaitID         `json:"id"`
	Project   ProjectID      `json:"project"`
	Workspace WorkspaceID    `json:"workspace"`
	Path      Path           `json:"path"`
	Agent     AgentID        `json:"agent"`
	For       AgentID        `json:"for"`                    // who was in the way
	Blocker   AnnouncementID `json:"announcement,omitempty"` // the announcement in the way, "" = a lease
	Order     Seq            `json:"order"`                  // place in line; a missed reservation goes to the end
	Since     Millis         `json:"since"`
	Reserved  Millis         `json:"reserved,omitempty"` // the path is kept for this agent until then
	Told      Millis         `json:"told,omitempty"`     // it was told that the path is free
	Stuck     bool           `json:"stuck,omitempty"`    // the gate has let its agent write nothing since it refused it this path
	Ended     Millis         `json:"ended,omitempty"`    // 0 while it waits
}

// Gate names the rule that decided about an edit.
type Gate string

// The rows of the gate, in the order they are tried.
const (
	GateMine        Gate = "mine"         // my lease: silence
	GateSubagent    Gate = "subagent"     // a live subagent of my own session edited this: context
	GateHeld        Gate = "held"         // leased by a peer in this workspace: refused
	GateReserved    Gate = "reserved"     // kept for the first in line: refused
	GateRightOfWay  Gate = "right_of_way" // announced earlier by a peer: refused
	GateCircle      Gate = "circle"       // the peer waits for me: let through, with context
	GateChanged     Gate = "changed"      // a command would write over a peer's uncommitted work that the session has not seen: refused once
	GateUncommitted Gate = "uncommitted"  // another session's uncommitted work lies here: context
	GateElsewhere   Gate = "elsewhere"    // leased or announced in another workspace: context
	GateAnnounced   Gate = "announced"    // announced by a peer who has no right of way here: context
	GateFree        Gate = "free"         // silence, the lease is taken
)

// Decision is what a gate says of one edit.
type Decision string

// Pass is silence, context lets the edit through with words, refuse stops it.
const (
	DecisionPass    Decision = "pass"
	DecisionContext Decision = "context"
	DecisionRefuse  Decision = "refuse"
)

// Note is one typed reason of a verdict.
type Note struct {
	Gate         Gate           `json:"gate"`
	Agent        AgentID        `json:"agent_id,omitempty"`
	State        Activity       `json:"state,omitempty"` // of that agent, with uncommitted work of its
	Subagent     string         `json:"subagent,omitempty"`
	Announcement AnnouncementID `json:"announcement_id,omitempty"`
	Subject      string         `json:"subject,omitempty"` // of the announcement; peer text
	Thread       ThreadID       `json:"thread_id,omitempty"`
	Lease        LeaseID        `json:"lease_id,omitempty"` // of a peer, in the way
	Waits        bool           `json:"waits,omitempty"`    // the peer in the way waits for this session elsewhere: an edit would go first, a command does not
	Workspace    WorkspaceID    `json:"workspace,omitempty"`
	Since        Millis         `json:"since,omitempty"` // of the lease or announcement
	Until        Millis         `json:"until,omitempty"` // when it ends by itself, 0 = unknown
}

// Verdict is the gate's answer about one path.
type Verdict struct {
	Path     Path     `json:"path"`
	Decision Decision `json:"decision"`
	Notes    []Note   `json:"notes"` // the first one decided; contexts add up
	Lease    LeaseID  `json:"lease_id,omitempty"`
	Place    int      `json:"place,omitempty"` // in the waiting line, from 1, when refused
}
