package daemon

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/hub/quota"
	"github.com/coordhq/coord/pkg/hub/web"
)

// quotaInterval is how often a hub in use measures by itself.
const quotaInterval = 5 * time.Minute

// startQuota measures the use of the user's plan now and every five minutes
// while somebody is connected, when the user has asked for it.
func (d *Daemon) startQuota(context.Context) (err error) {
	if !d.o.Quota {
		return nil
	}
	d.quota, err = quota.New(quota.Options{
		Token:   quota.Credential(os.Getenv),
		BaseURL: d.o.QuotaURL,
		Log:     d.o.Log,
		Changed: func(r quota.Report) {
			if r.Error == "" {
				d.tellQuota(r)
			}
		},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() { d.measure(ctx) })
	d.later("stop measuring the quota", 2*time.Second, func(context.Context) error {
		cancel()
		d.quota.Stop()
		loop.Wait()
		return nil
	})
	return nil
}

func (d *Daemon) measure(ctx context.Context) {
	tick := time.NewTicker(quotaInterval)
	defer tick.Stop()
	d.quota.Get(ctx, false)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if d.connections() > 0 {
				d.quota.Get(ctx, false)
			}
		}
	}
}

// tellQuota hands a measurement to the rules, which make it known, before those
// who wait for the measurement get it.
func (d *Daemon) tellQuota(r quota.Report) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := d.hub.RecordQuota(ctx, r.Buckets); err != nil {
		d.log.Warn("a quota was measured and not stored", "err", err)
	}
}

// quotaOrNil keeps a missing meter from becoming an interface that is not nil.
func (d *Daemon) quotaOrNil() web.Quota {
	if d.quota == nil {
		return nil
	}
	return d.quota
}
