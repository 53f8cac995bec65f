package shim

import (
	"sync"

	"github.com/coordhq/coord/pkg/coord"
)

// maxTold bounds how many events a shim remembers to have told.
const maxTold = 2000

// told is what has been written out to the client. A hub that died before it
// heard of that offers it again; the shim knows better.
type told struct {
	mu    sync.Mutex // guards the rest
	epoch coord.Epoch
	seqs  map[coord.Seq]bool
	order []coord.Seq // oldest first
}

func newTold() *told { return &told{seqs: map[coord.Seq]bool{}} }

// note remembers whether events were written out; the last word counts. Those
// of an earlier log are forgotten.
func (t *told) note(epoch coord.Epoch, seqs []coord.Seq, out bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in(epoch)
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
func (t *told) split(epoch coord.Epoch, events []coord.Delivery) (fresh []coord.Delivery, known []coord.Seq) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in(epoch)
	for _, d := range events {
		if t.seqs[d.Seq] {
			known = append(known, d.Seq)
		} else {
			fresh = append(fresh, d)
		}
	}
	return fresh, known
}

// in forgets all of another log. mu is held.
func (t *told) in(epoch coord.Epoch) {
	if t.epoch != epoch {
		t.epoch, t.seqs, t.order = epoch, map[coord.Seq]bool{}, nil
	}
}
