package inbox

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// Filter says whether a reader wants an event; nil wants all. It is called with
// the queue locked and must not call back.
type Filter func(d *coord.Delivery) bool

func (f Filter) wants(e *entry) bool {
	return e.state == waiting && (f == nil || f(&e.delivery))
}

// Batch is news that a reader has taken and not yet accounted for.
type Batch struct {
	Events    []coord.Delivery
	Remaining int // further events that passed the filter and still wait

	queue   *Queue
	entries []*entry
}

// Take gives the oldest waiting events that pass the filter, at most limit of
// them; none is an empty batch. Each batch must be confirmed or returned.
func (q *Queue) Take(limit int, f Filter) *Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := &Batch{queue: q}
	for _, e := range q.entries {
		switch {
		case !f.wants(e):
		case len(b.entries) >= limit:
			b.Remaining++
		default:
			e.state = taken
			q.waiting--
			b.entries = append(b.entries, e)
			b.Events = append(b.Events, e.delivery)
		}
	}
	return b
}

// TakeSeqs gives the waiting events with these seqs, and those that were returned
// after they had been confirmed, which nobody else will give. It is a batch like
// that of Take.
func (q *Queue) TakeSeqs(seqs []coord.Seq) *Batch {
	return q.Take(math.MaxInt, func(d *coord.Delivery) bool {
		return slices.Contains(seqs, d.Seq) || d.Kind == coord.KindResync || q.returned[d.Seq]
	})
}

// Forget drops what waits up to seen: the client has got it by another way.
func (q *Queue) Forget(seen coord.Seq) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.entries {
		if e.state == waiting && e.delivery.Seq <= seen && !q.returned[e.delivery.Seq] && e.delivery.Kind != coord.KindResync {
			e.state = done
			q.waiting--
		}
	}
	q.advance()
}

// Wait blocks until an event that passes the filter is waiting, or ctx ends;
// then it gives ctx's error. Another reader may be quicker: Take can still come
// back empty.
func (q *Queue) Wait(ctx context.Context, f Filter) error {
	wake := make(chan struct{}, 1)
	q.mu.Lock()
	q.waiters[wake] = struct{}{}
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.waiters, wake)
		q.mu.Unlock()
	}()
	for {
		if q.Waiting(f) > 0 {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Waiting counts the events that wait and pass the filter.
func (q *Queue) Waiting(f Filter) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, e := range q.entries {
		if f.wants(e) {
			n++
		}
	}
	return n
}

// Confirm says that the client has got the batch.
func (b *Batch) Confirm() {
	q := b.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range b.entries {
		if e.state == taken {
			e.state = done
		}
	}
	for _, e := range b.entries {
		delete(q.returned, e.delivery.Seq)
	}
	q.advance()
	if len(b.entries) > 0 {
		signal(q.confirmed)
	}
}

// advance moves Seen over what is done at the front.
func (q *Queue) advance() {
	for len(q.entries) > 0 && q.entries[0].state == done {
		q.seen = max(q.seen, q.entries[0].delivery.Seq)
		q.entries[0] = nil // the array lives on; the event need not
		q.entries = q.entries[1:]
	}
}

// Return puts the batch back where it stood; its events are marked as given
// again, since the client may have got them. It may follow a Confirm that turned
// out to be wrong: Seen, which may have been acknowledged, does not go back.
func (b *Batch) Return() {
	q := b.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range b.entries {
		if e.state == waiting || e.life != q.life {
			continue
		}
		if e.state == done {
			q.returned[e.delivery.Seq] = true
		}
		e.state, e.delivery.Again = waiting, true
		q.waiting++
		at, there := slices.BinarySearchFunc(q.entries, e.delivery.Seq, func(e *entry, s coord.Seq) int {
			return cmp.Compare(e.delivery.Seq, s)
		})
		if !there {
			q.entries = slices.Insert(q.entries, at, e)
		}
	}
	b.entries = nil // spent: a Confirm must not touch what others may hold now
	q.wake()
}

// wake tells every reader to look again. Each has its own channel of capacity
// 1, so a signal between a look and a sleep is kept.
func (q *Queue) wake() {
	for w := range q.waiters {
		signal(w)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
