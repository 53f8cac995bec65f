package tool

import (
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// Offer asks for the news that one rung of the ladder may hand to the caller's
// model now. Whoever has handed it out says so with written.
var Offer = declare[OfferIn, OfferOut](Op{
	Name:   "offer",
	Text:   "Take the news that may be shown to the caller's model now.",
	Hidden: true,
})

// OfferIn is the argument of offer.
type OfferIn struct {
	Rung     coord.Rung     `json:"rung" req:"true" enum:"result,hook,prompt,stop,channel,poll"`
	Max      int            `json:"max,omitempty" max:"200" doc:"default 20"`
	Bytes    int            `json:"bytes,omitempty" doc:"of the events; 0 = any"`
	ThreadID coord.ThreadID `json:"thread_id,omitempty" max:"32" doc:"only news of this thread"`
	Progress bool           `json:"progress,omitempty" doc:"the client has come back after all its earlier calls: what was written before has been read"`
	Settled  bool           `json:"settled,omitempty" doc:"the caller has none of its earlier offers by result or poll in hand: those it has not reported were lost on the way to it"`
}

// OfferOut answers offer.
type OfferOut struct {
	Epoch  coord.Epoch       `json:"epoch"`
	Events []json.RawMessage `json:"events"` // wire form
	Unread int               `json:"unread"` // further events that nobody has been handed
}

// Written reports what became of an offer.
var Written = declare[WrittenIn, WrittenOut](Op{
	Name:   "written",
	Text:   "Report that offered news was handed to the client, or could not be, or that the client has come back since.",
	Hidden: true,
})

// WrittenIn is the argument of written.
type WrittenIn struct {
	Epoch    coord.Epoch `json:"epoch,omitempty" doc:"of the offer; another epoch changes nothing"`
	Rung     coord.Rung  `json:"rung,omitempty" enum:",result,hook,prompt,stop,socket,rewake,channel,poll"`
	Seqs     []coord.Seq `json:"seqs,omitempty" max:"1000"`
	Failed   bool        `json:"failed,omitempty" doc:"they were not handed out: offer them again"`
	Progress bool        `json:"progress,omitempty" doc:"as in offer"`
}

// WrittenOut answers written.
type WrittenOut struct {
	Seen coord.Seq `json:"seen"` // everything up to here has been seen
}

// AwaitWake waits until news may wake the caller's idle client.
var AwaitWake = declare[AwaitWakeIn, AwaitWakeOut](Op{
	Name:   "await_wake",
	Text:   "Wait until news may wake the caller's idle client, and take it. One waiter per rung: a newer one replaces the older.",
	Hidden: true,
	Waits:  LongestWait,
})

// AwaitWakeIn is the argument of await_wake.
type AwaitWakeIn struct {
	Rung           coord.Rung `json:"rung" req:"true" enum:"socket,rewake,channel"`
	TimeoutSeconds *float64   `json:"timeout_seconds,omitempty" max:"3600" doc:"default and cap 100"`
}

// AwaitWakeOut answers await_wake.
type AwaitWakeOut struct {
	Epoch   coord.Epoch       `json:"epoch"`
	Events  []json.RawMessage `json:"events"` // wire form; none = go by the next two
	Unread  int               `json:"unread"`
	Over    bool              `json:"over,omitempty"` // another waiter took its place, or the session ended: do not come back
	Timeout bool              `json:"timeout,omitempty"`
}
