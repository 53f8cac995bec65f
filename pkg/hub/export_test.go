package hub

import (
	"context"

	"github.com/coordhq/coord/pkg/coord"
)

// Panic runs a rule that changes something and then panics.
func (h *Hub) Panic(ctx context.Context, ghost *coord.Agent) error {
	_, err := h.submit(ctx, "boom", ReplyKey{}, func(t *txn) (any, error) {
		t.putAgent(ghost)
		t.emitAgentStatus(ghost)
		panic("boom")
	})
	return err
}

// What a client's hooks report, for tests of the rules behind them.

// Prompt is a report of a prompt.
type Prompt struct {
	Mode      string
	Off, User bool
	Carried   []coord.EventID
}

// Prompted reports a prompt of an agent's client.
func (h *Hub) Prompted(id coord.AgentID, p Prompt) error {
	return h.do(func(t *txn) { t.prompted(id, prompt{mode: p.Mode, off: p.Off, user: p.User, carried: p.Carried}) })
}

// InFlight reports the beginning or the end of a tool call.
func (h *Hub) InFlight(id coord.AgentID, call string, begin bool) error {
	return h.do(func(t *txn) { t.inFlight(id, call, begin) })
}

// Progress reports that the main thread has come back.
func (h *Hub) Progress(id coord.AgentID) error {
	return h.do(func(t *txn) { t.progress(id) })
}

// Tell puts an event into an agent's inbox.
func (h *Hub) Tell(id coord.AgentID, kind coord.EventKind, thread coord.ThreadID, p coord.Priority, payload any) (seq coord.Seq, err error) {
	err = h.do(func(t *txn) {
		seq = t.emit(news{kind: kind, project: t.agents[id].Project, thread: thread, priority: p, payload: payload, to: []coord.AgentID{id}})
	})
	return seq, err
}

// Standing gives where an agent stands.
func (h *Hub) Standing(id coord.AgentID) (out coord.Standing, err error) {
	err = h.do(func(t *txn) { out = t.standing(t.agents[id]) })
	return out, err
}

// Receipts gives the receipts of what an agent has not all seen.
func (h *Hub) Receipts(id coord.AgentID) (out []coord.Receipt) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if b := h.state.mail[id]; b != nil {
		for _, l := range b.letters {
			out = append(out, l.receipt)
		}
	}
	return out
}

// WakeLimit names what keeps an agent from being woken.
func (h *Hub) WakeLimit(id coord.AgentID, now coord.Millis) string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.state.wakeLimit(h.state.agents[id], now)
}

func (h *Hub) do(rule func(*txn)) error {
	_, err := h.submit(context.Background(), "test", ReplyKey{}, func(t *txn) (any, error) {
		rule(t)
		return struct{}{}, nil
	})
	return err
}
