package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Session is one MCP client with its own shim. It keeps every event that any of
// its results carried.
type Session struct {
	*Process
	client *mcp.ClientSession

	mu    sync.Mutex // guards heard and given
	heard []coord.Event
	given int // events before this index have been passed by Await
}

// Start runs a shim and initialises an MCP session with it.
func Start(ctx context.Context, o Options) (*Session, error) {
	r, w := io.Pipe()
	p, err := Spawn(o, func(line []byte) {
		_, _ = w.Write(append(line, '\n')) // fails once the session is closed; the rest is only checked
	})
	if err != nil {
		return nil, err
	}
	go func() {
		<-p.Exited()
		_ = w.CloseWithError(io.EOF)
	}()
	if o.Client == "" {
		o.Client = "coord-driver"
	}
	client := mcp.NewClient(&mcp.Implementation{Name: o.Client, Version: "1"}, &mcp.ClientOptions{Capabilities: &mcp.ClientCapabilities{}})
	session, err := client.Connect(ctx, &mcp.IOTransport{Reader: r, Writer: stdin{p}}, nil)
	if err != nil {
		_ = r.Close()
		return nil, errors.Join(fmt.Errorf("initialize: %w", err), p.Close())
	}
	return &Session{Process: p, client: session}, nil
}

// stdin is the shim's stdin as a stream whose Close is left to Process.Close.
type stdin struct{ io.Writer }

func (stdin) Close() error { return nil }

// MCP gives the session itself, for what is not a tool call.
func (s *Session) MCP() *mcp.ClientSession { return s.client }

// Close ends the session and its shim as [Process.Close] does.
func (s *Session) Close() error {
	_ = s.client.Close() // its error only repeats how the shim ended
	return s.Process.Close()
}

// ToolError is what a tool said when it refused: words for a person or a model.
type ToolError string

func (e ToolError) Error() string { return string(e) }

// Raw calls a tool with any arguments and gives the one text block of its
// result. A refusal is a [ToolError]; other errors mean that the session is
// broken or the call was malformed.
func (s *Session) Raw(ctx context.Context, name string, args any) (json.RawMessage, error) {
	res, err := s.client.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
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
	return json.RawMessage(text.Text), s.note(json.RawMessage(text.Text))
}

// Call calls an operation with its own types.
func Call[In, Out any](ctx context.Context, s *Session, op tool.Spec[In, Out], in In) (Out, error) {
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
