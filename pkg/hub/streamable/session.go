package streamable

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// leaveLimit bounds the goodbye of an agent.
const leaveLimit = 2 * time.Second

// session is one MCP session: what its URL says, who opened it, what is at work
// in it, and its agent once it has one.
type session struct {
	h         *Handler
	opener    coord.Caller    // whose credential opened it
	project   coord.ProjectID // of the URL; "" = not said
	workspace coord.WorkspaceID
	offered   []*tool.Op

	id   string             // "" until it is initialised; set once under mu
	conn *mcp.ServerSession // likewise

	waits    context.Context // ends when the session ends: what only waits is cut short then
	endWaits context.CancelFunc
	left     chan struct{} // closed when the agent has left

	joining sync.Mutex // held while the agent is made; taken before mu

	mu        sync.Mutex  // guards what follows; calls into the rules' presence are made under it
	agent     *agent      // nil until the first tool call
	connected bool        // the rules were told of a stream
	closed    bool        // no agent may join any more
	requests  int         // at work, streams among them
	streams   int         // GET requests at work
	last      time.Time   // of the newest sign of life; its wall clock counts, as for the rules
	stale     bool        // silent for so long that the agent may count as gone
	timer     *time.Timer // nil until it is initialised
	posts     []*post     // at work
	answered  []*post     // the newest ones that carried news
}

// newSession makes a session for the first request of a client.
func (h *Handler) newSession(opener coord.Caller, query url.Values) *session {
	s := &session{h: h, opener: opener, project: coord.ProjectID(query.Get("project")), left: make(chan struct{}), last: now(),
		workspace: coord.WorkspaceID("http:" + strings.ToLower(rand.Text()[:10])), offered: h.offered[0]}
	if query.Get("tools") == "core" {
		s.offered = h.offered[1]
	}
	s.waits, s.endWaits = context.WithCancel(context.Background())
	return s
}

// now is the time by the wall clock, which unlike the monotonic one goes on
// while the machine sleeps.
func now() time.Time { return time.Now().Round(0) }

// opensTo reports whether a caller may use the session: whoever has the same
// credential, or another one of the same kind and owner.
func (s *session) opensTo(c coord.Caller) bool {
	return c.Member == s.opener.Member && c.Agent == s.opener.Agent
}

// begin notes that the client has introduced itself.
func (s *session) begin(conn *mcp.ServerSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.conn = conn.ID(), conn
	s.timer = time.AfterFunc(s.h.o.SessionTimeout, s.expire)
}

func (s *session) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id != ""
}

// enter counts a request in; leave must follow.
func (s *session) enter(stream bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = s.stale || s.requests == 0 && now().Sub(s.last) > s.h.o.Presence
	s.requests++
	if stream {
		s.streams++
	} else {
		s.last = now()
	}
	s.tell()
}

// leave counts a request out. The session ends when none follows in time.
func (s *session) leave(stream bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests--
	if stream {
		s.streams--
	} else {
		s.last = now()
	}
	s.tell()
	if s.requests == 0 && !s.closed && s.timer != nil {
		s.timer.Reset(s.h.o.SessionTimeout)
	}
}

// tell lets the rules know how present the agent is; it runs under mu.
func (s *session) tell() {
	if s.agent == nil {
		return
	}
	id := s.agent.caller.Agent
	switch open := s.streams > 0; {
	case open && !s.connected:
		s.h.o.Rules.Connected(id, false)
	case !open && s.connected:
		s.h.o.Rules.Disconnected(id, false)
	}
	s.connected = s.streams > 0
	if rest := s.h.o.Presence - now().Sub(s.last); rest > 0 {
		s.h.o.Rules.Keep(id, rest)
	}
}

// idleSince reports whether nothing is at work, and since when.
func (s *session) idleSince() (last time.Time, idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.requests == 0
}

// expire ends the session unless a request is at work, whose end starts the time
// anew.
func (s *session) expire() {
	s.mu.Lock()
	s.closed = s.closed || s.requests == 0
	closed := s.closed
	s.mu.Unlock()
	if closed {
		s.close()
	}
}

// close ends the session: waits are cut short, the rest is let finish, and the
// library knows the session no more.
func (s *session) close() {
	s.mu.Lock()
	s.closed = true
	s.timer.Stop()
	s.mu.Unlock()
	s.endWaits()
	_ = s.conn.Close() // it tells how the last message went, which nobody waits for
}

// watch waits for the end of the session, however it comes, and lets the agent
// leave.
func (s *session) watch() {
	defer close(s.left)
	_ = s.conn.Wait()
	s.close()
	s.h.forget(s)
	s.joining.Lock() // an agent that is being made has to leave too
	defer s.joining.Unlock()
	s.mu.Lock()
	a, silent := s.agent, s.stale || now().Sub(s.last) >= s.h.o.Presence
	s.mu.Unlock()
	if a == nil || s.h.isStopped() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveLimit)
	defer cancel()
	a.goodbye(ctx, silent)
}
