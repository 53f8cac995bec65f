package streamable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// Rules is what the door needs of the hub's rules; it is implemented by hub.Hub.
// Errors are *coord.Error.
type Rules interface {
	Register(ctx context.Context, member coord.MemberID, r coord.Registration) (coord.Registered, error)
	Authenticate(key coord.SessionKey) (coord.Caller, bool)
	Leave(ctx context.Context) error
	Call(ctx context.Context, op string, args json.RawMessage, idempotencyKey string) (json.RawMessage, error)
	LiveProjects() []coord.ProjectID

	Connected(agent coord.AgentID, local bool)
	Disconnected(agent coord.AgentID, local bool)
	Keep(agent coord.AgentID, grace time.Duration)
	Listen(agent coord.AgentID) (news <-chan struct{}, stop func())
}

// Options make a Handler.
type Options struct {
	Rules   Rules        // required
	Host    coord.HostID // of this machine, where the clients' working trees are; required
	Version string       // shown to clients

	SessionTimeout time.Duration // a session without a request for this long ends; 0 = 30 min
	Presence       time.Duration // an agent without a stream counts as present this long after a request; 0 = 5 min
	Sessions       int           // open at once; the one idle longest gives way to a new one; 0 = 256
	Log            *slog.Logger  // nil = discard
}

func (o *Options) validate() error {
	switch {
	case o.Rules == nil:
		return errors.New("streamable: Options.Rules is missing")
	case o.Host == "":
		return errors.New("streamable: Options.Host is missing")
	case o.SessionTimeout < 0 || o.Presence < 0 || o.Sessions < 0:
		return errors.New("streamable: Options.SessionTimeout, Presence or Sessions is negative")
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = 30 * time.Minute
	}
	if o.Presence == 0 {
		o.Presence = 5 * time.Minute
	}
	if o.Sessions == 0 {
		o.Sessions = 256
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Handler serves /mcp. Make it with [New]; it runs until Stop.
type Handler struct {
	o        Options
	log      *slog.Logger
	protocol http.Handler   // the library's, which does the protocol
	offered  [2][]*tool.Op  // all tools, and only the core ones
	work     sync.WaitGroup // what Stop waits for: sessions that come, live or end

	mu       sync.Mutex          // taken before a session's
	sessions map[string]*session // by MCP session id; guarded by mu
	coming   int                 // sessions that are being initialised; guarded by mu
	stopped  bool                // guarded by mu
}

// New makes a handler without sessions.
func New(o Options) (*Handler, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	h := &Handler{o: o, log: o.Log.With("component", "mcp"), sessions: map[string]*session{}}
	h.offered = [2][]*tool.Op{offered(false), offered(true)}
	server := mcptool.NewServer(o.Version, slog.New(slog.DiscardHandler)) // it says nothing that the log of requests does not
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			return h.receive(ctx, method, req, next)
		}
	})
	// No SessionTimeout of the library's: it would end a session whose stream is
	// open. Ours is in session.
	h.protocol = auth.RequireBearerToken(introduce, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})(
		mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	return h, nil
}

// receive sees every message of a client before the library does.
func (h *Handler) receive(ctx context.Context, method string, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	switch params := req.GetParams().(type) {
	case *mcp.InitializeParams:
		return h.initialize(ctx, method, req, next)
	case *mcp.ListToolsParams:
		return mcptool.List(postOf(req).session.offered, params)
	case *mcp.CallToolParamsRaw:
		p := postOf(req)
		c := &call{post: p, session: p.session, conn: req.GetSession().(*mcp.ServerSession), params: params}
		return mcptool.Answer(h.log, params.Name, func() ([]byte, error) { return c.run(ctx) }), nil
	}
	return next(ctx, method, req)
}

// initialize lets the library answer, and takes the session in. There must be
// room before it answers: a session it has begun lives until it is closed.
func (h *Handler) initialize(ctx context.Context, method string, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	s := postOf(req).session
	if s.begun() {
		return next(ctx, method, req) // which refuses the second one
	}
	if err := h.makeRoom(); err != nil {
		return nil, err
	}
	defer h.work.Done()
	res, err := next(ctx, method, req)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.coming--
	if err != nil {
		return nil, err
	}
	s.begin(req.GetSession().(*mcp.ServerSession))
	h.sessions[s.id] = s
	h.work.Go(s.watch)
	if h.stopped {
		h.work.Go(s.close)
	}
	return res, nil
}

// makeRoom counts a session in, at the cost of the one idle longest when there
// are as many as may be. Its work is to be marked as done.
func (h *Handler) makeRoom() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return coord.Errorf(coord.Unavailable, "try again, another hub takes over", "this hub is leaving")
	}
	if len(h.sessions)+h.coming >= h.o.Sessions {
		s := h.idlest()
		if s == nil {
			return coord.Errorf(coord.Unavailable, "try again later", "the limit of %d MCP sessions is reached, and all are busy", h.o.Sessions)
		}
		h.log.Warn("an MCP session gives way to a new one", "limit", h.o.Sessions)
		delete(h.sessions, s.id)
		h.work.Go(s.close)
	}
	h.coming++
	h.work.Add(1)
	return nil
}

// idlest gives the session that nothing is at work for since the longest time;
// it runs under mu.
func (h *Handler) idlest() (out *session) {
	var since time.Time
	for _, s := range h.sessions {
		if last, idle := s.idleSince(); idle && (out == nil || last.Before(since)) {
			out, since = s, last
		}
	}
	return out
}

// SessionOf gives the id of the live session that a request belongs to, "" when
// there is none.
func (h *Handler) SessionOf(r *http.Request) string {
	if s := h.find(r.Header.Get(sessionHeader)); s != nil {
		return s.id
	}
	return ""
}

func (h *Handler) find(id string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[id]
}

func (h *Handler) forget(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions[s.id] == s {
		delete(h.sessions, s.id)
	}
}

// Sessions counts the open sessions.
func (h *Handler) Sessions() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

// Stop ends all sessions: what only waits is cut short, what changes something
// is let finish. Their agents do not leave; they are gone when they have not
// come back to the next hub in time. It is idempotent.
func (h *Handler) Stop(ctx context.Context) error {
	h.mu.Lock()
	h.stopped = true
	for _, s := range h.sessions {
		h.work.Go(s.close)
	}
	h.mu.Unlock()
	done := make(chan struct{})
	go func() {
		h.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the MCP sessions: %w", context.Cause(ctx))
	}
}

func (h *Handler) isStopped() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stopped
}
