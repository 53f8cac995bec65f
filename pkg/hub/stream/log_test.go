package stream_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/stream"
)

// store keeps events in memory and counts how often it is asked.
type store struct {
	mu     sync.Mutex // guards the rest
	events []coord.Event
	asked  int
}

func (s *store) Events(_ context.Context, project coord.ProjectID, after coord.Seq, limit int) ([]coord.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	var out []coord.Event
	for _, e := range s.events {
		if e.Seq > after && (project == "" || e.Project == project) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

// publisher counts what is passed on.
type publisher struct{ got []coord.Seq }

func (p *publisher) Publish(batch []hub.Publication) {
	for _, b := range batch {
		p.got = append(p.got, b.Event.Seq)
	}
}
func (p *publisher) Stats() hub.PublisherStats               { return hub.PublisherStats{} }
func (p *publisher) Subscribers(coord.ProjectID, string) int { return 0 }

type rig struct {
	store *store
	next  *publisher
	log   *stream.Log
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{store: &store{}, next: &publisher{}}
	var err error
	if r.log, err = stream.New(stream.Options{Next: r.next, Store: r.store}); err != nil {
		t.Fatal(err)
	}
	return r
}

// publish commits events; odd ones are of shop, even ones of bank.
func (r *rig) publish(from, to coord.Seq) {
	for seq := from; seq <= to; seq++ {
		e := coord.Event{Seq: seq, Project: "bank", Kind: coord.KindBroadcast}
		if seq%2 == 1 {
			e.Project = "shop"
		}
		r.store.mu.Lock()
		r.store.events = append(r.store.events, e)
		r.store.mu.Unlock()
		r.log.Publish([]hub.Publication{{Event: e}})
	}
}

func (r *rig) after(t *testing.T, project coord.ProjectID, after coord.Seq, limit int) (seqs []coord.Seq, upTo coord.Seq) {
	t.Helper()
	events, upTo, err := r.log.After(t.Context(), project, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		seqs = append(seqs, e.Seq)
	}
	return seqs, upTo
}

func TestAReaderThatKeepsUpIsServedFromMemory(t *testing.T) {
	r := newRig(t)
	r.log.Begin("e", 0)
	r.publish(1, 10)
	got, upTo := r.after(t, "shop", 4, 2)
	if diff := cmp.Diff([]coord.Seq{5, 7}, got); diff != "" || upTo != 8 && upTo != 7 {
		t.Errorf("up to %d: %s", upTo, diff)
	}
	got, upTo = r.after(t, "shop", upTo, 10)
	if diff := cmp.Diff([]coord.Seq{9}, got); diff != "" || upTo != 10 {
		t.Errorf("up to %d: %s", upTo, diff)
	}
	if r.store.asked != 0 {
		t.Errorf("the store was asked %d times", r.store.asked)
	}
	if len(r.next.got) != 10 {
		t.Errorf("%d of 10 events were passed on", len(r.next.got))
	}
}

func TestAReaderThatIsBehindIsServedFromTheStore(t *testing.T) {
	r := newRig(t)
	r.log.Begin("e", 0)
	r.publish(1, 5000)
	var got []coord.Seq
	for at := coord.Seq(0); at < 5000; {
		page, upTo := r.after(t, "", at, 200)
		if upTo <= at {
			t.Fatalf("no progress behind %d", at)
		}
		got, at = append(got, page...), upTo
	}
	for i, seq := range got {
		if seq != coord.Seq(i+1) {
			t.Fatalf("event %d of the replay is %d", i, seq)
		}
	}
	if len(got) != 5000 || r.store.asked == 0 {
		t.Errorf("%d events, the store asked %d times", len(got), r.store.asked)
	}
}

// What a hub finds in its database at start is no hole for a reader.
func TestALogThatBeginsInTheMiddleAsksTheStoreForWhatWasBefore(t *testing.T) {
	r := newRig(t)
	r.publish(1, 3)
	second, err := stream.New(stream.Options{Next: r.next, Store: r.store})
	if err != nil {
		t.Fatal(err)
	}
	second.Begin("e", 3)
	r.log = second
	r.publish(4, 5)
	if got, _ := r.after(t, "", 1, 10); cmp.Diff([]coord.Seq{2, 3, 4, 5}, got) != "" {
		t.Errorf("after 1 come %v", got)
	}
	if got, _ := r.after(t, "", 3, 10); cmp.Diff([]coord.Seq{4, 5}, got) != "" {
		t.Errorf("after 3 come %v", got)
	}
}

func TestAListenerIsWokenAndNeverWaitedFor(t *testing.T) {
	r := newRig(t)
	bell, stop := r.log.Listen()
	deaf, _ := r.log.Listen()
	r.publish(1, 3)
	select {
	case <-bell:
	case <-time.After(20 * time.Second):
		t.Fatal("no signal after three events")
	}
	stop()
	r.publish(4, 4)
	select {
	case <-bell:
		t.Error("a listener that has stopped is signalled")
	default:
	}
	if len(deaf) != 1 {
		t.Errorf("%d signals wait for one that never listens, want 1", len(deaf))
	}
}
