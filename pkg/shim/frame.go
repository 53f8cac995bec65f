package shim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// parse reads one line as one JSON-RPC message. The error is what the client is
// to be told.
func (l line) parse() (jsonrpc.Message, *jsonrpc.Error) {
	switch text := bytes.TrimSpace(l.text); {
	case l.tooLong():
		return nil, parseError("the line of %d bytes is over the limit of %d", l.size, maxLine)
	case !utf8.Valid(text):
		return nil, parseError("the line is not valid UTF-8")
	case !json.Valid(text):
		return nil, parseError("the line is not valid JSON; send one message per line")
	case text[0] == '[':
		return nil, invalidRequest("batches are not supported; send one message per line")
	case text[0] != '{':
		return nil, invalidRequest("the message is not a JSON object")
	}
	if req := l.request(); req != nil {
		return req, nil
	}
	msg, err := jsonrpc.DecodeMessage(l.text)
	switch {
	case errors.As(err, new(*jsonrpc.Error)):
		return nil, invalidRequest("the object is neither a request nor an answer")
	case err != nil:
		return nil, invalidRequest("%v", err)
	}
	req, ok := msg.(*jsonrpc.Request)
	if ok && !req.IsCall() && !strings.HasPrefix(req.Method, "notifications/") && l.hasID() {
		return nil, invalidRequest("the id of a request must be a string or an integer")
	}
	return msg, nil
}

// request reads a well-formed request with an id, nil when the line is none. The
// library's decoder would do, but takes 64 KB for each message, and changes ids.
func (l line) request() *jsonrpc.Request {
	var members map[string]json.RawMessage // of a struct, letter case would not count
	if json.Unmarshal(l.text, &members) != nil {
		return nil
	}
	var version, method *string
	if json.Unmarshal(members["jsonrpc"], &version) != nil || json.Unmarshal(members["method"], &method) != nil ||
		version == nil || *version != "2.0" || method == nil {
		return nil
	}
	id := readID(members["id"])
	if !id.IsValid() {
		return nil
	}
	return &jsonrpc.Request{ID: id, Method: *method, Params: members["params"]}
}

// hasID reports a member "id" of an object, null included.
func (l line) hasID() bool {
	var members map[string]json.RawMessage
	err := json.Unmarshal(l.text, &members)
	_, there := members["id"]
	return err == nil && there
}

// id finds the JSON-RPC id in a line that is no message, so that a client which
// waits for an answer gets it. The zero ID means that none can be read.
func (l line) id() jsonrpc.ID {
	if id := scanID(l.text); id.IsValid() || !l.tooLong() {
		return id
	}
	// {"method":…,"params":…,"jsonrpc":"2.0","id":7}: the last members are whole.
	at := bytes.LastIndex(l.tail, []byte(`"jsonrpc"`))
	if at < 0 {
		return jsonrpc.ID{}
	}
	end := append([]byte("{"), l.tail[at:]...)
	if !json.Valid(end) {
		return jsonrpc.ID{}
	}
	return scanID(end)
}

// scanID looks for the member "id" of an object as far as it is well formed.
func scanID(text []byte) jsonrpc.ID {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return jsonrpc.ID{}
	}
	for {
		key, err := dec.Token()
		if err != nil {
			return jsonrpc.ID{}
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return jsonrpc.ID{}
		}
		if key == "id" {
			return readID(value)
		}
	}
}

func parseError(format string, args ...any) *jsonrpc.Error {
	return &jsonrpc.Error{Code: jsonrpc.CodeParseError, Message: "parse error: " + fmt.Sprintf(format, args...)}
}

func invalidRequest(format string, args ...any) *jsonrpc.Error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "invalid request: " + fmt.Sprintf(format, args...)}
}

// encodeError writes the answer to a line that is no message. Other than the
// library's encoder it writes the null id that JSON-RPC wants there.
func encodeError(id jsonrpc.ID, e *jsonrpc.Error) ([]byte, error) {
	b, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   *jsonrpc.Error  `json:"error"`
	}{"2.0", wireID(id), e})
	if err != nil {
		return nil, fmt.Errorf("encode a refusal: %w", err)
	}
	return b, nil
}
