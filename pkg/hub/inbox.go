package hub

import (
	"context"
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// sync is a shim's heartbeat: it acknowledges, tells the head and gives events.
func (h *Hub) sync(ctx context.Context, c coord.Caller, in tool.SyncIn) (tool.SyncOut, error) {
	me := c.Agent
	h.mu.RLock()
	out := tool.SyncOut{Epoch: h.state.epoch, Head: h.state.heads[me], Events: []json.RawMessage{}}
	agent := h.state.agents[me]
	h.mu.RUnlock()
	if agent == nil {
		return out, unknownAgent(me)
	}
	if err := h.awaitable(ctx, c.Project, in.Thread); err != nil {
		return out, err
	}
	if err := h.revive(ctx, me); err != nil && coord.CodeOf(err) != coord.Storage { // a client that was stopped for a while has woken up
		return out, err
	}
	out.Seen, out.Hooks = agent.Seen, agent.Hooks
	if in.Epoch != "" && in.Epoch != out.Epoch {
		return out, nil
	}
	if seen := min(in.Seen, out.Head); seen > agent.Seen {
		switch err := h.acknowledge(ctx, me, seen, in.Read); {
		case err == nil:
			out.Seen = seen
		case coord.CodeOf(err) != coord.Storage: // with a full disk news can still be read
			return out, err
		}
	}
	if in.Limit > 0 {
		events, rest, err := h.store.Inbox(ctx, me, in.After, in.Limit)
		if err != nil {
			return out, storage(err)
		}
		out.Remaining = rest
		for _, d := range events {
			out.Events = append(out.Events, d.Wire(out.Epoch))
		}
	}
	return out, nil
}

// awaitable refuses to wait for news of a thread that there is not; "" = of any.
func (h *Hub) awaitable(ctx context.Context, project coord.ProjectID, id coord.ThreadID) error {
	if id == "" {
		return nil
	}
	_, err := h.findThread(ctx, project, id)
	return err
}

// acknowledge notes that a client has been handed everything up to seen, and
// whether it has come back since.
func (h *Hub) acknowledge(ctx context.Context, me coord.AgentID, seen coord.Seq, read bool) error {
	_, err := h.submit(ctx, "acknowledge", ReplyKey{}, func(t *txn) (any, error) {
		if read {
			t.handed(me, seen)
		} else {
			t.wroteUpTo(me, seen)
		}
		return nil, nil
	})
	return err
}

// waitForMessage gives unread events of a client without a shim, waiting for
// the first. What it gave counts as seen with the caller's next wait or
// get_queued_messages: when an answer is lost, or the hub with it, the next one
// repeats it.
func (h *Hub) waitForMessage(ctx context.Context, c coord.Caller, in tool.WaitForMessageIn) (tool.WaitForMessageOut, error) {
	var out tool.WaitForMessageOut
	if err := h.awaitable(ctx, c.Project, in.ThreadID); err != nil {
		return out, err
	}
	news, stop := h.waiters.listen(inboxOf(c.Agent))
	defer stop()
	err := h.await(ctx, c.Agent, in.ThreadID, in.TimeoutSeconds, news, func() (bool, error) {
		events, rest, err := h.unread(ctx, c.Agent, orDefault(in.Max, defaultPage), in.ThreadID)
		out = tool.WaitForMessageOut{Events: events, Remaining: rest, Timeout: len(events) == 0}
		return len(events) > 0, err
	})
	return out, err
}

// queued gives what is there, without waiting.
func (h *Hub) queued(ctx context.Context, c coord.Caller, in tool.GetQueuedMessagesIn) (tool.GetQueuedMessagesOut, error) {
	events, rest, err := h.unread(ctx, c.Agent, orDefault(in.Max, defaultQueued), "")
	return tool.GetQueuedMessagesOut{Events: events, Remaining: rest}, err
}

// defaultQueued is how many events get_queued_messages gives unless it is told.
const defaultQueued = 50

// unread gives the oldest unread events of an agent, after what it was given
// before, which counts as seen now. With a thread it gives those of that thread
// alone, and they stay unread.
func (h *Hub) unread(ctx context.Context, me coord.AgentID, limit int, thread coord.ThreadID) ([]json.RawMessage, int, error) {
	h.mu.RLock()
	agent, epoch := h.state.agents[me], h.state.epoch
	h.mu.RUnlock()
	out := []json.RawMessage{}
	if agent == nil {
		return out, 0, unknownAgent(me)
	}
	seen := max(agent.Seen, h.presence.of(me).handed)
	if seen > agent.Seen {
		if err := h.acknowledge(ctx, me, seen, true); err != nil && coord.CodeOf(err) != coord.Storage {
			return out, 0, err
		}
	}
	events, rest, err := h.store.Inbox(ctx, me, seen, limit)
	if err != nil {
		return out, 0, storage(err)
	}
	size := 0
	for i, d := range events {
		if thread != "" && d.Thread != thread {
			continue
		}
		wire := d.Wire(epoch)
		if size += len(wire) + 1; len(out) > 0 && size > maxUnread {
			rest += len(events) - i
			events = events[:i]
			break
		}
		out = append(out, wire)
	}
	if thread == "" && len(events) > 0 {
		h.presence.hand(me, events[len(events)-1].Seq)
	}
	return out, rest, nil
}

// maxUnread bounds the events of one answer, in bytes; the first has its place
// in any case.
const maxUnread = maxAnswer - 100
