package tool

import (
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// WaitForMessage blocks until news comes for the caller.
var WaitForMessage = declare[WaitForMessageIn, WaitForMessageOut](Op{
	Name:       "wait_for_message",
	Text:       "Wait for news for you (threads, messages, proposals, resolutions) and get it as a batch. Ends at once when something is there, else after timeout_seconds with timeout:true.",
	ReadOnly:   true,
	AlwaysLoad: true,
	Core:       true,
	Local:      true,
})

// WaitForMessageIn is the argument of wait_for_message.
type WaitForMessageIn struct {
	TimeoutSeconds *float64       `json:"timeout_seconds,omitempty" max:"3600" doc:"default 30; capped at 100 (50 outside Claude Code)"`
	Max            int            `json:"max,omitempty" max:"200" doc:"at most this many events (default 20)"`
	ThreadID       coord.ThreadID `json:"thread_id,omitempty" max:"32" doc:"only news of this thread; the rest stays queued"`
}

// WaitForMessageOut answers wait_for_message.
type WaitForMessageOut struct {
	Events    []json.RawMessage `json:"events"`
	Remaining int               `json:"remaining"`
	Timeout   bool              `json:"timeout,omitempty"`
}

// GetQueuedMessages takes what is queued, without waiting.
var GetQueuedMessages = declare[GetQueuedMessagesIn, GetQueuedMessagesOut](Op{
	Name:     "get_queued_messages",
	Text:     "Get the news that is queued for you, without waiting.",
	ReadOnly: true,
	Local:    true,
})

// GetQueuedMessagesIn is the argument of get_queued_messages.
type GetQueuedMessagesIn struct {
	Max int `json:"max,omitempty" max:"200" doc:"at most this many events (default 50)"`
}

// GetQueuedMessagesOut answers get_queued_messages.
type GetQueuedMessagesOut struct {
	Events    []json.RawMessage `json:"events"`
	Remaining int               `json:"remaining"`
}
