package feed

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/tool"
)

// Times of a feed.
const (
	DefaultBeat   = 5 * time.Second        // between two looks at the head
	DefaultSettle = 200 * time.Millisecond // hand-overs of this long are acknowledged as one
)

const (
	page     = 200 // events per reading of the log, the most a hub gives
	ringRoom = 256 // messages that may wait for the feed; more are read from the log
)

// Options make a Feed.
type Options struct {
	Queue *inbox.Queue // where news goes; required

	// Sync makes one sync call as the attached agent; required. It must not
	// wait long for a hub that is away: the feed asks again.
	Sync func(context.Context, tool.SyncIn) (tool.SyncOut, error)

	// Dial connects to the hub's MQTT door; required.
	Dial func(context.Context) (net.Conn, error)

	Log    *slog.Logger  // nil = silence
	Beat   time.Duration // 0 = DefaultBeat
	Settle time.Duration // 0 = DefaultSettle
}

func (o *Options) validate() error {
	switch {
	case o.Queue == nil:
		return errors.New("feed options: Queue is missing")
	case o.Sync == nil:
		return errors.New("feed options: Sync is missing")
	case o.Dial == nil:
		return errors.New("feed options: Dial is missing")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Beat <= 0 {
		o.Beat = DefaultBeat
	}
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	return nil
}

// Session says as whom a feed listens.
type Session struct {
	Agent   coord.AgentID
	Key     coord.SessionKey
	Project coord.ProjectID
	Epoch   coord.Epoch
	Seen    coord.Seq // the agent's acknowledged position: read on from here
}

// Feed is one agent's feed; make it with [New].
type Feed struct {
	o        Options
	attach   chan Session
	rung     chan []byte   // inbox messages, as they came
	look     chan struct{} // capacity 1: read the log
	catchUps chan catchUp

	// What follows belongs to the goroutine of Run.
	session Session
	bell    *bell
}

type catchUp struct {
	ctx  context.Context
	done chan<- error // capacity 1
}

// New makes a feed; nothing happens before Run.
func New(o Options) (*Feed, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Feed{
		o: o, attach: make(chan Session), rung: make(chan []byte, ringRoom),
		look: make(chan struct{}, 1), catchUps: make(chan catchUp),
	}, nil
}

// Attach tells the feed who it listens for, at first and after each
// registration or reconnection. It returns when the feed has taken it in, or
// ctx ends.
func (f *Feed) Attach(ctx context.Context, s Session) {
	select {
	case f.attach <- s:
	case <-ctx.Done():
	}
}

// CatchUp returns when everything that was in the agent's inbox at the time of
// the call is in the queue, or with the error why it cannot be known.
func (f *Feed) CatchUp(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case f.catchUps <- catchUp{ctx, done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run feeds the queue until ctx ends. All goroutines of the feed have ended
// when it returns.
func (f *Feed) Run(ctx context.Context) {
	beat := time.NewTicker(f.o.Beat)
	defer beat.Stop()
	var settled <-chan time.Time
	defer func() { f.bell.stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-f.attach:
			f.take(ctx, s)
		case raw := <-f.rung:
			f.ring(ctx, raw)
		case c := <-f.catchUps:
			c.done <- f.sync(c.ctx)
		case <-f.look:
			f.note(f.sync(ctx))
		case <-beat.C:
			f.note(f.sync(ctx))
		case <-f.o.Queue.Confirmed():
			if settled == nil {
				settled = time.After(f.o.Settle)
			}
		case <-settled:
			settled = nil
			f.note(f.sync(ctx))
		}
	}
}

// take starts listening for a session. If it is the one the feed had, only the
// connection is looked after.
func (f *Feed) take(ctx context.Context, s Session) {
	old := f.session
	switch {
	case old.Agent == "":
		f.o.Queue.Begin(s.Seen)
	case old.Agent != s.Agent || old.Epoch != s.Epoch:
		f.restart(s.Epoch, s.Seen)
	}
	f.session = s
	if old.Agent == s.Agent && old.Key == s.Key {
		f.bell.kick()
	} else {
		f.bell.stop()
		f.bell = startBell(ctx, f.o, s, f.rung, f.look)
	}
	f.note(f.sync(ctx))
}

// restart forgets what was queued and reads on from seen, in another epoch.
func (f *Feed) restart(epoch coord.Epoch, seen coord.Seq) {
	f.o.Log.Warn("the event log has changed under this session", "from", f.session.Epoch, "to", epoch, "seen", seen)
	f.session.Epoch = epoch
	f.o.Queue.Reset(seen)
}

// ring takes one inbox message.
func (f *Feed) ring(ctx context.Context, raw []byte) {
	epoch, d, err := coord.ParseWire(raw)
	switch {
	case err != nil:
		f.o.Log.Warn("an inbox message cannot be read", "error", err)
		f.note(f.sync(ctx))
	case epoch != f.session.Epoch, d.Prev > f.o.Queue.Last():
		f.note(f.sync(ctx))
	default:
		f.push(d)
	}
}

// push queues the next event; the queue drops what it has had.
func (f *Feed) push(d coord.Delivery) {
	if last := f.o.Queue.Last(); d.Prev > last {
		f.o.Queue.Mark(last+1, d.Prev) // not even the log has these any more
	}
	f.o.Queue.Push(d)
}

// note logs why the log could not be read. The feed asks again with the next
// beat, and when it is attached anew.
func (f *Feed) note(err error) {
	if err != nil {
		f.o.Log.Debug("cannot read the inbox now", "error", err)
	}
}
