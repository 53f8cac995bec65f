package shim

import (
	"bytes"
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
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

// forModel writes an event as it is given to a model: the wire form without
// what only machines need. The payload's members keep their bytes and order.
func forModel(d *coord.Delivery) json.RawMessage {
	head := encode(shown{d.Seq, d.ID(), d.Kind, d.Actor, d.Thread, d.Time, d.Priority})
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
			out.Write(encode(name))
			out.WriteByte(':')
			out.Write(value)
		}
	}
	out.WriteByte('}')
	return out.Bytes()
}
