package inbox_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
)

// event makes a delivery whose prev is the seq before it.
func event(seq coord.Seq, thread coord.ThreadID) coord.Delivery {
	return coord.Delivery{Prev: seq - 1, Event: coord.Event{Seq: seq, Kind: coord.KindMessagePosted, Thread: thread, Payload: json.RawMessage(`{}`)}}
}

// filled makes a queue that holds the events from..to of thread T-1.
func filled(t *testing.T, limit int, from, to coord.Seq) *inbox.Queue {
	t.Helper()
	q := inbox.New(limit)
	q.Begin(from - 1)
	for s := from; s <= to; s++ {
		if !q.Push(event(s, "T-1")) {
			t.Fatalf("push %d was refused", s)
		}
	}
	return q
}

func seqs(b *inbox.Batch) []coord.Seq {
	out := []coord.Seq{}
	for _, e := range b.Events {
		out = append(out, e.Seq)
	}
	return out
}

func wantSeqs(t *testing.T, b *inbox.Batch, want ...coord.Seq) {
	t.Helper()
	if want == nil {
		want = []coord.Seq{}
	}
	if diff := cmp.Diff(want, seqs(b)); diff != "" {
		t.Fatalf("batch (-want +got):\n%s", diff)
	}
}

func wantSeen(t *testing.T, q *inbox.Queue, want coord.Seq) {
	t.Helper()
	if got := q.Seen(); got != want {
		t.Fatalf("seen is %d, want %d", got, want)
	}
}

func TestEventsComeInOrderAndBatches(t *testing.T) {
	q := filled(t, 10, 1, 5)
	first := q.Take(2, nil)
	wantSeqs(t, first, 1, 2)
	if first.Remaining != 3 {
		t.Fatalf("remaining is %d, want 3", first.Remaining)
	}
	wantSeqs(t, q.Take(10, nil), 3, 4, 5)
	wantSeqs(t, q.Take(10, nil))
}

func TestSeenMovesOnlyWhenEverythingBeforeIsConfirmed(t *testing.T) {
	q := filled(t, 10, 1, 6)
	first, second := q.Take(2, nil), q.Take(2, nil)
	wantSeen(t, q, 0)
	second.Confirm()
	wantSeen(t, q, 0)
	first.Confirm()
	wantSeen(t, q, 4)
}

func TestFilteredReaderLeavesTheRestAndSeenWaitsForIt(t *testing.T) {
	q := inbox.New(10)
	for s, thread := range []coord.ThreadID{"T-1", "T-2", "T-1", "T-2"} {
		q.Push(event(coord.Seq(s+1), thread))
	}
	second := q.Take(1, func(d *coord.Delivery) bool { return d.Thread == "T-2" })
	wantSeqs(t, second, 2)
	if second.Remaining != 1 {
		t.Fatalf("remaining is %d, want 1", second.Remaining)
	}
	second.Confirm()
	wantSeen(t, q, 0)
	rest := q.Take(10, nil)
	wantSeqs(t, rest, 1, 3, 4)
	rest.Confirm()
	wantSeen(t, q, 4)
}

func TestReturnedBatchStandsWhereItStood(t *testing.T) {
	q := filled(t, 10, 1, 3)
	first := q.Take(2, nil)
	q.Push(event(4, "T-1"))
	first.Return()
	again := q.Take(10, nil)
	wantSeqs(t, again, 1, 2, 3, 4)
	first.Confirm() // of what another reader holds now
	wantSeen(t, q, 0)
	again.Return()
	wantSeqs(t, q.Take(10, nil), 1, 2, 3, 4)
}

func TestReturnAfterConfirmRepeatsButSeenStays(t *testing.T) {
	q := filled(t, 10, 1, 4)
	first := q.Take(2, nil)
	first.Confirm()
	first.Return()
	wantSeen(t, q, 2)
	again := q.Take(10, nil)
	wantSeqs(t, again, 1, 2, 3, 4)
	again.Confirm()
	wantSeen(t, q, 4)
}

func TestDuplicatesAreRefused(t *testing.T) {
	q := filled(t, 10, 5, 7)
	for _, s := range []coord.Seq{7, 6, 4} {
		if q.Push(event(s, "T-1")) {
			t.Errorf("event %d was taken again", s)
		}
	}
	wantSeqs(t, q.Take(10, nil), 5, 6, 7)
}

func TestOverflowLeavesOneMarkerForWhatIsGone(t *testing.T) {
	const limit = 10
	q := filled(t, limit, 1, 35)
	b := q.Take(100, nil)
	if len(b.Events) != limit {
		t.Fatalf("%d events wait, want %d", len(b.Events), limit)
	}
	m := b.Events[0]
	var gone coord.Resync
	if err := json.Unmarshal(m.Payload, &gone); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(coord.Resync{From: 1, To: 26}, gone); diff != "" || m.Kind != coord.KindResync {
		t.Errorf("marker %s (-want +got):\n%s", m.Kind, diff)
	}
	if diff := cmp.Diff(coord.Seq(27), b.Events[1].Seq); diff != "" {
		t.Errorf("first event after the marker (-want +got):\n%s", diff)
	}
	if i := slices.IndexFunc(b.Events[1:], func(d coord.Delivery) bool { return d.Kind == coord.KindResync }); i >= 0 {
		t.Errorf("a second marker at %d", i+1)
	}
	b.Confirm()
	wantSeen(t, q, 35)
}

func TestOverflowSparesWhatIsBeingHandedOver(t *testing.T) {
	q := filled(t, 4, 1, 4)
	out := q.Take(2, nil)
	for s := coord.Seq(5); s <= 12; s++ {
		q.Push(event(s, "T-1"))
	}
	out.Return()
	wantSeqs(t, q.Take(2, nil), 1, 2)
}

func TestMarkTellsOfEventsLostElsewhere(t *testing.T) {
	q := filled(t, 10, 1, 2)
	q.Mark(1, 2) // known already
	q.Mark(3, 9)
	q.Push(event(10, "T-1"))
	wantSeqs(t, q.Take(10, nil), 1, 2, 9, 10)
}

func TestResetForgetsTheOldLifeAndLeavesOneMarker(t *testing.T) {
	q := filled(t, 10, 101, 105)
	old := q.Take(2, nil)
	q.Reset(7)
	old.Confirm()
	old.Return()
	wantSeen(t, q, 7)
	if !q.Push(event(8, "T-1")) {
		t.Fatal("an event of the new life was refused")
	}
	b := q.Take(10, nil)
	wantSeqs(t, b, 7, 8)
	if b.Events[0].Kind != coord.KindResync {
		t.Errorf("first event is %s, want a resync marker", b.Events[0].Kind)
	}
}
