package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/shim/feed"
	"github.com/coordhq/coord/pkg/tool"
)

const (
	agent = coord.AgentID("ag-1")
	epoch = coord.Epoch("ep-1")
)

// eventLog stands for the hub's log of one agent.
type eventLog struct {
	mu      sync.Mutex // guards what follows
	epoch   coord.Epoch
	head    coord.Seq
	seen    coord.Seq
	trimmed coord.Seq // events up to here are gone
	events  []coord.Delivery
	down    bool
	asked   []tool.SyncIn
	onAsk   func() // called after each question, unlocked; nil = nothing
}

// add appends an event and gives its wire form.
func (l *eventLog) add(seq coord.Seq) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := coord.Delivery{Prev: l.head, Event: coord.Event{Seq: seq, Kind: coord.KindMessagePosted, Project: "p", Payload: json.RawMessage(`{"content":"x"}`)}}
	l.events = append(l.events, d)
	l.head = seq
	return d.Wire(l.epoch)
}

func (l *eventLog) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *eventLog) sync(_ context.Context, in tool.SyncIn) (tool.SyncOut, error) {
	l.mu.Lock()
	defer func() {
		told := l.onAsk
		l.mu.Unlock()
		if told != nil {
			told()
		}
	}()
	l.asked = append(l.asked, in)
	if l.down {
		return tool.SyncOut{}, errors.New("the hub is away")
	}
	out := tool.SyncOut{Epoch: l.epoch, Head: l.head, Seen: l.seen}
	if in.Epoch != l.epoch {
		return out, nil
	}
	l.seen = max(l.seen, in.Seen)
	out.Seen = l.seen
	for _, d := range l.events {
		switch {
		case d.Seq <= in.After || d.Seq <= l.trimmed:
		case len(out.Events) >= in.Limit:
			out.Remaining++
		default:
			out.Events = append(out.Events, d.Wire(l.epoch))
		}
	}
	return out, nil
}

// acknowledged lists the distinct positions that were reported, in order.
func (l *eventLog) acknowledged() []coord.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []coord.Seq
	for _, in := range l.asked {
		if in.Seen > 0 && (len(out) == 0 || out[len(out)-1] != in.Seen) {
			out = append(out, in.Seen)
		}
	}
	return out
}

// start runs a feed until the test ends.
func start(t *testing.T, o feed.Options) *feed.Feed {
	t.Helper()
	f, err := feed.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return f
}

// next takes n events, waiting for them, and confirms each batch.
func next(t *testing.T, q *inbox.Queue, n int) []coord.Delivery {
	t.Helper()
	var got []coord.Delivery
	for len(got) < n {
		if err := q.Wait(t.Context(), nil); err != nil {
			t.Fatalf("after %d of %d events: %v", len(got), n, err)
		}
		b := q.Take(n-len(got), nil)
		b.Confirm()
		got = append(got, b.Events...)
	}
	return got
}

func wantNext(t *testing.T, q *inbox.Queue, want ...coord.Seq) {
	t.Helper()
	var got []coord.Seq
	for _, d := range next(t, q, len(want)) {
		got = append(got, d.Seq)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("events (-want +got):\n%s", diff)
	}
}

func wantEmpty(t *testing.T, q *inbox.Queue) {
	t.Helper()
	if n := q.Waiting(nil); n != 0 {
		t.Fatalf("%d events wait, want none", n)
	}
}

func session(s coord.Seq) feed.Session {
	return feed.Session{Agent: agent, Key: "key", Project: "p", Epoch: epoch, Seen: s}
}
