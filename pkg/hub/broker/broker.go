package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"golang.org/x/time/rate"

	"github.com/coordhq/coord/pkg/client/peer"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// Sessions is what the broker asks and tells the hub. Authenticate is called on
// each CONNECT; Connected and Disconnected come in pairs, once per connection of
// a session. None of them may wait for the network.
type Sessions interface {
	Authenticate(key coord.SessionKey) (coord.Caller, bool)
	Connected(agent coord.AgentID, local bool)
	Disconnected(agent coord.AgentID, local bool)
	LiveProjects() []coord.ProjectID
}

// Options configure a Broker. The zero Options work.
type Options struct {
	Log     *slog.Logger                // nil: no log
	Epoch   coord.Epoch                 // of the event log; may be set later by SetEpoch
	Token   func(secret string) bool    // reports whether a password is the hub's token; nil: no token opens a connection
	Member  coord.MemberID              // whose the token is; "": "operator"
	PeerUID func(net.Conn) (int, error) // who is at the other end of a unix socket; nil: the kernel is asked
	Now     func() time.Time            // stamps what clients publish; nil: time.Now
	Pushed  func(took time.Duration)    // told of each event handed to the connections, since Publish; nil: nobody

	WriteDeadline   time.Duration // a write that takes longer closes the connection; 0: 2 s
	ConnectDeadline time.Duration // from accept to the whole CONNECT; 0: 5 s
	Limits          Limits
}

// Limits bound what clients can take. Zero fields mean the default.
type Limits struct {
	Unix            int // connections on unix sockets; 8,192
	TCP             int // connections on other listeners; 256
	Unauthenticated int // of those on other listeners, not yet accepted by CONNECT; 64
	Subscriptions   int // filters per connection; 256
	Pending         int // messages waiting for one slow reader; 1,024
	Queue           int // publications waiting for the publishing goroutine; 16,384
}

func (o *Options) validate() error {
	if o.WriteDeadline < 0 || o.ConnectDeadline < 0 {
		return errors.New("broker options: WriteDeadline and ConnectDeadline must not be negative")
	}
	if o.Pushed == nil {
		o.Pushed = func(time.Duration) {}
	}
	l := o.Limits
	if min(l.Unix, l.TCP, l.Unauthenticated, l.Subscriptions, l.Pending, l.Queue) < 0 {
		return errors.New("broker options: Limits must not be negative")
	}
	if l.Pending > 1<<16 {
		return errors.New("broker options: Limits.Pending must be at most 65,536: it is allocated per connection")
	}
	return nil
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PeerUID == nil {
		o.PeerUID = peer.PeerUID
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Member = or(o.Member, "operator")
	o.WriteDeadline = or(o.WriteDeadline, 2*time.Second)
	o.ConnectDeadline = or(o.ConnectDeadline, 5*time.Second)
	l := &o.Limits
	l.Unix, l.TCP, l.Unauthenticated = or(l.Unix, 8192), or(l.TCP, 256), or(l.Unauthenticated, 64)
	l.Subscriptions, l.Pending, l.Queue = or(l.Subscriptions, 256), or(l.Pending, 1024), or(l.Queue, 16384)
}

func or[T comparable](v, zero T) T {
	var none T
	if v == none {
		return zero
	}
	return v
}

// Broker is the MQTT server of one hub.
type Broker struct {
	opt       Options
	log       *slog.Logger
	server    *mqtt.Server
	queue     *queue
	retained  *retained
	epoch     atomic.Value // coord.Epoch
	published atomic.Uint64
	missed    atomic.Uint64
	refusals  rate.Sometimes // keeps a flood of connections from flooding the log

	stop chan struct{}  // closed when stopping begins
	done chan struct{}  // closed when nothing runs any more
	work sync.WaitGroup // accept loops, connections, the publishing goroutine

	mu        sync.Mutex // guards all below; never held while calling out
	sessions  Sessions
	serving   bool
	stopping  bool
	listeners []net.Listener
	serial    uint64
	conns     map[*conn]struct{}
	names     map[holder]*conn // newest connection of each client id
	counts    counts
}

var _ hub.Publisher = (*Broker)(nil)

// New makes a Broker. Nothing runs before Serve; publications wait till then.
func New(o Options) (*Broker, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	b := &Broker{
		opt:      o,
		log:      o.Log.With("component", "mqtt"),
		queue:    newQueue(o.Limits.Queue),
		retained: newRetained(),
		stop:     make(chan struct{}),
		done:     make(chan struct{}),
		conns:    map[*conn]struct{}{},
		names:    map[holder]*conn{},
	}
	b.refusals.Interval = time.Second
	b.epoch.Store(o.Epoch)
	server, err := newServer(&hook{b: b}, o.Limits.Pending)
	if err != nil {
		return nil, fmt.Errorf("make broker: %w", err)
	}
	b.server = server
	return b, nil
}

// SetSessions names the hub; it must be called before Serve. (The hub needs the
// broker as its Publisher and the broker needs the hub: one of them is set late.)
func (b *Broker) SetSessions(s Sessions) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions = s
}

// SetEpoch names the life of the event log that is written into every message;
// it must be called before Serve.
func (b *Broker) SetEpoch(e coord.Epoch) { b.epoch.Store(e) }

func (b *Broker) life() coord.Epoch { return b.epoch.Load().(coord.Epoch) }

// Serve takes connections from the listener, which it then owns, and returns at
// once. local means a unix socket, whose peers must be of our own uid.
func (b *Broker) Serve(l net.Listener, local bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.sessions == nil:
		return errors.New("broker: SetSessions must come before Serve")
	case b.stopping:
		return errors.Join(errors.New("broker: stopped"), l.Close())
	}
	b.listeners = append(b.listeners, l)
	if !b.serving {
		b.serving = true
		b.work.Go(b.drain)
	}
	b.work.Go(func() { b.accept(l, local) })
	return nil
}

// Take serves one connection that somebody else has accepted, such as an HTTP
// server for MQTT over WebSocket, and then owns it. It is no unix socket. Serve
// must have been called before; Take returns at once.
func (b *Broker) Take(nc net.Conn) { b.admit(nc, false) }

// Kick closes every connection of the agent. A credential that was withdrawn
// before the call opens none afterwards.
func (b *Broker) Kick(agent coord.AgentID) {
	for _, c := range b.connections(func(c *conn) bool { return c.caller.Agent == agent }) {
		_ = c.Close()
	}
}

// connections lists the accepted connections that are wanted.
func (b *Broker) connections(want func(*conn) bool) []*conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []*conn
	for c := range b.conns {
		if c.open && want(c) {
			found = append(found, c)
		}
	}
	return found
}

// Stats reports the open connections, the messages handed to the MQTT server,
// and the events dropped because the queue was full.
func (b *Broker) Stats() hub.PublisherStats {
	b.mu.Lock()
	open := b.counts.open
	b.mu.Unlock()
	return hub.PublisherStats{Connections: open, Published: b.published.Load(), Dropped: b.queue.dropped.Load()}
}

// Missed counts the messages that one subscriber did not get because it reads
// too slowly.
func (b *Broker) Missed() uint64 { return b.missed.Load() }

// Stop closes the listeners, then the connections, and waits until nothing runs
// any more or the context ends. It may be called again.
func (b *Broker) Stop(ctx context.Context) error {
	if b.beginStop() {
		go func() {
			b.work.Wait()
			_ = b.server.Close() // always nil
			close(b.done)
		}()
	}
	select {
	case <-b.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop broker: %w", context.Cause(ctx))
	}
}

// beginStop closes everything; it reports whether this call was the first.
func (b *Broker) beginStop() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping {
		return false
	}
	b.stopping = true
	close(b.stop)
	for _, l := range b.listeners {
		_ = l.Close()
	}
	for c := range b.conns {
		_ = c.Close()
	}
	return true
}
