package web

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/auth"
	"github.com/coordhq/coord/pkg/hub/dashboard"
)

// Rules is what the doors need of the hub's rules; it is implemented by
// hub.Hub. Errors are *coord.Error.
type Rules interface {
	Register(ctx context.Context, member coord.MemberID, r coord.Registration) (coord.Registered, error)
	Authenticate(key coord.SessionKey) (coord.Caller, bool)
	Leave(ctx context.Context) error
	Call(ctx context.Context, op string, args json.RawMessage, idempotencyKey string) (json.RawMessage, error)
	Hook(ctx context.Context, client string, event coord.HookEvent, in coord.HookCall) (json.RawMessage, error)
	HookGone(ctx context.Context, owed coord.HookReceipt) // it ended without saying that its news is written out
	Projects() []coord.ProjectID                          // that any agent has worked in, sorted
}

// Options make a Server.
type Options struct {
	Rules  Rules               // required
	Hello  func() client.Hello // who this hub is; required
	Facts  func() Facts        // what the process knows of itself, for status; nil = nothing
	Token  string              // the secret of the TCP doors; "" = no credential but a session key is taken there
	Member coord.MemberID      // the user behind the unix socket and the token; required
	OwnUID int                 // the only user that may connect to a unix socket; 0 is root

	Human  Human          // takes the acts of a person; nil = those routes answer 404
	MCP    MCP            // serves /mcp; nil = there is no such route
	MQTT   func(net.Conn) // takes connections of MQTT over WebSocket and owns them; must not block; nil = there is no such route
	Events Events         // the log that /api/events follows; nil = there is no such route
	Pages  fs.ReadFileFS  // files of the dashboard; nil = those of hub/dashboard

	Metrics http.Handler // serves /metrics; nil = there is no such route

	Quota  Quota         // nil = this hub does not measure
	Prices config.Prices // of models; nil = no costs are shown

	Ready func(context.Context) error         // why the hub cannot work now, for /readyz; nil = it always can
	Stop  func(reason string)                 // asked to leave over the unix socket; must not block; nil = refused
	Enter func() (leave func(), serving bool) // counts requests at work, and refuses them once the hub leaves; nil = always serving

	Limits Limits       // zero fields take the default
	Log    *slog.Logger // nil = discard
}

func (o *Options) validate() error {
	switch {
	case o.Rules == nil:
		return errors.New("web: Options.Rules is missing")
	case o.Hello == nil:
		return errors.New("web: Options.Hello is missing")
	case o.Member == "":
		return errors.New("web: Options.Member is missing")
	}
	if o.Facts == nil {
		o.Facts = func() Facts { return Facts{} }
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	if o.Enter == nil {
		o.Enter = func() (func(), bool) { return func() {}, true }
	}
	if o.Pages == nil {
		o.Pages = dashboard.Files()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o.Limits.fill()
}

// Server serves the routes on any number of listeners.
type Server struct {
	o         Options
	log       *slog.Logger
	logs      logs
	failures  *auth.Failures
	rates     *rates
	visits    *auth.Visits
	followers followers
	streams   chan struct{} // one entry for each open stream
	handler   http.Handler
	leaving   context.Context    // ends when Stop begins: reads that wait for something end then
	end       context.CancelFunc // of leaving

	mu      sync.Mutex
	doors   []*door // guarded by mu
	stopped bool    // guarded by mu
}

// New makes a server that listens nowhere yet.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{o: o, log: o.Log.With("component", "http"), logs: newLogs(o.Log), failures: auth.NewFailures(), rates: newRates(o.Limits),
		visits: auth.NewVisits(o.Token, nil), streams: make(chan struct{}, o.Limits.Streams)}
	s.leaving, s.end = context.WithCancel(context.Background())
	s.handler = s.front(s.mux(table()))
	return s, nil
}

// Serve answers on l, which it closes, until Stop; then it returns nil. A local
// listener is a unix socket of this user; any other is TCP on a loopback
// address.
func (s *Server) Serve(l net.Listener, local bool) error {
	d := newDoor(s, l, local)
	if !s.open(d) {
		return l.Close()
	}
	err := d.server.Serve(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	return err
}

func (s *Server) open(d *door) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.doors = append(s.doors, d)
	return true
}

// Stop closes the listeners and the idle connections, ends the operations that
// only read and may wait for long, waits for the others at work and, when ctx
// ends first, cuts them. It is idempotent.
func (s *Server) Stop(ctx context.Context) error {
	s.end()
	s.mu.Lock()
	s.stopped = true
	doors := s.doors
	s.mu.Unlock()
	var errs []error
	for _, d := range doors {
		errs = append(errs, d.stop(ctx))
	}
	return errors.Join(errs...)
}

// Connections counts the open connections of all doors.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.doors {
		n += d.count()
	}
	return n
}
