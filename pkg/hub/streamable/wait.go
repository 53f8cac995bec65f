package streamable

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

const (
	defaultWait = 30 * time.Second
	longestWait = 50 * time.Second
)

// waitForMessage gives what is unread, or waits for it.
func (c *call) waitForMessage(ctx context.Context, a *agent, args json.RawMessage) ([]byte, error) {
	var in tool.WaitForMessageIn
	if err := json.Unmarshal(args, &in); err != nil {
		return nil, fmt.Errorf("read the arguments: %w", err)
	}
	limit, filter := defaultWait, mcptool.OfThread(in.ThreadID)
	if in.TimeoutSeconds != nil {
		limit = min(time.Duration(*in.TimeoutSeconds*float64(time.Second)), longestWait)
	}
	if in.ThreadID != "" {
		if _, err := a.sync(ctx, tool.SyncIn{Thread: in.ThreadID}); err != nil {
			return nil, err
		}
	}
	news, stop := a.rules.Listen(a.caller.Agent)
	defer stop()
	over := time.NewTimer(limit)
	defer over.Stop()
	sign := time.NewTicker(mcptool.ProgressEvery)
	defer sign.Stop()
	for began := time.Now(); ; {
		if err := a.catchUp(ctx); err != nil {
			return nil, err
		}
		if b := mcptool.Take(a.queue, in.Max, mcptool.WaitBatch, filter); len(b.Events) > 0 {
			answer := mcptool.News(b, a.queue, filter)
			c.post.carry(b)
			return answer, nil
		}
		select {
		case <-news:
		case <-sign.C:
			if waited := time.Since(began); waited < limit {
				mcptool.Progress(ctx, c.conn, c.params, waited, limit)
			}
		case <-over.C:
			return mcptool.NoNews(), nil
		case <-ctx.Done():
			return nil, coord.Errorf(coord.Unavailable, "call again", "the wait was cut short")
		}
	}
}

// getQueuedMessages gives what is unread.
func (c *call) getQueuedMessages(ctx context.Context, a *agent, args json.RawMessage) ([]byte, error) {
	var in tool.GetQueuedMessagesIn
	if err := json.Unmarshal(args, &in); err != nil {
		return nil, fmt.Errorf("read the arguments: %w", err)
	}
	if err := a.catchUp(ctx); err != nil {
		return nil, err
	}
	b := mcptool.Take(a.queue, in.Max, mcptool.QueuedBatch, nil)
	answer := mcptool.News(b, a.queue, nil)
	c.post.carry(b)
	return answer, nil
}
