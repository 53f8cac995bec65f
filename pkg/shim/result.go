package shim

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// offeredTool is an entry of tools/list. Only what differs from the protocol's
// defaults is said.
type offeredTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"inputSchema"`
	Annotations *hints          `json:"annotations,omitempty"`
	Meta        *offerMeta      `json:"_meta,omitempty"`
}

type hints struct {
	ReadOnly bool `json:"readOnlyHint"`
}

type offerMeta struct {
	AlwaysLoad bool `json:"anthropic/alwaysLoad"`
}

// offer is the result of tools/list, from the table alone.
func offer(ops []*tool.Op) *rawResult {
	tools := make([]offeredTool, 0, len(ops))
	for _, op := range ops {
		t := offeredTool{Name: op.Name, Description: op.Text, InputSchema: op.Schema()}
		if op.ReadOnly {
			t.Annotations = &hints{true}
		}
		if op.AlwaysLoad {
			t.Meta = &offerMeta{true}
		}
		tools = append(tools, t)
	}
	return raw(struct {
		Tools []offeredTool `json:"tools"`
	}{tools})
}

// callResult is the result of tools/call: one block of text and nothing
// structured, which would hide the text from some clients.
type callResult struct {
	Content [1]textBlock `json:"content"`
	IsError bool         `json:"isError,omitempty"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// success hands over an answer in its own bytes.
func success(answer []byte) mcp.Result {
	return raw(callResult{Content: [1]textBlock{{"text", string(bytes.TrimSpace(answer))}}})
}

// failure words an error for the model.
func failure(err error) mcp.Result {
	var said *coord.Error
	if !errors.As(err, &said) {
		said = coord.Errorf(coord.Internal, "go on without coord", "the shim failed: %v", err)
	}
	return raw(callResult{Content: [1]textBlock{{"text", said.Error()}}, IsError: true})
}

func raw(v any) *rawResult { return &rawResult{body: encode(v)} }

// encode writes JSON without escaping <, > and &, which a model would see as
// noise. Values are our own structs of text and JSON, so it cannot fail.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("encode a result: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}
