package driver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Conversation is an MCP client on the two streams of a shim, wherever that
// runs. It keeps every event that any of its results carried.
type Conversation struct {
	client *mcp.ClientSession

	mu    sync.Mutex // guards heard and given
	heard []coord.Event
	given int // events before this index have been passed by Await
}

// Converse initialises an MCP session: it reads what the shim says and writes
// what it hears. name is how the client names itself; "" = coord-driver.
func Converse(ctx context.Context, says io.ReadCloser, hears io.WriteCloser, name string) (*Conversation, error) {
	if name == "" {
		name = "coord-driver"
	}
	client := mcp.NewClient(&mcp.Implementation{Name: name, Version: "1"}, &mcp.ClientOptions{Capabilities: &mcp.ClientCapabilities{}})
	c := &Conversation{}
	session, err := client.Connect(ctx, &mcp.IOTransport{Reader: &noting{says, bufio.NewReader(says), c.note, nil}, Writer: hears}, nil)
	if err != nil {
		return nil, fmt.Errorf("initialize: %w", err)
	}
	c.client = session
	return c, nil
}

// MCP gives the session itself, for what is not a tool call.
func (c *Conversation) MCP() *mcp.ClientSession { return c.client }

// Close ends the session and closes both streams.
func (c *Conversation) Close() error { return c.client.Close() }

// ToolError is what a tool said when it refused: words for a person or a model.
type ToolError string

func (e ToolError) Error() string { return string(e) }

// Raw calls a tool with any arguments and gives the one text block of its
// result. A refusal is a [ToolError]; other errors mean that the session is
// broken or the call was malformed.
func (c *Conversation) Raw(ctx context.Context, name string, args any) (json.RawMessage, error) {
	res, err := c.client.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(res.Content) != 1 {
		return nil, fmt.Errorf("%s: result has %d content blocks, want 1", name, len(res.Content))
	}
	text, ok := res.Content[0].(*mcp.TextContent)
	if !ok {
		return nil, fmt.Errorf("%s: result is a %T, want text", name, res.Content[0])
	}
	if res.IsError {
		return nil, ToolError(text.Text)
	}
	_, err = eventsOf(text.Text)
	return json.RawMessage(text.Text), err
}

// Caller is a [Session] or a [Conversation].
type Caller interface {
	Raw(ctx context.Context, name string, args any) (json.RawMessage, error)
}

// Call calls an operation with its own types.
func Call[In, Out any](ctx context.Context, s Caller, op tool.Spec[In, Out], in In) (Out, error) {
	var out Out
	raw, err := s.Raw(ctx, op.Name, in)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("%s: read result: %w", op.Name, err)
	}
	return out, nil
}
