package coord

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// EventKind names what happened.
type EventKind string

// The kinds of events. The payload type of each stands beside it.
const (
	KindThreadOpened     EventKind = "thread.opened"       // ThreadOpened
	KindMessagePosted    EventKind = "message.posted"      // MessagePosted
	KindThreadStatus     EventKind = "thread.status"       // StatusChanged
	KindThreadClaimed    EventKind = "thread.claimed"      // ClaimWon
	KindThreadCompleted  EventKind = "thread.completed"    // WorkCompleted
	KindIntrospection    EventKind = "introspection"       // ThreadOpened
	KindAnnounced        EventKind = "announcement.opened" // Announced; for who looks on, in no inbox
	KindAnnounceClosed   EventKind = "announcement.closed" // AnnouncementClosed; likewise
	KindAgentStatus      EventKind = "agent.status"        // AgentStatusChanged
	KindAgentLost        EventKind = "agent.lost"          // AgentLost: you counted as gone
	KindFileEdited       EventKind = "file.edited"         // FileTouched
	KindFileLeased       EventKind = "file.leased"         // FileTouched
	KindFileReleased     EventKind = "file.released"       // FileTouched; in an inbox: a person took your right to the file
	KindLeasePassed      EventKind = "lease.passed"        // FileTouched: your left lease went to the actor
	KindPathWanted       EventKind = "path.wanted"         // FileTouched: the actor waits for a path you hold
	KindPathFree         EventKind = "path.free"           // PathFree: a path you waited for is yours to take
	KindOverlapMerge     EventKind = "overlap.merge"       // FileTouched: edited in another workspace too
	KindOverlapEdit      EventKind = "overlap.edit"        // FileTouched: the actor writes what you hold, or announced first
	KindOverlapWritten   EventKind = "overlap.written"     // FileTouched: a command of yours wrote what the named agent holds, announced or left
	KindDependencyEdited EventKind = "dependency.edited"   // FileTouched: a file you depend on was edited
	KindBroadcast        EventKind = "broadcast"           // any object
	KindQuotaUpdated     EventKind = "quota.updated"       // QuotaUpdated
	KindTokensUsed       EventKind = "tokens.used"         // Tokens
	KindNeedsHuman       EventKind = "needs_human"         // NeedsHuman: a thread wakes the recipient no more
	KindResync           EventKind = "resync"              // Resync: the reader missed events; read the state anew
)

// EventKinds lists every kind of event, sorted.
func EventKinds() []EventKind {
	return []EventKind{KindAgentLost, KindAgentStatus, KindAnnounceClosed, KindAnnounced, KindBroadcast, KindDependencyEdited,
		KindFileEdited, KindFileLeased, KindFileReleased, KindIntrospection, KindLeasePassed, KindMessagePosted, KindNeedsHuman,
		KindOverlapEdit, KindOverlapMerge, KindOverlapWritten, KindPathFree, KindPathWanted, KindQuotaUpdated, KindResync,
		KindThreadClaimed, KindThreadCompleted, KindThreadOpened, KindThreadStatus, KindTokensUsed}
}

// Priority decides how hard delivery tries.
type Priority string

// High wakes an idle session, medium is shown at the next tool call, low with the
// next result or prompt.
const (
	High   Priority = "high"
	Medium Priority = "medium"
	Low    Priority = "low"
)

// Event is the one unit of news. Order is Seq, per hub.
type Event struct {
	Seq      Seq             `json:"seq"`
	Kind     EventKind       `json:"kind"`
	Project  ProjectID       `json:"project"`
	Actor    AgentID         `json:"actor,omitempty"` // empty: the hub itself
	Thread   ThreadID        `json:"thread,omitempty"`
	Time     Millis          `json:"time"`
	Priority Priority        `json:"priority"`
	Payload  json.RawMessage `json:"payload"` // a JSON object, fields by kind

	Again bool `json:"again,omitempty"` // of an offer: it was offered before and nobody knows whether it was read
}

// ID gives the event's name.
func (e *Event) ID() EventID { return EventID(fmt.Sprintf("E-%d", e.Seq)) }

// Delivery is an event as it stands in one agent's inbox. Prev is the seq of
// the event before it in the same inbox (0 for the first), by which a reader
// sees a hole.
type Delivery struct {
	Event
	Prev Seq `json:"prev"`
}

// envelope is the part of the wire form that all events share; the payload's
// fields follow it in the same object.
type envelope struct {
	Epoch    Epoch     `json:"epoch"`
	V        int       `json:"v"`
	Seq      Seq       `json:"seq"`
	ID       EventID   `json:"id"`
	Kind     EventKind `json:"kind"`
	Project  ProjectID `json:"project"`
	Agent    AgentID   `json:"agent_id"`
	Thread   ThreadID  `json:"thread_id,omitempty"`
	Time     Millis    `json:"ts"`
	Priority Priority  `json:"priority,omitempty"`
	Prev     *Seq      `json:"prev,omitempty"`
	Again    bool      `json:"again,omitempty"`
}

// WireVersion is the version of the event's wire form, its field "v".
const WireVersion = 1

// Wire writes the flat JSON object that travels on topics and streams:
// envelope fields first, then the payload's. A payload never repeats an
// envelope field.
func (e *Event) Wire(epoch Epoch) []byte { return e.wire(epoch, nil) }

// Wire writes the delivery like [Event.Wire], with "prev".
func (d *Delivery) Wire(epoch Epoch) []byte { return d.wire(epoch, &d.Prev) }

func (e *Event) wire(epoch Epoch, prev *Seq) []byte {
	head, err := json.Marshal(envelope{epoch, WireVersion, e.Seq, e.ID(), e.Kind, e.Project, e.Actor, e.Thread, e.Time, e.Priority, prev, e.Again})
	if err != nil {
		panic(fmt.Sprintf("event envelope: %v", err)) // strings and numbers only: cannot fail
	}
	body := bytes.TrimSpace(e.Payload)
	if len(body) <= 2 {
		return head
	}
	out := make([]byte, 0, len(head)+len(body))
	out = append(out, head[:len(head)-1]...)
	out = append(out, ',')
	return append(out, body[1:]...)
}

// ParseWire reads the wire form back. The payload of the result is the whole
// object, envelope fields included.
func ParseWire(b []byte) (Epoch, Delivery, error) {
	var env envelope
	if err := json.Unmarshal(b, &env); err != nil {
		return "", Delivery{}, fmt.Errorf("read event: %w", err)
	}
	if env.V != WireVersion {
		return "", Delivery{}, fmt.Errorf("read event: wire version %d, want %d", env.V, WireVersion)
	}
	d := Delivery{Event: Event{Seq: env.Seq, Kind: env.Kind, Project: env.Project, Actor: env.Agent,
		Thread: env.Thread, Time: env.Time, Priority: env.Priority, Again: env.Again, Payload: bytes.Clone(b)}}
	if env.Prev != nil {
		d.Prev = *env.Prev
	}
	return env.Epoch, d, nil
}

// ThreadOpened is the payload of thread.opened and introspection.
type ThreadOpened struct {
	Subject       string    `json:"subject"`
	InitiatorID   AgentID   `json:"initiator_id"`
	InitiatorName string    `json:"initiator_name"`
	TargetFiles   []string  `json:"target_files"` // the first 20
	More          int       `json:"more,omitempty"`
	TargetModules []string  `json:"target_modules"`
	KeepOpen      bool      `json:"keep_open,omitempty"` // a task that is offered
	Overlap       []Path    `json:"overlap"`             // the first 20 paths that both touch
	Score         int       `json:"score"`
	Layer         Layer     `json:"layer"`
	Respondents   []AgentID `json:"respondents"`
	Deadline      Millis    `json:"deadline,omitempty"`
}

// Announced is the payload of announcement.opened.
type Announced struct {
	Announcement  AnnouncementID `json:"announcement_id"`
	Name          string         `json:"name"`
	Subject       string         `json:"subject"`
	TargetFiles   []string       `json:"target_files"` // the first 20
	More          int            `json:"more,omitempty"`
	TargetModules []string       `json:"target_modules"`
	Category      Category       `json:"category"`
	Score         int            `json:"score"`
	Layer         Layer          `json:"layer,omitempty"`
	Layers        map[Layer]int  `json:"layers,omitempty"` // how many reasons of each layer were found
	Concerned     []AgentID      `json:"concerned"`        // the first 10
}

// AnnouncementClosed is the payload of announcement.closed.
type AnnouncementClosed struct {
	Announcement AnnouncementID `json:"announcement_id"`
	Subject      string         `json:"subject"`
}

// MessagePosted is the payload of message.posted.
type MessagePosted struct {
	MessageID MessageID   `json:"message_id"`
	Name      string      `json:"name"`
	Type      MessageType `json:"type"`
	Content   string      `json:"content"`
	Cut       bool        `json:"cut,omitempty"` // the content goes on: get_thread gives all
	InReplyTo MessageID   `json:"in_reply_to,omitempty"`
	Late      bool        `json:"late,omitempty"`
}

// StatusChanged is the payload of thread.status.
type StatusChanged struct {
	Status   ThreadStatus `json:"status"`
	Type     Resolution   `json:"type,omitempty"`
	Summary  string       `json:"summary,omitempty"`
	Round    int          `json:"round"`
	Name     string       `json:"name,omitempty"`     // of the actor
	Proposal int          `json:"proposal,omitempty"` // its number, when one was made, approved or contested
	Order    []AgentID    `json:"order,omitempty"`
	Awaiting []AgentID    `json:"awaiting,omitempty"` // whose approval is missing
}

// ClaimWon is the payload of thread.claimed.
type ClaimWon struct {
	ClaimedBy AgentID `json:"claimed_by"`
	Name      string  `json:"name"`
}

// WorkCompleted is the payload of thread.completed.
type WorkCompleted struct {
	Resolution string `json:"resolution"`
}

// AgentStatusChanged is the payload of agent.status.
type AgentStatusChanged struct {
	Status  AgentStatus `json:"status"`
	Name    string      `json:"name"`
	Modules []string    `json:"modules"`
}

// AgentLost is the payload of agent.lost, which waits in the inbox of an agent
// that was lost, not one that said goodbye: what ended with it.
type AgentLost struct {
	Closed []string `json:"closed"` // its announcements (A-n) and the threads (T-n) that go on without it or ended
	Left   []Path   `json:"left"`   // files it held, the first 20: others may write them now
	More   int      `json:"more,omitempty"`
	Next   string   `json:"next"`
}

// FileTouched is the payload of the events about one file.
type FileTouched struct {
	Path      Path        `json:"path"`
	Workspace WorkspaceID `json:"workspace"`
	Agent     AgentID     `json:"agent"`
	Name      string      `json:"name,omitempty"`

	Announcement AnnouncementID `json:"announcement_id,omitempty"` // of the recipient, if it is about one
	Held         bool           `json:"held,omitempty"`            // with lease.passed: the recipient held it, a circle of waits let the other go first
	Unsure       bool           `json:"unsure,omitempty"`          // it may have been somebody else: calls ran at the same time
	By           AgentID        `json:"by,omitempty"`              // the person who took the recipient's right to the file
}

// PathFree is the payload of path.free.
type PathFree struct {
	Paths     []Path      `json:"paths"`
	Workspace WorkspaceID `json:"workspace,omitempty"`
	Until     Millis      `json:"reserved_until,omitempty"` // kept for you until then
	Reason    string      `json:"reason,omitempty"`
}

// NeedsHuman is the payload of needs_human.
type NeedsHuman struct {
	Wakes int `json:"wakes"` // how often the thread woke the recipient since its user's last prompt
}

// Resync is the payload of resync: events From..To are gone from the inbox.
type Resync struct {
	From Seq `json:"from"`
	To   Seq `json:"to"`
}
