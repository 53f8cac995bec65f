package shim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/brief"
	"github.com/coordhq/coord/pkg/client/peer"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// The client's own socket for messages, by which an idle session is woken. Only
// Claude Code sets these; a client that runs below it inherits them.
const (
	socketVariable = "CLAUDE_CODE_MESSAGING_SOCKET"
	tokenVariable  = "CLAUDE_CODE_MESSAGING_TOKEN" // #nosec G101 -- a variable's name
	knockLimit     = 2 * time.Second               // for connecting and writing
	wakePause      = time.Second                   // between attempts while the hub is away
)

// errNotOurs says that somebody else listens at the client's socket.
var errNotOurs = errors.New("the messaging socket does not belong to our client")

// knock wakes the client with news when the hub says so, until ctx ends, the
// socket does not work, or another shim of the session has taken over. Whether
// and when is the hub's to decide (DESIGN 6).
func (s *Shim) knock(ctx context.Context) {
	select {
	case <-s.session.ready:
	case <-ctx.Done():
		return
	}
	if !s.mayKnock(ctx) {
		return
	}
	for ctx.Err() == nil {
		l, err := s.session.current(ctx)
		if err != nil {
			within(wakePause, ctx.Done())
			continue
		}
		out, err := l.awaitWake(ctx)
		switch {
		case coord.CodeOf(err) == coord.Unavailable || coord.CodeOf(err) == coord.Unauthorized:
			within(wakePause, ctx.Done())
		case err != nil:
			s.log.Info("the hub knows no wake-ups", "error", err)
			return
		case out.Over:
			return
		case len(out.Events) > 0:
			if err := s.push(ctx, out); err != nil {
				s.log.Warn("the client could not be woken", "error", err)
				return // a background hook may do better
			}
		}
	}
}

// mayKnock reports whether the client has a socket that is its own.
func (s *Shim) mayKnock(ctx context.Context) bool {
	s.session.mu.Lock()
	name := s.session.info.Name
	s.session.mu.Unlock()
	if s.o.NoWake || name != claudeCode || s.o.Getenv(socketVariable) == "" {
		return false
	}
	conn, err := s.dialClient(ctx)
	if err != nil {
		s.log.Info("the client's messaging socket is not used", "error", err)
		return false
	}
	_ = conn.Close()
	return true
}

// dialClient connects to the client's socket, if it is our parent that listens.
func (s *Shim) dialClient(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: knockLimit}
	conn, err := dialer.DialContext(ctx, "unix", s.o.Getenv(socketVariable))
	if err != nil {
		return nil, err
	}
	pid, err := peer.PeerPID(conn)
	if err == nil && pid != s.parent {
		err = fmt.Errorf("%w: process %d listens, our parent is %d", errNotOurs, pid, s.parent)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func (l *link) awaitWake(ctx context.Context) (out tool.AwaitWakeOut, err error) {
	ctx, cancel := context.WithTimeout(ctx, tool.LongestWait+syncLimit)
	defer cancel()
	raw, err := l.hub.Call(ctx, l.me.SessionKey, tool.AwaitWake.Name, mcptool.Encode(tool.AwaitWakeIn{Rung: coord.RungSocket}), "")
	if err != nil {
		return out, err
	}
	err = json.Unmarshal(raw, &out)
	return out, err
}

// push writes news to the client's socket and reports what became of it. The
// client frames it as another session's message.
func (s *Shim) push(ctx context.Context, out tool.AwaitWakeOut) error {
	given, err := deliveries(out.Events)
	if err != nil {
		return err
	}
	events := make([]coord.Event, 0, len(given))
	for i := range given {
		events = append(events, given[i].Event)
	}
	err = s.say(ctx, brief.News(coord.At(time.Now()), events, out.Unread))
	s.reports.add(tool.WrittenIn{Rung: coord.RungSocket, Seqs: seqs(given), Failed: err != nil})
	return err
}

// say writes the two lines that the socket takes: who we are, and the text.
func (s *Shim) say(ctx context.Context, text string) error {
	conn, err := s.dialClient(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(knockLimit)); err != nil {
		return err
	}
	type object = map[string]any
	var lines strings.Builder
	if token := s.o.Getenv(tokenVariable); token != "" {
		lines.Write(mcptool.Encode(object{"type": "auth", "token": token}))
		lines.WriteByte('\n')
	}
	lines.Write(mcptool.Encode(object{"type": "user", "message": object{"role": "user", "content": text}}))
	lines.WriteByte('\n')
	_, err = conn.Write([]byte(lines.String()))
	return err
}
