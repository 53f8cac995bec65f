package feed

import (
	"context"
	"fmt"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// sync acknowledges what the client has got, learns the head of the inbox, and
// reads the log up to it. Before the first Attach it does nothing.
func (f *Feed) sync(ctx context.Context) error {
	if f.session.Agent == "" {
		return nil
	}
	for limit := 0; ; limit = page {
		out, err := f.ask(ctx, limit)
		if err != nil {
			return err
		}
		if out.Epoch != f.session.Epoch {
			f.restart(out.Epoch, out.Seen)
			continue
		}
		f.o.Queue.Forget(out.Seen)
		if limit > 0 {
			if err := f.read(out); err != nil {
				return err
			}
		}
		if out.Head <= f.o.Queue.Last() {
			return nil
		}
	}
}

func (f *Feed) ask(ctx context.Context, limit int) (tool.SyncOut, error) {
	in := tool.SyncIn{Epoch: f.session.Epoch, Seen: f.o.Queue.Seen()}
	if limit > 0 {
		in.After, in.Limit = f.o.Queue.Last(), limit
	}
	return f.o.Sync(ctx, in)
}

// read queues one page of the log. Each page must lead on, or sync would ask
// for ever: when the hub has nothing left before its head, that is a loss.
func (f *Feed) read(out tool.SyncOut) error {
	q := f.o.Queue
	before := q.Last()
	for _, raw := range out.Events {
		_, d, err := coord.ParseWire(raw)
		if err != nil {
			return fmt.Errorf("event after %d: %w", q.Last(), err)
		}
		f.push(d)
	}
	if q.Last() == before && out.Head > before {
		f.o.Log.Warn("events are gone from the inbox", "from", before+1, "to", out.Head)
		q.Mark(before+1, out.Head)
	}
	return nil
}
