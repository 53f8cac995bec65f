package mcptool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
)

// rawResult is a result that goes out as it is.
type rawResult struct {
	mcp.ResultBase
	body json.RawMessage
}

// MarshalJSON gives the result's own bytes.
func (r *rawResult) MarshalJSON() ([]byte, error) { return r.body, nil }

func raw(v any) *rawResult { return &rawResult{body: Encode(v)} }

// callResult is the result of tools/call.
type callResult struct {
	Content [1]textBlock `json:"content"`
	IsError bool         `json:"isError,omitempty"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Answer runs a call of the named tool and makes its result: the answer in its
// own bytes, or the error in words. A panic is told to the client, logged, and
// kept from ending the session.
func Answer(log *slog.Logger, name string, run func() ([]byte, error)) (res mcp.Result) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a tool call panicked", "tool", name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			res = failure(coord.Errorf(coord.Internal, "this is a fault of coord; go on without it", "%s failed", name))
		}
	}()
	answer, err := run()
	if err != nil {
		return failure(err)
	}
	return raw(callResult{Content: [1]textBlock{{"text", string(bytes.TrimSpace(answer))}}})
}

// failure words an error for the model.
func failure(err error) mcp.Result {
	var said *coord.Error
	if !errors.As(err, &said) {
		said = coord.Errorf(coord.Internal, "go on without coord", "coord failed: %v", err)
	}
	return raw(callResult{Content: [1]textBlock{{"text", said.Error()}}, IsError: true})
}

// Encode writes compact JSON without escaping <, > and &, which a model would
// see as noise. It is for our own structs of text and JSON, which never fail.
func Encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("encode a result: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}
