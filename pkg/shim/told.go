package shim

import (
	"context"
	"sync"

	"github.com/coordhq/coord/pkg/coord"
)

// maxTold bounds how many events a shim remembers to have told.
const maxTold = 2000

// told is what has been written out to the client. A hub that died before it
// heard of that offers it again; the shim knows better. One answer at a time
// takes news out, so that what it knows is never behind what is offered.
type told struct {
	turn chan struct{} // capacity 1: full while an answer takes news out

	mu    sync.Mutex // guards the rest
	epoch coord.Epoch
	seqs  map[coord.Seq]bool
	order []coord.Seq // oldest first
}

func newTold() *told { return &told{turn: make(chan struct{}, 1), seqs: map[coord.Seq]bool{}} }

// enter waits until no other answer takes news out; false when ctx ended before.
// Who enters leaves, once it is known what became of the news.
func (t *told) enter(ctx context.Context) bool {
	select {
	case t.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *told) leave() { <-t.turn }

// begin says whose events are told from now on. Those of another log are
// forgotten.
func (t *told) begin(epoch coord.Epoch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch != epoch {
		t.epoch, t.seqs, t.order = epoch, map[coord.Seq]bool{}, nil
	}
}

// now gives the log that the events are of.
func (t *told) now() coord.Epoch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.epoch
}

// note remembers whether events of a log were written out; the last word counts.
func (t *told) note(epoch coord.Epoch, seqs []coord.Seq, out bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if epoch != t.epoch {
		return
	}
	for _, seq := range seqs {
		switch {
		case !out:
			delete(t.seqs, seq)
		case !t.seqs[seq]:
			t.seqs[seq], t.order = true, append(t.order, seq)
		}
	}
	for len(t.order) > maxTold {
		delete(t.seqs, t.order[0])
		t.order = t.order[1:]
	}
}

// has reports whether an event has been written out. It is good as an
// inbox.Filter.
func (t *told) has(d *coord.Delivery) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seqs[d.Seq]
}

// split parts what is new to the client from what it has been told.
func (t *told) split(events []coord.Delivery) (fresh []coord.Delivery, known []coord.Seq) {
	for _, d := range events {
		if t.has(&d) {
			known = append(known, d.Seq)
		} else {
			fresh = append(fresh, d)
		}
	}
	return fresh, known
}
