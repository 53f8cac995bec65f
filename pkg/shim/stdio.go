package shim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// drainLimit is how long calls may go on after the end of stdin: what was asked
// before it is answered, as a script that pipes its requests expects.
const drainLimit = 2 * time.Second

// stdio is the connection to the client: one JSON-RPC message per line, in both
// directions. What is no message is answered here and the connection goes on.
// It is both the transport and the only connection that the transport makes.
type stdio struct {
	in    io.ReadCloser
	out   io.Writer
	lines chan line
	calls *calls

	ended  chan struct{} // closed when the client has said all it will say
	closed chan struct{} // closed by Close
	end    func()        // closes ended
	close  func()        // closes closed

	writing sync.Mutex // one line at a time on out
}

func newStdio(in io.ReadCloser, out io.Writer) *stdio {
	s := &stdio{in: in, out: out, lines: make(chan line), calls: newCalls(), ended: make(chan struct{}), closed: make(chan struct{})}
	s.end = sync.OnceFunc(func() { close(s.ended) })
	s.close = sync.OnceFunc(func() { close(s.closed) })
	return s
}

// Connect starts reading. It is called once.
func (s *stdio) Connect(context.Context) (mcp.Connection, error) {
	go s.pump()
	return s, nil
}

// SessionID is empty: the stream is the session.
func (s *stdio) SessionID() string { return "" }

// pump reads lines until the stream ends. A read from a terminal or a blocked
// pipe cannot be interrupted, so nobody waits for this goroutine.
func (s *stdio) pump() {
	defer close(s.lines)
	for r := newLineReader(s.in); ; {
		l, err := r.next()
		if err != nil {
			return
		}
		select {
		case s.lines <- l:
		case <-s.closed:
			return
		}
	}
}

// Read gives the next message. At the end of the input it first waits for the
// calls that are under way: the library answers nothing after an end.
func (s *stdio) Read(context.Context) (jsonrpc.Message, error) {
	for {
		select {
		case l, ok := <-s.lines:
			if !ok {
				return nil, s.drain()
			}
			msg, err := s.accept(l)
			if msg != nil || err != nil {
				return msg, err
			}
		case <-s.ended:
			return nil, s.drain()
		case <-s.closed:
			return nil, io.EOF
		}
	}
}

func (s *stdio) drain() error {
	s.end()
	timer := time.NewTimer(drainLimit)
	defer timer.Stop()
	select {
	case <-s.calls.idle():
	case <-timer.C:
	case <-s.closed:
	}
	return io.EOF
}

// accept reads one line. It gives nil for a line that needs nothing more.
func (s *stdio) accept(l line) (jsonrpc.Message, error) {
	if len(bytes.TrimSpace(l.text)) == 0 {
		return nil, nil
	}
	msg, wrong := l.parse()
	if wrong != nil {
		return nil, s.refuse(l.id(), wrong)
	}
	req, ok := msg.(*jsonrpc.Request)
	switch {
	case !ok:
		return msg, nil
	case req.Method == "notifications/cancelled":
		s.calls.cancel(cancelledID(req.Params))
		req.Params = withOwnID(req.Params)
	case req.IsCall() && req.Method == "server/discover":
		// A server of the handshake era does not know it; clients fall back to initialize.
		return nil, s.refuse(req.ID, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: `method not found: "server/discover"`})
	case req.IsCall():
		c, id, wrong := s.calls.begin(req.ID)
		if wrong != nil {
			return nil, s.refuse(id, wrong)
		}
		req.Extra = withCall(c)
	}
	return msg, nil
}

func cancelledID(params json.RawMessage) jsonrpc.ID {
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	if json.Unmarshal(params, &p) != nil {
		return jsonrpc.ID{}
	}
	return readID(p.RequestID)
}

func (s *stdio) refuse(id jsonrpc.ID, e *jsonrpc.Error) error {
	b, err := encodeError(id, e)
	if err != nil {
		return err
	}
	return s.writeLine(b)
}

// Write sends one message. The answer to a call settles what the call was to
// hand over; that to a cancelled call is not sent at all.
func (s *stdio) Write(_ context.Context, msg jsonrpc.Message) error {
	b, err := jsonrpc.EncodeMessage(msg)
	if resp, ok := msg.(*jsonrpc.Response); ok {
		if err == nil {
			b, err = withWireID(b, resp.ID)
		}
		return s.calls.finish(resp.ID, func() error {
			if err != nil {
				return err // what the call was to hand over is settled all the same
			}
			return s.writeLine(b)
		})
	}
	if err != nil {
		return err
	}
	return s.writeLine(b)
}

func (s *stdio) writeLine(b []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.out.Write(append(b, '\n'))
	return err
}

// hangUp acts as if the input had ended.
func (s *stdio) hangUp() { s.end() }

// Close ends the connection. It does not wait for a read that is under way.
func (s *stdio) Close() error {
	s.close()
	return s.in.Close()
}

// withCall lets a handler find its call. The library hands only this type
// through, so the call travels where a token's extras would.
func withCall(c *call) *mcp.RequestExtra {
	return &mcp.RequestExtra{TokenInfo: &auth.TokenInfo{Extra: map[string]any{"call": c}}}
}

func callOf(req mcp.Request) *call {
	if extra := req.GetExtra(); extra != nil && extra.TokenInfo != nil {
		c, _ := extra.TokenInfo.Extra["call"].(*call)
		return c
	}
	return nil
}
