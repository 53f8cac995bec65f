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
