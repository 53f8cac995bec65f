package mcptool

import (
	"bytes"
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/tool"
)

// Bounds of the news in one answer.
const (
	WaitBatch   = 20         // events that wait_for_message gives unless asked for another number
	QueuedBatch = 50         // the same of get_queued_messages
	MaxNews     = 8<<10 - 64 // bytes of events; the answer as a whole has at most 8 KB
)

// OfThread wants the news of one thread, and markers: those may stand for it.
// Without a thread it wants all.
func OfThread(id coord.ThreadID) inbox.Filter {
	if id == "" {
		return nil
	}
	return func(d *coord.Delivery) bool { return d.Thread == id || d.Kind == coord.KindResync }
}

// Take gives the next batch: at most limit events (usual when limit is 0), and
// not more bytes than an answer bears, but one at least.
func Take(q *inbox.Queue, limit, usual int, f inbox.Filter) *inbox.Batch {
	if limit == 0 {
		limit = usual
	}
	size := 0
	return q.Take(limit, func(d *coord.Delivery) bool {
		if f != nil && !f(d) || size > MaxNews {
			return false
		}
		first := size == 0
		size += len(forModel(d)) + len(",")
		return first || size <= MaxNews
	})
}

// News words a batch: the answer of get_queued_messages, and of a
// wait_for_message that ended with news. Remaining counts what q still holds
// for the filter.
func News(b *inbox.Batch, q *inbox.Queue, f inbox.Filter) []byte {
	out := tool.GetQueuedMessagesOut{Events: make([]json.RawMessage, 0, len(b.Events)), Remaining: q.Waiting(f)}
	for i := range b.Events {
		out.Events = append(out.Events, forModel(&b.Events[i]))
	}
	return Encode(out)
}

// NoNews is the answer of a wait_for_message that ended without any.
func NoNews() []byte {
	return Encode(tool.WaitForMessageOut{Events: []json.RawMessage{}, Timeout: true})
}

// shown is the part of an event's envelope that a model has a use for.
type shown struct {
	Seq      coord.Seq       `json:"seq"`
	ID       coord.EventID   `json:"id"`
	Kind     coord.EventKind `json:"kind"`
	Agent    coord.AgentID   `json:"agent_id,omitempty"`
	Thread   coord.ThreadID  `json:"thread_id,omitempty"`
	Time     coord.Millis    `json:"ts,omitempty"`
	Priority coord.Priority  `json:"priority,omitempty"`
	Again    bool            `json:"again,omitempty"` // it may have been told before
}

// envelope are the members of the wire form that are not the payload's own.
var envelope = map[string]bool{"epoch": true, "v": true, "seq": true, "id": true, "kind": true, "project": true,
	"agent_id": true, "thread_id": true, "ts": true, "priority": true, "prev": true, "again": true}

// forModel writes an event as it is given to a model: the wire form without
// what only machines need. The payload's members keep their bytes and order.
func forModel(d *coord.Delivery) json.RawMessage {
	head := Encode(shown{d.Seq, d.ID(), d.Kind, d.Actor, d.Thread, d.Time, d.Priority, d.Again})
	out := bytes.NewBuffer(head[:len(head)-1])
	dec := json.NewDecoder(bytes.NewReader(d.Payload))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return head
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return head
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return head
		}
		if name, ok := key.(string); ok && !envelope[name] {
			out.WriteByte(',')
			out.Write(Encode(name))
			out.WriteByte(':')
			out.Write(value)
		}
	}
	out.WriteByte('}')
	return noTags(out.Bytes())
}

// noTags writes "<" as an escape, which JSON allows inside texts: a peer's words
// must not look like a tag of the client's own.
func noTags(event []byte) json.RawMessage {
	return bytes.ReplaceAll(event, []byte("<"), []byte(`\u003c`))
}
