package shim

import (
	"encoding/json"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// verbatim begins the string that stands inside for an id which the library
// would change: it makes an int64 of every number, by way of a float. What
// follows is the id as the client has written it.
const verbatim = "\x00verbatim:"

// maxExact is the longest number, in characters, that survives a float64.
const maxExact = 15

// readID reads an id as it stands in a message. The zero ID is one that no
// request may have.
func readID(value json.RawMessage) jsonrpc.ID {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return jsonrpc.ID{}
	}
	if needsVerbatim(value, v) {
		v = verbatim + string(value)
	}
	id, err := jsonrpc.MakeID(v)
	if err != nil {
		return jsonrpc.ID{}
	}
	return id
}

// needsVerbatim reports a number that is no short integer, and a string that
// looks like one of ours.
func needsVerbatim(value json.RawMessage, v any) bool {
	switch v := v.(type) {
	case float64:
		return len(value) > maxExact || strings.ContainsAny(string(value), ".eE") || string(value) == "-0"
	case string:
		return strings.HasPrefix(v, verbatim)
	}
	return false
}

// wireID gives an id as the client has written it; null for none.
func wireID(id jsonrpc.ID) json.RawMessage {
	if s, ok := id.Raw().(string); ok {
		if raw, ours := strings.CutPrefix(s, verbatim); ours {
			return json.RawMessage(raw)
		}
	}
	raw, err := json.Marshal(id.Raw())
	if err != nil {
		return json.RawMessage("null")
	}
	return raw
}

// isVerbatim reports an id that is another inside than on the wire.
func isVerbatim(id jsonrpc.ID) bool {
	s, ok := id.Raw().(string)
	return ok && strings.HasPrefix(s, verbatim)
}

// withWireID puts the id that the client knows into an encoded answer.
func withWireID(encoded []byte, id jsonrpc.ID) ([]byte, error) {
	if !isVerbatim(id) {
		return encoded, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &members); err != nil {
		return nil, err
	}
	members["id"] = wireID(id)
	return json.Marshal(members)
}

// withOwnID lets the library find the call that a cancellation is about.
func withOwnID(params json.RawMessage) json.RawMessage {
	id := cancelledID(params)
	if !isVerbatim(id) {
		return params
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(params, &members) != nil {
		return params
	}
	own, err := json.Marshal(id.Raw())
	if err != nil {
		return params
	}
	members["requestId"] = own
	out, err := json.Marshal(members)
	if err != nil {
		return params
	}
	return out
}
