package hub

import (
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// A visitor is an agent without a shim: a door of the hub holds its session,
// tells of its signs of life and reads its inbox.

// Keep counts an agent as present for at least grace from now, with or without
// an inbox connection.
func (h *Hub) Keep(agent coord.AgentID, grace time.Duration) {
	h.presence.touch(agent, coord.At(h.now()), grace)
}

// Listen gives a channel of capacity 1 that is signalled after each event for
// the agent's inbox was committed, and a function that ends the listening. News
// from before the call is not signalled: listen first, then read. Meanwhile the
// agent counts as waiting.
func (h *Hub) Listen(agent coord.AgentID) (<-chan struct{}, func()) {
	news, stop := h.waiters.listen(inboxOf(agent))
	done := h.presence.wait(agent, "", coord.At(h.now()))
	return news, func() { stop(); done() }
}
