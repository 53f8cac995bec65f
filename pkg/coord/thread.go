package coord

import "slices"

// ThreadStatus is the state of a consultation.
type ThreadStatus string

// Open, resolving and claimed are live; the others are ends.
const (
	ThreadOpen       ThreadStatus = "open"
	ThreadResolving  ThreadStatus = "resolving"
	ThreadClaimed    ThreadStatus = "claimed"
	ThreadResolved   ThreadStatus = "resolved"
	ThreadUnresolved ThreadStatus = "unresolved"
	ThreadCancelled  ThreadStatus = "cancelled"
	ThreadExpired    ThreadStatus = "expired"
	ThreadAbandoned  ThreadStatus = "abandoned"
	ThreadPoisoned   ThreadStatus = "poisoned"
)

// Live reports whether the thread can still change.
func (s ThreadStatus) Live() bool {
	return s == ThreadOpen || s == ThreadResolving || s == ThreadClaimed
}

// Resolution says how a resolved thread came to its end.
type Resolution string

// Only consensus and uncontested are permission.
const (
	Consensus    Resolution = "consensus"
	AutoResolved Resolution = "auto_resolved"
	Uncontested  Resolution = "uncontested"
	ClosedByHand Resolution = "closed"
	Completed    Resolution = "completed"
)

// Permits reports whether the resolution lets its participants go ahead.
func (r Resolution) Permits() bool { return r == Consensus || r == Uncontested }

// Proposal is one suggested way out of a conflict, numbered from 1 per thread.
type Proposal struct {
	Number   int       `json:"number"`
	By       AgentID   `json:"by"`
	Summary  string    `json:"summary"`
	Order    []AgentID `json:"order,omitempty"` // who goes first; empty = all at once
	Approved []AgentID `json:"approved"`        // the proposer first
	Time     Millis    `json:"time"`
}

// Thread is a consultation between the agents whose work overlaps.
type Thread struct {
	ID           ThreadID         `json:"id"`
	Project      ProjectID        `json:"project"`
	Announcement AnnouncementID   `json:"announcement"`
	Subject      string           `json:"subject"`
	Initiator    AgentID          `json:"initiator"`
	Respondents  []AgentID        `json:"respondents,omitempty"` // those who must agree; a departed one is dropped
	Gray         []AgentID        `json:"gray,omitempty"`        // asked by the way; no respondents
	Parties      []AgentID        `json:"parties,omitempty"`     // initiator and respondents as it opened
	Against      []AnnouncementID `json:"against,omitempty"`     // the respondents' announcements it is about
	OrderAt      int              `json:"order_at,omitempty"`    // how many of the agreed order have had their turn
	OrderSince   Millis           `json:"order_since,omitempty"` // when the last of them had it; 0 = none yet
	Answered     []AgentID        `json:"answered,omitempty"`    // participants who have said something in it
	Claimer      AgentID          `json:"claimer,omitempty"`
	AssignedTo   AgentID          `json:"assigned_to,omitempty"`
	RunID        string           `json:"run_id,omitempty"`
	KeepOpen     bool             `json:"keep_open,omitempty"`
	Paths        []Path           `json:"paths,omitempty"` // the overlap it is about
	Modules      []string         `json:"modules,omitempty"`
	Category     Category         `json:"category"`
	Score        int              `json:"score"`
	Layer        Layer            `json:"layer,omitempty"`
	Status       ThreadStatus     `json:"status"`
	Resolution   Resolution       `json:"resolution,omitempty"`
	Round        int              `json:"round"`    // from 1; a contest adds one
	Deadline     Millis           `json:"deadline"` // 0 = none
	Unclaims     int              `json:"unclaims,omitempty"`
	Proposals    []Proposal       `json:"proposals,omitempty"`
	Summary      string           `json:"summary,omitempty"` // words of its end
	Created      Millis           `json:"created"`
	Ended        Millis           `json:"ended,omitempty"`
}

// Participants lists initiator, respondents and claimer, each once.
func (t *Thread) Participants() []AgentID {
	out := append([]AgentID{t.Initiator}, t.Respondents...)
	if t.Claimer != "" && !slices.Contains(out, t.Claimer) {
		out = append(out, t.Claimer)
	}
	return out
}

// Has reports whether the agent is a participant.
func (t *Thread) Has(a AgentID) bool { return slices.Contains(t.Participants(), a) }

// Proposal gives the newest proposal, nil when there is none in this round.
func (t *Thread) Proposal() *Proposal {
	if t.Status == ThreadOpen || len(t.Proposals) == 0 {
		return nil
	}
	return &t.Proposals[len(t.Proposals)-1]
}

// MessageType classes a post.
type MessageType string

// Types of posts that agents choose from; the first is the default.
const (
	ContextMessage    MessageType = "context"
	QuestionMessage   MessageType = "question"
	WarningMessage    MessageType = "warning"
	SuggestionMessage MessageType = "suggestion"
)

// Message is one post in a thread.
type Message struct {
	ID        MessageID   `json:"id"`
	Seq       Seq         `json:"seq"` // of the event that announced it
	Project   ProjectID   `json:"project"`
	Thread    ThreadID    `json:"thread"`
	Author    AgentID     `json:"author"`
	Name      string      `json:"name"`
	Type      MessageType `json:"type"`
	Content   string      `json:"content"`
	InReplyTo MessageID   `json:"in_reply_to,omitempty"`
	Late      bool        `json:"late,omitempty"` // posted after the thread had ended
	Time      Millis      `json:"time"`
}
