package broker

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

// maxPayload is the largest message a client may publish, in bytes.
const maxPayload = 8 << 10

// stampHead is what the hub vouches for in a client's message. Such a message is
// not in the event log: it has no seq and no id.
type stampHead struct {
	Epoch   coord.Epoch     `json:"epoch"`
	V       int             `json:"v"`
	Kind    coord.EventKind `json:"kind"`
	Project coord.ProjectID `json:"project"`
	Agent   coord.AgentID   `json:"agent_id"`
	Time    coord.Millis    `json:"ts"`
}

// reserved are the envelope's fields, which a client cannot set.
var reserved = []string{"epoch", "v", "seq", "id", "kind", "project", "agent_id", "ts", "priority", "prev"}

// stamp gives the client's object with author, project and time of the hub in
// front. Fields that a reader could take for the envelope's are dropped; letter
// case does not count, as JSON readers differ in that.
func (b *Broker) stamp(c *conn, name topic.Name, payload []byte) ([]byte, error) {
	address, ok := topic.Parse(name)
	if !ok {
		return nil, coord.Errorf(coord.Forbidden, "", "topic %q is not one of the hub's", name)
	}
	const next = "publish one JSON object"
	if len(payload) > maxPayload {
		return nil, coord.Errorf(coord.TooLarge, next, "message of %d bytes is over the limit of %d", len(payload), maxPayload)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil || fields == nil || !utf8.Valid(payload) {
		return nil, coord.Errorf(coord.Invalid, next, "message is not a JSON object in UTF-8")
	}
	for name := range fields {
		if isReserved(name) {
			delete(fields, name)
		}
	}
	head, err := json.Marshal(stampHead{b.life(), coord.WireVersion, address.Row.Kind, c.caller.Project, c.author, coord.At(b.opt.Now())})
	if err != nil || len(fields) == 0 {
		return head, err
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{head[:len(head)-1], rest[1:]}, []byte(",")), nil
}

func isReserved(name string) bool {
	for _, r := range reserved {
		if strings.EqualFold(r, name) {
			return true
		}
	}
	return false
}
