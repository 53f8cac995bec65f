package hub

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Bounds of a wait at the hub.
const (
	defaultWait = 30 * time.Second
	maxWait     = tool.LongestWait / 2 // of clients other than Claude Code
)

// bell names what a waiting call listens to.
type bell string

func inboxOf(id coord.AgentID) bell      { return bell("inbox " + id) }
func wakeOf(id coord.AgentID) bell       { return bell(wakePrefix + id) }
func arrivalsOf(id coord.ProjectID) bell { return bell("arrivals " + id) }

const wakePrefix = "wake "

// waiters wakes calls that wait at the hub. Clients with a shim wait for their
// news there instead.
type waiters struct {
	mu    sync.Mutex // guards chans
	chans map[bell][]chan struct{}
}

func newWaiters() *waiters {
	return &waiters{chans: map[bell][]chan struct{}{}}
}

// listen gives a channel of capacity 1 that is signalled each time the bell
// rings, and a function that ends the listening.
func (w *waiters) listen(b bell) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chans[b] = append(w.chans[b], ch)
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		kept := w.chans[b][:0]
		for _, c := range w.chans[b] {
			if c != ch {
				kept = append(kept, c)
			}
		}
		if w.chans[b] = kept; len(kept) == 0 {
			delete(w.chans, b)
		}
	}
}

// ringWakers signals everybody who waits to wake an agent.
func (w *waiters) ringWakers() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for b := range w.chans {
		if strings.HasPrefix(string(b), wakePrefix) {
			w.ring(b)
		}
	}
}

// turned signals who waits to wake one of the agents, whose turn may be over.
func (w *waiters) turned(agents []*coord.Agent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range agents {
		w.ring(wakeOf(a.ID))
	}
}

// ring signals whoever listens; mu is held.
func (w *waiters) ring(b bell) {
	for _, ch := range w.chans[b] {
		select {
		case ch <- struct{}{}:
		default:
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
		if p.Event.Kind == coord.KindAgentStatus {
			h.waiters.ring(arrivalsOf(p.Event.Project))
		}
		for _, r := range p.Recipients {
			h.waiters.ring(inboxOf(r.Agent))
			h.waiters.ring(wakeOf(r.Agent))
		}
	}
}

// await tries now, and each time the bell rings, until done says so or the time
// is over. Meanwhile the agent counts as waiting, for a thread if one is named.
// It listens before it tries, so that nothing is missed in between.
func (h *Hub) await(ctx context.Context, me coord.AgentID, thread coord.ThreadID, seconds *float64, rung <-chan struct{}, done func() (bool, error)) error {
	over := time.NewTimer(h.patience(me, seconds))
	defer over.Stop()
	defer h.presence.wait(me, thread, coord.At(h.now()))()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-rung:
		case <-over.C:
			return nil
		case <-h.stopping:
			return errStopping()
		case <-ctx.Done():
			return coord.Errorf(coord.Unavailable, "call again", "the wait was cancelled")
		}
	}
}

// patience is how long a call may wait: as asked, within what its client bears.
func (h *Hub) patience(me coord.AgentID, seconds *float64) time.Duration {
	wait, most := defaultWait, maxWait
	h.mu.RLock()
	if a := h.state.agents[me]; a != nil && a.Client.Name == claudeCode {
		most = tool.LongestWait
	}
	h.mu.RUnlock()
	if seconds != nil {
		wait = time.Duration(*seconds * float64(time.Second))
	}
	return min(wait, most)
}

// waitForPeers blocks until enough other agents are here.
func (h *Hub) waitForPeers(ctx context.Context, c coord.Caller, in tool.WaitForPeersIn) (tool.WaitForPeersOut, error) {
	arrivals, stop := h.waiters.listen(arrivalsOf(c.Project))
	defer stop()
	began := h.now()
	var out tool.WaitForPeersOut
	err := h.await(ctx, c.Agent, "", in.TimeoutSeconds, arrivals, func() (bool, error) {
		h.mu.RLock()
		defer h.mu.RUnlock()
		out.OnlinePeers, out.More = h.state.peerRefs(c.Project, c.Agent)
		out.Ready = len(out.OnlinePeers)+out.More >= orDefault(in.MinPeers, 1)
		return out.Ready, nil
	})
	out.WaitedMS = h.now().Sub(began).Milliseconds()
	if !out.Ready {
		out.Next = "Go on alone, or call again to wait longer."
	}
	return out, err
}
