package shim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// Bounds of waiting.
const (
	defaultWait   = 30 * time.Second
	longestWait   = 50 * time.Second
	longestClaude = 100 * time.Second // Claude Code moves a call to the background after 120 s
	catchUpLimit  = 2 * time.Second
	heldPause     = 250 * time.Millisecond // between two looks at news that another rung has in hand
)

// waitForMessage gives what is queued, or waits for it.
func (s *Shim) waitForMessage(ctx context.Context, r *request, args json.RawMessage) ([]byte, error) {
	var in tool.WaitForMessageIn
	if err := json.Unmarshal(args, &in); err != nil {
		return nil, fmt.Errorf("read the arguments: %w", err)
	}
	filter := mcptool.OfThread(in.ThreadID)
	r.call.inTurn(ctx)
	want := want{max: in.Max, usual: mcptool.WaitBatch, thread: in.ThreadID}
	if answer := s.take(ctx, r, want); answer != nil {
		return answer, nil
	}
	l, err := s.session.current(ctx)
	if err != nil {
		return nil, err
	}
	if in.ThreadID != "" { // nothing would ever come for one that does not exist
		if _, err := l.ask(ctx, tool.SyncIn{Thread: in.ThreadID}); coord.CodeOf(err) == coord.NotFound {
			return nil, err
		}
	}
	limit := waitLimit(in.TimeoutSeconds, mcptool.Client(r.session))
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	go func() { // nobody would read an answer that comes later
		select {
		case <-s.conn.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	for began := time.Now(); ; {
		woken := s.awaitNews(ctx, filter)
		if answer := s.take(ctx, r, want); answer != nil {
			return answer, nil
		}
		switch {
		case ctx.Err() != nil:
			return mcptool.NoNews(), nil
		case !woken:
			mcptool.Progress(ctx, r.session, r.params, time.Since(began), limit)
		}
	}
}

// awaitNews reports whether news came; it gives up with ctx, and when it is time
// for a sign of life. What is there and was not given, because another way to
// the client has it in hand, is looked at again a little later.
func (s *Shim) awaitNews(ctx context.Context, f inbox.Filter) bool {
	ctx, cancel := context.WithTimeout(ctx, s.o.Progress)
	defer cancel()
	if s.queue.Waiting(f) > 0 {
		within(heldPause, ctx.Done())
	}
	return s.queue.Wait(ctx, f) == nil
}

// getQueuedMessages gives what is there. It asks the hub first, so that what a
// peer has just been told is sent is not missing for a moment.
func (s *Shim) getQueuedMessages(ctx context.Context, r *request, args json.RawMessage) ([]byte, error) {
	var in tool.GetQueuedMessagesIn
	if err := json.Unmarshal(args, &in); err != nil {
		return nil, fmt.Errorf("read the arguments: %w", err)
	}
	r.call.inTurn(ctx)
	err := s.catchUp(ctx)
	answer := s.take(ctx, r, want{max: in.Max, usual: mcptool.QueuedBatch})
	switch {
	case answer != nil:
		return answer, nil
	case err != nil:
		return nil, err
	}
	return mcptool.News(&inbox.Batch{}, s.queue, nil), nil
}

func (s *Shim) catchUp(ctx context.Context) error {
	if _, err := s.session.current(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, catchUpLimit)
	defer cancel()
	if err := s.feed.CatchUp(limited); err != nil {
		return &coord.Error{Code: coord.Unavailable, What: "the news cannot be read now", Next: "call again in a moment", Err: err}
	}
	return nil
}

// waitLimit is how long a call may wait: as asked, within what clients bear.
func waitLimit(seconds *float64, client coord.ClientInfo) time.Duration {
	limit, most := defaultWait, longestWait
	if client.Name == claudeCode {
		most = longestClaude
	}
	if seconds != nil {
		limit = time.Duration(*seconds * float64(time.Second))
	}
	return min(limit, most)
}
