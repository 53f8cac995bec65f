package inbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/coordhq/coord/pkg/coord"
)

// Limit is the usual capacity of a queue, the same as that of an inbox at the hub.
const Limit = 1000

// Queue is the ledger of one agent's news; make it with [New].
type Queue struct {
	limit     int
	confirmed chan struct{} // capacity 1

	mu      sync.Mutex // guards what follows
	entries []*entry   // in order; the first is never done
	waiting int        // entries that are not taken and not done
	last    coord.Seq  // of the newest entry ever added
	seen    coord.Seq
	life    int // counts Begin and Reset
	waiters map[chan struct{}]struct{}

	returned map[coord.Seq]bool // waiting ones that had been confirmed
}

type entry struct {
	delivery coord.Delivery
	from     coord.Seq // the first seq it stands for: its own, unless it is a marker
	state    state
	life     int
}

type state uint8

const (
	waiting state = iota
	taken
	done
)

// New makes an empty queue for at most limit events; fewer than 2 count as 2.
func New(limit int) *Queue {
	return &Queue{limit: max(limit, 2), confirmed: make(chan struct{}, 1), waiters: map[chan struct{}]struct{}{}, returned: map[coord.Seq]bool{}}
}

// Begin says where in the inbox the agent stands: everything up to seen was
// handed over before. The queue forgets what it held, batches that are out
// included.
func (q *Queue) Begin(seen coord.Seq) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.begin(seen)
}

// Reset is Begin after the log has begun another life. One marker for 0..seen
// tells the reader that what it knows may be out of date.
func (q *Queue) Reset(seen coord.Seq) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.begin(seen)
	q.add(marker(0, seen, q.life))
}

func (q *Queue) begin(seen coord.Seq) {
	q.life++
	q.entries, q.waiting = nil, 0
	clear(q.returned)
	q.seen, q.last = seen, seen
}

// Push adds one event at the end. It reports false, and changes nothing, when
// the event's seq is not above the last one: a duplicate.
func (q *Queue) Push(d coord.Delivery) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if d.Seq <= q.last {
		return false
	}
	q.add(&entry{delivery: d, from: d.Seq, life: q.life})
	return true
}

// Mark adds a resync marker at the end: the events from..to, both included, are
// known to be lost. A marker that says nothing new is dropped.
func (q *Queue) Mark(from, to coord.Seq) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if to <= q.last || from > to {
		return
	}
	q.add(marker(from, to, q.life))
}

// Last gives the seq of the newest event that was pushed, or the position given
// to Begin.
func (q *Queue) Last() coord.Seq {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}

// Seen gives the position up to which every event has been confirmed.
func (q *Queue) Seen() coord.Seq {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seen
}

// Confirmed receives after batches have been confirmed. The channel has
// capacity 1 and one reader: several confirmations may come as one.
func (q *Queue) Confirmed() <-chan struct{} { return q.confirmed }

// add appends under the lock, makes room and wakes the readers.
func (q *Queue) add(e *entry) {
	q.entries = append(q.entries, e)
	q.last = e.delivery.Seq
	q.waiting++
	for q.waiting > q.limit {
		q.drop()
	}
	q.wake()
}

// drop folds the two oldest waiting entries into one marker.
func (q *Queue) drop() {
	first := slices.IndexFunc(q.entries, func(e *entry) bool { return e.state == waiting })
	second := first + 1 + slices.IndexFunc(q.entries[first+1:], func(e *entry) bool { return e.state == waiting })
	q.entries[second] = marker(q.entries[first].from, q.entries[second].delivery.Seq, q.life)
	q.entries = slices.Delete(q.entries, first, first+1)
	q.waiting--
}

func marker(from, to coord.Seq, life int) *entry {
	payload, err := json.Marshal(coord.Resync{From: from, To: to})
	if err != nil {
		panic(fmt.Sprintf("resync payload: %v", err)) // two numbers: cannot fail
	}
	d := coord.Delivery{Event: coord.Event{Seq: to, Kind: coord.KindResync, Priority: coord.Medium, Payload: payload}}
	return &entry{delivery: d, from: from, life: life}
}
