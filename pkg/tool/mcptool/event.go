package mcptool

import (
	"bytes"
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// Bounds of a batch of news in one answer.
const (
	WaitBatch   = 20          // events that wait_for_message gives unless asked for another number
	QueuedBatch = 50          // the same of get_queued_messages
	MaxNews     = 8<<10 - 64  // bytes of events, in an answer that as a whole has at most 8 KB
	maxEvent    = len(`,"…"`) // what an event costs beside its own bytes, at most
)

// shown is the part of an event's envelope that a model has a use for.
type shown struct {
	Seq      coord.Seq       `json:"seq"`
	ID       coord.EventID   `json:"id"`
	Kind     coord.EventKind `json:"kind"`
	Agent    coord.AgentID   `json:"agent_id,omitempty"`
	Thread   coord.ThreadID  `json:"thread_id,omitempty"`
	Time     coord.Millis    `json:"ts,omitempty"`
	Priority coord.Priority  `json:"priority,omitempty"`
}

// envelope are the members of the wire form that are not the payload's own.
var envelope = map[string]bool{"epoch": true, "v": true, "seq": true, "id": true, "kind": true, "project": true,
	"agent_id": true, "thread_id": true, "ts": true, "priority": true, "prev": true}
