package hub

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// waiters wakes calls that wait at the hub for an agent's news. Clients with a
// shim wait there instead.
type waiters struct {
	mu    sync.Mutex
	chans map[coord.AgentID][]chan struct{}
}

func newWaiters() *waiters {
	return &waiters{chans: map[coord.AgentID][]chan struct{}{}}
}

// listen gives a channel of capacity 1 that is signalled for each later event,
// and a function that ends the listening.
func (w *waiters) listen(id coord.AgentID) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chans[id] = append(w.chans[id], ch)
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		kept := w.chans[id][:0]
		for _, c := range w.chans[id] {
			if c != ch {
				kept = append(kept, c)
			}
		}
		if w.chans[id] = kept; len(kept) == 0 {
			delete(w.chans, id)
		}
	}
}

// wake signals whoever waits for one of the publications.
func (h *Hub) wake(publications []Publication) {
	h.waiters.mu.Lock()
	defer h.waiters.mu.Unlock()
	if len(h.waiters.chans) == 0 {
		return
	}
	for _, p := range publications {
		for _, r := range p.Recipients {
			for _, ch := range h.waiters.chans[r.Agent] {
				select {
				case ch <- struct{}{}:
				default:
				}
			}
		}
	}
}

// sync is a shim's heartbeat: it acknowledges, tells the head and gives events.
func (h *Hub) sync(ctx context.Context, me coord.AgentID, in tool.SyncIn) (tool.SyncOut, error) {
	h.mu.RLock()
	out := tool.SyncOut{Epoch: h.state.epoch, Head: h.state.heads[me], Events: []json.RawMessage{}}
	agent := h.state.agents[me]
	h.mu.RUnlock()
	if agent == nil {
		return out, coord.Errorf(coord.Unauthorized, "register again", "the hub does not know agent %s", me)
	}
	out.Seen = agent.Seen
	if in.Epoch != "" && in.Epoch != out.Epoch {
		return out, nil
	}
	if seen := min(in.Seen, out.Head); seen > agent.Seen {
		if err := h.acknowledge(ctx, me, seen); err != nil {
			return out, err
		}
		out.Seen = seen
	}
	if in.Limit > 0 {
		events, rest, err := h.store.Inbox(ctx, me, in.After, in.Limit)
		if err != nil {
			return out, unavailable(err)
		}
		out.Remaining = rest
		for _, d := range events {
			out.Events = append(out.Events, d.Wire(out.Epoch))
		}
	}
	return out, nil
}

// acknowledge moves an agent's seen position forward.
func (h *Hub) acknowledge(ctx context.Context, me coord.AgentID, seen coord.Seq) error {
	_, err := h.submit(ctx, "acknowledge", ReplyKey{}, func(t *txn) (any, error) {
		if a := t.agents[me]; a != nil && seen > a.Seen {
			next := *a
			next.Seen = seen
			t.putAgent(&next)
		}
		return nil, nil
	})
	return err
}

// Bounds of a wait at the hub.
const (
	defaultWait = 30 * time.Second
	maxWait     = 50 * time.Second
)

// waitForMessage gives unread events of a client without a shim, waiting for
// the first. What it gave counts as seen with the caller's next wait.
func (h *Hub) waitForMessage(ctx context.Context, me coord.AgentID, in tool.WaitForMessageIn) (tool.WaitForMessageOut, error) {
	wait := defaultWait
	if in.TimeoutSeconds != nil {
		wait = min(time.Duration(*in.TimeoutSeconds*float64(time.Second)), maxWait)
	}
	limit := in.Max
	if limit == 0 {
		limit = 20
	}
	news, stop := h.waiters.listen(me)
	defer stop()
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		events, rest, err := h.unread(ctx, me, limit, in.ThreadID)
		if err != nil || len(events) > 0 {
			return tool.WaitForMessageOut{Events: events, Remaining: rest}, err
		}
		select {
		case <-news:
		case <-timeout.C:
			return tool.WaitForMessageOut{Events: events, Timeout: true}, nil
		case <-h.stopping:
			return tool.WaitForMessageOut{}, errStopping()
		case <-ctx.Done():
			return tool.WaitForMessageOut{}, coord.Errorf(coord.Unavailable, "call again", "the wait was cancelled")
		}
	}
}

// unread takes the oldest unread events of an agent and marks them seen. With a
// thread it gives those of that thread alone and marks nothing.
func (h *Hub) unread(ctx context.Context, me coord.AgentID, limit int, thread coord.ThreadID) ([]json.RawMessage, int, error) {
	h.mu.RLock()
	agent, epoch := h.state.agents[me], h.state.epoch
	h.mu.RUnlock()
	out := []json.RawMessage{}
	if agent == nil {
		return out, 0, coord.Errorf(coord.Unauthorized, "register again", "the hub does not know agent %s", me)
	}
	events, rest, err := h.store.Inbox(ctx, me, agent.Seen, limit)
	if err != nil {
		return out, 0, unavailable(err)
	}
	for _, d := range events {
		if thread == "" || d.Thread == thread {
			out = append(out, d.Wire(epoch))
		}
	}
	if thread == "" && len(events) > 0 {
		err = h.acknowledge(ctx, me, events[len(events)-1].Seq)
	}
	return out, rest, err
}
