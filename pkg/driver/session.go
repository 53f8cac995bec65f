package driver

import (
	"context"
	"errors"
	"io"
)

// Session is one MCP client with a shim process of its own.
type Session struct {
	*Process
	*Conversation
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
	c, err := Converse(ctx, r, stdin{p}, o.Client)
	if err != nil {
		_ = r.Close()
		return nil, errors.Join(err, p.Close())
	}
	return &Session{Process: p, Conversation: c}, nil
}

// stdin is the shim's stdin as a stream whose Close is left to Process.Close.
type stdin struct{ io.Writer }

func (stdin) Close() error { return nil }

// Close ends the session and its shim as [Process.Close] does.
func (s *Session) Close() error {
	_ = s.Conversation.Close() // its error only repeats how the shim ended
	return s.Process.Close()
}
