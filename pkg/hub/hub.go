package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
)

// Options are what a Hub is made from.
type Options struct {
	Store     Store     // required; the caller opens and closes it
	Publisher Publisher // required; the caller starts and stops it

	Meter     Meter                                  // nil = nothing is counted
	Statuses  Statuses                               // nil = nobody keeps them
	Log       *slog.Logger                           // nil = discard
	Version   string                                 // shown in status
	Instance  string                                 // names this process; shown in status
	Host      coord.HostID                           // agents of this host can be verified gone by Alive
	Now       func() time.Time                       // nil = time.Now
	Alive     func(coord.Process) bool               // nil = a client is never verified gone, only timed out
	Ignore    []string                               // globs that never score across workspaces; nil = impact.DefaultIgnore
	AgentLife time.Duration                          // how long an agent is remembered after it was last seen, the same as the store keeps it; 0 = 30 days
	Tick      func(d time.Duration) <-chan time.Time // nil = time.Tick; a test that calls Hub.Tick itself gives a channel that stays silent
}

func (o *Options) validate() error {
	switch {
	case o.Store == nil:
		return errors.New("hub: Options.Store is required")
	case o.Publisher == nil:
		return errors.New("hub: Options.Publisher is required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Alive == nil {
		o.Alive = func(coord.Process) bool { return true }
	}
	if o.Ignore == nil {
		o.Ignore = impact.DefaultIgnore
	}
	if o.AgentLife <= 0 {
		o.AgentLife = usualAgentLife
	}
	if o.Tick == nil {
		o.Tick = time.Tick
	}
	return nil
}

// Hub coordinates the agents of any number of projects. Make it with New, then
// Start it; all other methods may be called by any goroutine in between.
type Hub struct {
	log       *slog.Logger
	hookLog   *slog.Logger
	chronicle chronicle
	meter     Meter
	store     Store
	publisher Publisher
	statuses  Statuses // may be nil
	now       func() time.Time
	alive     func(coord.Process) bool
	tick      func(time.Duration) <-chan time.Time
	ignore    []string
	host      coord.HostID
	instance  string
	version   string
	started   coord.Millis

	requests chan *request
	stopping chan struct{}
	stopped  chan struct{} // closed when the writer has ended
	stopOnce sync.Once
	timed    chan struct{} // closed when the timer has ended

	mu    sync.RWMutex // guards state; taken before presence and keys
	state *state

	keysMu  sync.RWMutex                    // guards what follows
	keys    map[coord.KeyHash]coord.AgentID // committed credentials
	callers map[coord.AgentID]coord.Caller  // and whom they stand for

	toolUses *toolUses
	toolRuns *toolRuns
	presence *presence
	waiters  *waiters
	wakers   *wakers
}

// New checks the options and makes a hub that is not yet running.
func New(o Options) (*Hub, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	h := &Hub{
		log: o.Log.With("component", "consultation"), hookLog: o.Log.With("component", "hook"), chronicle: newChronicle(o.Log), meter: o.Meter, store: o.Store, publisher: o.Publisher, statuses: o.Statuses, now: o.Now, alive: o.Alive, tick: o.Tick,
		ignore: o.Ignore, host: o.Host, instance: o.Instance, version: o.Version,
		requests: make(chan *request, maxBatch), stopping: make(chan struct{}), stopped: make(chan struct{}), timed: make(chan struct{}),
		state: newState(), keys: map[coord.KeyHash]coord.AgentID{}, callers: map[coord.AgentID]coord.Caller{},
		presence: newPresence(), toolUses: newToolUses(), toolRuns: newToolRuns(), waiters: newWaiters(), wakers: newWakers(),
	}
	h.state.lastCall = h.presence.lastCalled
	h.state.agentLife = o.AgentLife
	return h, nil
}

// Start loads the state from the store and starts the writer and the timer.
func (h *Hub) Start(ctx context.Context) error {
	snap, err := h.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("hub: load the state: %w", err)
	}
	h.state.load(snap)
	forgotten := h.state.forget(coord.At(h.now())) // the store keeps agents for longer than the views
	h.admit(&Changes{Credentials: snap.Credentials, Agents: snap.Agents})
	h.started = coord.At(h.now())
	h.presence.begin(h.state, h.started)
	h.rebuildStatuses()
	h.expel(forgotten)
	go h.write()
	go h.runTimer() // #nosec G118 -- the timer outlives the start; Stop ends it
	return nil
}

// Stop answers what is queued and ends the writer and the timer. It may be
// called more than once; ctx bounds the wait. The store and the publisher stay open.
func (h *Hub) Stop(ctx context.Context) error {
	h.stopOnce.Do(func() { close(h.stopping) })
	for _, ended := range []chan struct{}{h.stopped, h.timed} {
		select {
		case <-ended:
		case <-ctx.Done():
			return fmt.Errorf("hub: stop: %w", ctx.Err())
		}
	}
	return nil
}

// Run starts the hub, waits for the context to end and stops it, taking at most
// five seconds for that.
func (h *Hub) Run(ctx context.Context) error {
	if err := h.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return h.Stop(stop)
}

// Epoch names the life of the event log.
func (h *Hub) Epoch() coord.Epoch {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.state.epoch
}

// nap is the longest time between two ticks that passes for a busy machine;
// after a longer one it has slept.
const nap = 15 * time.Second

// Head gives the seq of the newest committed event.
func (h *Hub) Head() coord.Seq {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return coord.Seq(h.state.counters.Seq)
}

// runTimer does what is due once a second.
func (h *Hub) runTimer() {
	defer close(h.timed)
	ticks := h.tick(time.Second)
	for last := h.now(); ; {
		select {
		case <-h.stopping:
			return
		case <-ticks:
			now := h.now()
			if gap := now.Round(0).Sub(last.Round(0)); gap > nap { // of the wall clock: the other one stops in sleep
				h.log.Info("the machine slept", "seconds", gap.Seconds())
				h.presence.slept(gap, coord.At(now))
			}
			last = now
			if err := h.Tick(context.Background()); err != nil {
				h.log.Error("timer", "error", err)
			}
		}
	}
}

// Tick does what is due now: deadlines of threads, and agents whose connection
// is gone for good. The hub's own timer calls it once a second.
func (h *Hub) Tick(ctx context.Context) error {
	defer h.waiters.ringWakers() // a limit of waking may be over
	now := coord.At(h.now())
	h.presence.goBack(now)
	lost := h.presence.due(now, h.verifiedGone)
	h.mu.RLock()
	due := len(lost) > 0 || h.state.anythingDue(now)
	h.mu.RUnlock()
	if !due {
		return nil
	}
	var forgotten []*coord.Agent
	_, err := h.submit(ctx, "tick", ReplyKey{}, func(t *txn) (any, error) {
		t.goBack()
		for _, id := range t.overdue(t.now) {
			t.expire(id)
		}
		var gone []coord.AgentID
		for _, id := range lost {
			if h.presence.stillLost(id, now) {
				t.lose(id)
				gone = append(gone, id)
			}
		}
		t.after = func() {
			for _, id := range gone {
				h.presence.forget(id)
			}
		}
		t.age()
		t.prune(t.now)
		forgotten = t.forget(t.now)
		return nil, nil
	})
	h.expel(forgotten)
	return err
}
