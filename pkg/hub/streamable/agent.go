package streamable

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// page is how many events one reading of the inbox gives, the most the rules do.
const page = 200

// agent is whom a session acts as.
type agent struct {
	rules  Rules
	caller coord.Caller
	asked  coord.ProjectID  // the client's own word for its project; the agent works in that of others in its working tree
	key    coord.SessionKey // "" = the client brought a session of its own
	epoch  coord.Epoch
	root   root
	queue  *inbox.Queue
}

// begin learns where an agent stands in its inbox.
func (a *agent) begin(ctx context.Context) error {
	out, err := a.sync(ctx, tool.SyncIn{})
	if err != nil {
		return err
	}
	a.epoch = out.Epoch
	a.queue.Begin(out.Seen)
	return nil
}

// goodbye says what the client has got last, unless it was silent for so long
// that its agent may count as gone, which that would bring back; and lets an
// agent that was made here leave.
func (a *agent) goodbye(ctx context.Context, silent bool) {
	if !silent {
		_, _ = a.sync(ctx, tool.SyncIn{Epoch: a.epoch, Seen: a.queue.Seen(), Read: true}) // a repetition is all that is at stake
	}
	if a.key != "" {
		_ = a.rules.Leave(coord.WithCaller(ctx, a.caller)) // it is found gone a little later
	}
}

func (a *agent) sync(ctx context.Context, in tool.SyncIn) (out tool.SyncOut, err error) {
	raw, err := a.rules.Call(coord.WithCaller(ctx, a.caller), tool.Sync.Name, mcptool.Encode(in), "")
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("read the answer of %s: %w", tool.Sync.Name, err)
	}
	return out, nil
}

// catchUp acknowledges what the client has got, and queues what is new in the
// inbox. Two at a time do no harm: the queue takes each event once.
func (a *agent) catchUp(ctx context.Context) error {
	for {
		out, err := a.sync(ctx, tool.SyncIn{Epoch: a.epoch, Seen: a.queue.Seen(), Read: true, After: a.queue.Last(), Limit: page})
		if err != nil {
			return err
		}
		for _, raw := range out.Events {
			_, d, err := coord.ParseWire(raw)
			if err != nil {
				return fmt.Errorf("read the inbox after %d: %w", a.queue.Last(), err)
			}
			if last := a.queue.Last(); d.Prev > last {
				a.queue.Mark(last+1, d.Prev) // the inbox has these no more
			}
			a.queue.Push(d)
		}
		switch {
		case out.Remaining > 0 && len(out.Events) > 0:
		case len(out.Events) == 0 && out.Head > a.queue.Last():
			a.queue.Mark(a.queue.Last()+1, out.Head)
			return nil
		default:
			return nil
		}
	}
}
