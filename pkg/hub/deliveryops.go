package hub

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// offerNews answers offer.
func (t *txn) offerNews(me *coord.Agent, in tool.OfferIn) (tool.OfferOut, error) {
	if in.Progress {
		t.progress(me.ID)
	}
	if in.Settled {
		t.lapsed(me.ID, nil, coord.RungResult, coord.RungPoll)
	}
	events := t.give(me.ID, demand{rung: in.Rung, max: orDefault(in.Max, defaultPage), bytes: in.Bytes, thread: in.ThreadID})
	return tool.OfferOut{Epoch: t.epoch, Events: wires(events, t.epoch), Unread: t.unread(me.ID)}, nil
}

func wires(events []coord.Event, epoch coord.Epoch) []json.RawMessage {
	out := []json.RawMessage{}
	for i := range events {
		out = append(out, events[i].Wire(epoch))
	}
	return out
}

// writtenNews answers written.
func (t *txn) writtenNews(me *coord.Agent, in tool.WrittenIn) (tool.WrittenOut, error) {
	if in.Epoch == "" || in.Epoch == t.epoch {
		if in.Progress {
			t.progress(me.ID)
		}
		if in.Failed {
			t.withdrawn(me.ID, in.Seqs)
		} else {
			t.written(me.ID, in.Rung, in.Seqs)
		}
	}
	return tool.WrittenOut{Seen: t.agents[me.ID].Seen}, nil
}

// wakers knows who waits to wake which agent: one per agent and rung.
type wakers struct {
	mu  sync.Mutex // guards who
	who map[coord.AgentID]map[coord.Rung]chan struct{}
}

func newWakers() *wakers {
	return &wakers{who: map[coord.AgentID]map[coord.Rung]chan struct{}{}}
}

// enter takes the place of whoever waits already. The channel is closed when a
// newer one comes; done must be called.
func (w *wakers) enter(id coord.AgentID, rung coord.Rung) (replaced <-chan struct{}, done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.who[id] == nil {
		w.who[id] = map[coord.Rung]chan struct{}{}
	}
	if older := w.who[id][rung]; older != nil {
		close(older)
	}
	mine := make(chan struct{})
	w.who[id][rung] = mine
	return mine, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.who[id][rung] == mine {
			if delete(w.who[id], rung); len(w.who[id]) == 0 {
				delete(w.who, id)
			}
		}
	}
}

// better reports whether a better rung than the given one stands ready: the
// client's socket before a background hook, either before a channel.
func (w *wakers) better(id coord.AgentID, rung coord.Rung) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range w.who[id] {
		if wakeOrder[other] < wakeOrder[rung] {
			return true
		}
	}
	return false
}

var wakeOrder = map[coord.Rung]int{coord.RungSocket: 0, coord.RungRewake: 1, coord.RungChannel: 2}

// awaitWake answers await_wake: it looks whenever there is news, the agent's turn
// ends, or a second has passed.
func (h *Hub) awaitWake(ctx context.Context, c coord.Caller, in tool.AwaitWakeIn) (tool.AwaitWakeOut, error) {
	replaced, done := h.wakers.enter(c.Agent, in.Rung)
	defer done()
	rung, stop := h.waiters.listen(wakeOf(c.Agent))
	defer stop()
	wait := tool.LongestWait
	if in.TimeoutSeconds != nil {
		wait = min(wait, time.Duration(*in.TimeoutSeconds*float64(time.Second)))
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		out, ready, err := h.tryWake(ctx, c.Agent, in.Rung)
		if ready || err != nil {
			return out, err
		}
		select {
		case <-rung:
		case <-replaced:
			out.Over = true
			return out, nil
		case <-over.C:
			out.Timeout = true
			return out, nil
		case <-h.stopping:
			return out, errStopping()
		case <-ctx.Done():
			return out, coord.Errorf(coord.Unavailable, "call again", "the wait was cancelled")
		}
	}
}

// tryWake wakes the agent if that may be now. It asks the writer only then.
func (h *Hub) tryWake(ctx context.Context, id coord.AgentID, rung coord.Rung) (out tool.AwaitWakeOut, ready bool, err error) {
	better := h.wakers.better(id, rung)
	h.mu.RLock()
	a := h.state.agents[id]
	gone := a == nil || !a.Live()
	may := h.state.mayRing(id, rung, better, coord.At(h.now()))
	out = tool.AwaitWakeOut{Epoch: h.state.epoch, Events: []json.RawMessage{}}
	h.mu.RUnlock()
	if gone || !may {
		out.Over = gone
		return out, gone, nil
	}
	raw, err := h.submit(ctx, "wake", ReplyKey{}, func(t *txn) (any, error) {
		events := t.wake(id, rung, better)
		return tool.AwaitWakeOut{Epoch: t.epoch, Events: wires(events, t.epoch), Unread: t.unread(id)}, nil
	})
	if err != nil {
		return out, false, err
	}
	err = json.Unmarshal(raw, &out)
	return out, len(out.Events) > 0, err
}
