package topic

import (
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// Pattern is a topic with the placeholders {agent} and {thread} as levels.
type Pattern string

// Audience says which of a project's clients may do something on a topic.
type Audience string

// Nobody leaves a topic to the hub, Owner is the agent named in the topic,
// Everyone is all clients of the project.
const (
	Nobody   Audience = "nobody"
	Owner    Audience = "owner"
	Everyone Audience = "everyone"
)

// ClientMessage is the kind the hub stamps on what an agent publishes on its
// own out topic. Such messages are not in the event log.
const ClientMessage coord.EventKind = "agent.out"

// Row is one line of the topic map.
type Row struct {
	Topic   Pattern
	Kind    coord.EventKind // published on it; empty: any kind (inbox), or no event
	When    string          // in words, for the docs
	Payload string          // the fields beside the envelope, for the docs
	Retain  bool            // the broker keeps the last message for later subscribers
	Read    Audience
	Write   Audience
}

const (
	inbox  Pattern = "coordinator/agents/{agent}/inbox"
	status Pattern = "coordinator/agents/{agent}/status"
	out    Pattern = "coordinator/agents/{agent}/out"
)

// Broadcast is the topic every client of a project may publish on.
const Broadcast Name = "coordinator/broadcast"

// Table is the whole topic map. It is never changed.
var Table = []Row{
	{"coordinator/consultations/new", coord.KindThreadOpened, "a thread opens", "thread_id, subject, initiator_id, target_files, target_modules, score, layer, respondents", false, Everyone, Nobody},
	{"coordinator/consultations/{thread}/messages", coord.KindMessagePosted, "a post", "name, type, content", false, Everyone, Nobody},
	{"coordinator/consultations/{thread}/status", coord.KindThreadStatus, "a transition", "status, type, summary, round", false, Everyone, Nobody},
	{"coordinator/consultations/{thread}/claimed", coord.KindThreadClaimed, "a claim wins", "claimed_by", false, Everyone, Nobody},
	{"coordinator/consultations/{thread}/completed", coord.KindThreadCompleted, "claimed work ends", "resolution", false, Everyone, Nobody},
	{status, coord.KindAgentStatus, "an agent comes or goes", "status, name, modules", true, Everyone, Nobody},
	{inbox, "", "anything for this agent", "the event, with prev", false, Owner, Nobody},
	{out, ClientMessage, "an agent publishes", "any object", false, Everyone, Owner},
	{"coordinator/files/edited", coord.KindFileEdited, "a file is edited", "path, workspace, agent", false, Everyone, Nobody},
	{"coordinator/files/leased", coord.KindFileLeased, "a lease is taken", "path, workspace, agent", false, Everyone, Nobody},
	{"coordinator/files/released", coord.KindFileReleased, "a lease ends", "path, workspace, agent", false, Everyone, Nobody},
	{Pattern(Broadcast), coord.KindBroadcast, "system-wide, or a client", "any object", false, Everyone, Everyone},
	{"coordinator/quota/update", coord.KindQuotaUpdated, "quota refresh", "usage, limit, utilization_pct, resets_at, buckets", true, Everyone, Nobody},
}

// Post is where one event is published for the whole project.
type Post struct {
	Topic  Name
	Retain bool
}

// Public gives the topic an event is published on; ok is false when its kind has
// none, or when the thread or actor that the topic names is missing. The subject
// of agent.status is the event's actor.
func Public(e *coord.Event) (p Post, ok bool) {
	for i := range Table {
		if r := &Table[i]; r.Kind == e.Kind && r.Kind != "" {
			name, ok := r.Topic.fill(e.Actor, e.Thread)
			return Post{name, r.Retain}, ok
		}
	}
	return Post{}, false
}

// Inbox is the topic of everything that is for one agent; only that agent may
// subscribe to it. It is empty for an id that cannot stand in a topic.
func Inbox(a coord.AgentID) Name { return own(inbox, a) }

// Status is the retained topic that says whether an agent is there.
func Status(a coord.AgentID) Name { return own(status, a) }

// Out is the topic an agent may publish on beside [Broadcast].
func Out(a coord.AgentID) Name { return own(out, a) }

func own(p Pattern, a coord.AgentID) Name {
	name, _ := p.fill(a, "")
	return name
}

// Address is a topic read back.
type Address struct {
	Row    *Row // the line of [Table] it belongs to
	Agent  coord.AgentID
	Thread coord.ThreadID
}

// Parse finds the line of the table that a topic belongs to and the ids in it;
// ok is false for a topic that is not in the table.
func Parse(n Name) (a Address, ok bool) {
	for i := range Table {
		if a, ok := Table[i].Topic.read(n); ok {
			a.Row = &Table[i]
			return a, true
		}
	}
	return Address{}, false
}

// fill puts ids into the placeholders; ok is false when one that is needed
// cannot be a level.
func (p Pattern) fill(a coord.AgentID, t coord.ThreadID) (Name, bool) {
	levels := strings.Split(string(p), "/")
	for i, level := range levels {
		switch level {
		case "{agent}":
			levels[i] = string(a)
		case "{thread}":
			levels[i] = string(t)
		}
		if !isLevel(levels[i]) {
			return "", false
		}
	}
	return Name(strings.Join(levels, "/")), true
}

func (p Pattern) read(n Name) (a Address, ok bool) {
	want, got := strings.Split(string(p), "/"), strings.Split(string(n), "/")
	if len(want) != len(got) {
		return Address{}, false
	}
	for i, level := range got {
		switch {
		case !isLevel(level):
			return Address{}, false
		case want[i] == "{agent}":
			a.Agent = coord.AgentID(level)
		case want[i] == "{thread}":
			a.Thread = coord.ThreadID(level)
		case want[i] != level:
			return Address{}, false
		}
	}
	return a, true
}
