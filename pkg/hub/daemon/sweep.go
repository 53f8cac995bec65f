package daemon

import (
	"context"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// firstSweep is when the first sweep comes at the latest: a hub that is left
// alone may be gone before the usual time, and the rules have dropped by then
// what is too old for them.
const firstSweep = 30 * time.Second

// sweepAtTimes has the database delete what is older than it is kept.
func (d *Daemon) sweepAtTimes(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.sweepUntil(ctx)
	}()
	d.later("stop sweeping", 5*time.Second, func(limit context.Context) error {
		cancel()
		select {
		case <-ended:
			return nil
		case <-limit.Done():
			return limit.Err()
		}
	})
	return nil
}

func (d *Daemon) sweepUntil(ctx context.Context) {
	next := time.NewTimer(min(firstSweep, d.o.Sweep))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		if err := d.store.Sweep(ctx, coord.At(time.Now())); err != nil && ctx.Err() == nil {
			d.log.Error("sweep", "err", err)
		}
		next.Reset(d.o.Sweep)
	}
}
