package coord

// Rung names one way by which news reaches a model (DESIGN 6).
type Rung string

// The rungs of the ladder, from the gentlest to the one that asks.
const (
	RungResult  Rung = "result"  // 1: rides along in a tool result
	RungHook    Rung = "hook"    // 2: context of a tool's hook
	RungPrompt  Rung = "prompt"  // 2: context of a prompt or of the start of a session
	RungStop    Rung = "stop"    // 3: blocks the end of a turn once
	RungSocket  Rung = "socket"  // 4: a message to the client's own socket
	RungRewake  Rung = "rewake"  // 5: a background hook that ends
	RungChannel Rung = "channel" // 6: a notification of claude/channel
	RungPoll    Rung = "poll"    // 7: wait_for_message, get_queued_messages
)

// Rungs are all rungs.
var Rungs = []Rung{RungResult, RungHook, RungPrompt, RungStop, RungSocket, RungRewake, RungChannel, RungPoll}

// Wakes reports whether the rung starts a turn, which costs the user money.
func (r Rung) Wakes() bool { return r == RungSocket || r == RungRewake || r == RungChannel }

// DeliveryState is how far one event has come on its way to one recipient.
type DeliveryState string

// Queued becomes offered, then written, then seen. A blocked one may not wake
// its recipient any more and goes with the next prompt; an expired one will not
// be delivered.
const (
	DeliveryQueued  DeliveryState = "queued"
	DeliveryOffered DeliveryState = "offered" // given to a hook or shim
	DeliveryWritten DeliveryState = "written" // handed to the client
	DeliverySeen    DeliveryState = "seen"    // the client has come back since
	DeliveryBlocked DeliveryState = "blocked"
	DeliveryExpired DeliveryState = "expired"
)

// DeliveryStates are all states, in the order in which they are reached.
var DeliveryStates = []DeliveryState{DeliveryQueued, DeliveryOffered, DeliveryWritten, DeliverySeen, DeliveryBlocked, DeliveryExpired}

// Receipt says what became of one event for one recipient.
type Receipt struct {
	Agent  AgentID       `json:"agent_id"`
	Seq    Seq           `json:"seq"`
	State  DeliveryState `json:"state"`
	Rung   Rung          `json:"rung,omitempty"`   // of the last offer
	At     Millis        `json:"at,omitempty"`     // of the last change of state
	Offers int           `json:"offers,omitempty"` // how often it was offered
}

// Relation is what an event has to do with one recipient.
type Relation string

// The relations, from the closest.
const (
	RelationParty     Relation = "party"     // takes part in the thread, or is named by it
	RelationWaiter    Relation = "waiter"    // waits for the path
	RelationHolder    Relation = "holder"    // holds, or has announced, the path
	RelationBystander Relation = "bystander" // none of these
)

// priorities is how hard delivery tries, by kind and by what the event has to do
// with the recipient; "" is any other relation. What is not here is low.
var priorities = map[EventKind]map[Relation]Priority{
	KindThreadOpened:     {RelationParty: High, "": Medium},
	KindThreadStatus:     {RelationParty: High, "": Medium}, // proposals, contests and ends
	KindMessagePosted:    {"": Medium},
	KindThreadClaimed:    {"": Medium},
	KindThreadCompleted:  {RelationParty: High, "": Medium},
	KindPathFree:         {"": High},
	KindPathWanted:       {"": Medium},
	KindLeasePassed:      {"": Medium},
	KindOverlapMerge:     {"": Medium},
	KindOverlapEdit:      {"": Medium},
	KindOverlapWritten:   {"": Medium},
	KindDependencyEdited: {"": Medium},
	KindNeedsHuman:       {"": Medium},
	KindResync:           {"": Medium},
}

// PriorityOf gives how hard delivery tries to bring an event of the kind to a
// recipient of the relation.
func PriorityOf(k EventKind, r Relation) Priority {
	row := priorities[k]
	if p, ok := row[r]; ok {
		return p
	}
	if p, ok := row[""]; ok {
		return p
	}
	return Low
}

// Wakes is what a hub keeps of an agent's wake-ups between two prompts of its
// user (DESIGN 6). The zero value is a session that has not been woken.
type Wakes struct {
	Mode    string           `json:"mode,omitempty"`    // the client's permission mode, as its hooks last said
	Off     bool             `json:"off,omitempty"`     // COORDINATOR_WAKE=off
	Count   int              `json:"count,omitempty"`   // since the last prompt
	Last    Millis           `json:"last,omitempty"`    // of the last one, ever
	Threads map[ThreadID]int `json:"threads,omitempty"` // by thread, since the last prompt
}
