package inbox_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
)

func TestWaitEndsWhenNewsComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := inbox.New(10)
		time.AfterFunc(time.Second, func() { q.Push(event(1, "T-1")) })
		start := time.Now()
		if err := q.Wait(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("woken after %v, want 1s", d)
		}
		wantSeqs(t, q.Take(10, nil), 1)
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := inbox.New(10)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := q.Wait(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("wait gave %v, want the context's error", err)
		}
	})
}

func TestWaitWithFilterSleepsThroughOtherNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := inbox.New(10)
		woken := make(chan error, 1)
		go func() {
			woken <- q.Wait(t.Context(), func(d *coord.Delivery) bool { return d.Thread == "T-2" })
		}()
		q.Push(event(1, "T-1"))
		synctest.Wait()
		select {
		case <-woken:
			t.Fatal("woken by another thread's news")
		default:
		}
		q.Push(event(2, "T-2"))
		if err := <-woken; err != nil {
			t.Fatal(err)
		}
	})
}

func TestEachWaiterIsWokenByItsOwnNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := inbox.New(10)
		got := make(chan coord.ThreadID, 2)
		for _, thread := range []coord.ThreadID{"T-1", "T-2"} {
			go func() {
				if q.Wait(t.Context(), func(d *coord.Delivery) bool { return d.Thread == thread }) == nil {
					got <- thread
				}
			}()
		}
		synctest.Wait()
		q.Push(event(1, "T-2"))
		if first := <-got; first != "T-2" {
			t.Fatalf("%s was woken first", first)
		}
		q.Push(event(2, "T-1"))
		if second := <-got; second != "T-1" {
			t.Fatalf("%s was woken second", second)
		}
	})
}

func TestReturnedNewsWakesAWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := filled(t, 10, 1, 1)
		b := q.Take(1, nil)
		time.AfterFunc(time.Second, b.Return)
		if err := q.Wait(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	})
}

func TestConfirmedIsSignalledAndKept(t *testing.T) {
	q := filled(t, 10, 1, 2)
	q.Take(1, nil).Confirm()
	q.Take(1, nil).Confirm()
	select {
	case <-q.Confirmed():
	default:
		t.Fatal("no signal")
	}
	select {
	case <-q.Confirmed():
		t.Fatal("two signals")
	default:
	}
}

// Producers and consumers race: nobody may sleep over news, and each event must
// be confirmed exactly once.
func TestNoWakeUpIsLost(t *testing.T) {
	const producers, consumers, each = 8, 4, 2000
	q := inbox.New(producers * each)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()

	var mu sync.Mutex
	var seq coord.Seq
	var producing sync.WaitGroup
	for range producers {
		producing.Go(func() {
			for range each {
				mu.Lock() // seq and push are one step, as they are in a feed
				seq++
				q.Push(event(seq, "T-1"))
				mu.Unlock()
			}
		})
	}

	results := make([][]coord.Seq, consumers)
	var confirmed atomic.Int64
	done, stop := context.WithCancel(ctx)
	defer stop()
	var consuming sync.WaitGroup
	for i := range consumers {
		consuming.Go(func() {
			for n := 1; q.Wait(done, nil) == nil; n++ {
				b := q.Take(3, nil)
				if n%5 == 0 { // now and then a hand-over fails
					b.Return()
					continue
				}
				b.Confirm()
				results[i] = append(results[i], seqs(b)...)
				if confirmed.Add(int64(len(b.Events))) == producers*each {
					stop()
				}
			}
		})
	}
	producing.Wait()
	consuming.Wait()
	if ctx.Err() != nil {
		t.Fatalf("%d events still wait", q.Waiting(nil))
	}

	var all []coord.Seq
	for _, r := range results {
		all = append(all, r...)
	}
	slices.Sort(all)
	for i, s := range all {
		if s != coord.Seq(i+1) {
			t.Fatalf("event %d is %d: lost or doubled", i+1, s)
		}
	}
	wantSeen(t, q, producers*each)
}
