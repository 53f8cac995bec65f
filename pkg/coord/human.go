package coord

import "strings"

// humanPrefix begins the id under which a person acts. No agent's id does: they
// are made by the hub, with another prefix.
const humanPrefix = "human:"

// Human gives the id under which the person behind a credential acts:
// "human:<member>". It stands where an agent's id would, as actor of an event
// and author of a message.
func Human(m MemberID) AgentID { return AgentID(humanPrefix + string(m)) }

// IsHuman reports whether the id is a person's.
func (id AgentID) IsHuman() bool { return strings.HasPrefix(string(id), humanPrefix) }

// PathRelease is what a person asks for to let others write a file: the body of
// POST /api/release.
type PathRelease struct {
	Project   ProjectID   `json:"project"`
	Workspace WorkspaceID `json:"workspace,omitempty"` // "" = every working tree of the project
	Path      string      `json:"path,omitempty"`      // as the project names it
	Lease     LeaseID     `json:"lease,omitempty"`     // instead of all of the above: nothing but this lease
	Look      bool        `json:"look,omitempty"`      // only say what would happen: nothing changes
}

// Freed answers a PathRelease or the release of one lease: what was in the way
// and is not any more.
type Freed struct {
	Path          Path             `json:"path"`
	Leases        []LeaseID        `json:"leases"`        // left, they refuse nobody
	Announcements []AnnouncementID `json:"announcements"` // lost their right of way for this path
	Reserved      []AgentID        `json:"reserved"`      // the path is not kept for them any more
	Holders       []Holder         `json:"holders"`       // whose rights those were, as they were
	Told          []string         `json:"told"`          // names of the agents whose right ended
	First         string           `json:"first"`         // name of the one the path is kept for now, "" = nobody waits
}

// Holder is an agent whose right to a path stands in the way of others.
type Holder struct {
	Name    string   `json:"name"`
	Right   string   `json:"right"` // "holds it", "is next for it", "goes first by agreement" or "announced it"
	Subject string   `json:"subject,omitempty"`
	Since   Millis   `json:"since,omitempty"` // 0 = not known
	State   Activity `json:"state"`
}

// HumanPost is what a person says in a thread: the body of POST
// /api/threads/{id}/messages.
type HumanPost struct {
	Content string      `json:"content"`
	Type    MessageType `json:"type,omitempty"` // "" = context
}

// HumanClose ends a thread: the body of POST /api/threads/{id}/close.
type HumanClose struct {
	Summary string `json:"summary,omitempty"` // words of its end
}
