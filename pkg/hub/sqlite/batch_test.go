package sqlite_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

func TestFailedApplyLeavesTheOthers(t *testing.T) {
	s := open(t, temp(t))
	b := begin(t, s)
	if err := b.Apply(announce(1)); err != nil {
		t.Fatal(err)
	}
	bad := announce(2)
	bad.Inbox = append(bad.Inbox, hub.InboxEntry{Agent: "ag-9", Seq: 999}) // of no event
	if err := b.Apply(bad); err == nil {
		t.Fatal("an inbox entry without an event was taken")
	}
	if err := b.Apply(announce(3)); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}

	got := load(t, s)
	equal(t, "announcements", got.Announcements, []*coord.Announcement{announcement(1), announcement(3)})
	equal(t, "threads", got.Threads, []*coord.Thread{thread(1), thread(3)})
	equal(t, "counters", got.Counters, announce(3).Counters)
	equal(t, "events", seqs(t, s, ""), []coord.Seq{1, 2, 5, 6})
}

func TestCountersOfAFailedApplyDoNotCount(t *testing.T) {
	s := open(t, temp(t))
	b := begin(t, s)
	if err := b.Apply(announce(1)); err != nil {
		t.Fatal(err)
	}
	bad := announce(1) // its events exist
	bad.Counters = hub.Counters{Seq: 77, Announcement: 77, Thread: 77, Message: 77, Lease: 77}
	if err := b.Apply(bad); err == nil {
		t.Fatal("an event was stored twice")
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	equal(t, "counters", load(t, s).Counters, announce(1).Counters)
}

func TestCountersSurviveABatchWithoutChanges(t *testing.T) {
	s := open(t, temp(t))
	want := hub.Counters{Seq: 1, Announcement: 2, Thread: 3, Message: 4, Lease: 5}
	store(t, s, &hub.Changes{Counters: want})
	store(t, s)
	equal(t, "counters", load(t, s).Counters, want)
}

func TestRollbackLeavesNothing(t *testing.T) {
	s := open(t, temp(t))
	before := load(t, s)
	b := begin(t, s)
	if err := b.Apply(announce(1)); err != nil {
		t.Fatal(err)
	}
	b.Rollback()
	b.Rollback()

	equal(t, "snapshot", load(t, s), before)
	equal(t, "events", seqs(t, s, ""), []coord.Seq{})
	store(t, s, announce(1)) // the next batch is not in the way of it
	equal(t, "events", seqs(t, s, ""), []coord.Seq{1, 2})
}

func TestFinishedBatchRefusesWork(t *testing.T) {
	s := open(t, temp(t))
	b := begin(t, s)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	b.Rollback() // does nothing
	wantCode(t, b.Apply(announce(1)), coord.Internal)
	wantCode(t, b.Commit(), coord.Internal)
	equal(t, "events", seqs(t, s, ""), []coord.Seq{})
}

func TestReadersSeeOnlyWhatIsCommitted(t *testing.T) {
	s := open(t, temp(t))
	b := begin(t, s)
	if err := b.Apply(announce(1)); err != nil {
		t.Fatal(err)
	}
	equal(t, "events before the commit", seqs(t, s, ""), []coord.Seq{})
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	equal(t, "events after it", seqs(t, s, ""), []coord.Seq{1, 2})
}

func TestReplyIsFoundInItsBatchAndLater(t *testing.T) {
	s := open(t, temp(t))
	good := hub.Reply{Key: hub.ReplyKey{Agent: "ag-1", Key: "n-1"}, Op: "announce_work", Result: json.RawMessage(`{"a":1}`), Time: now}
	bad := hub.Reply{Key: hub.ReplyKey{Agent: "ag-2", Key: "n-1"}, Op: "post_to_thread", Code: coord.NotFound, Error: "no thread", Time: now}
	b := begin(t, s)
	for _, r := range []hub.Reply{good, bad} {
		if err := b.Apply(&hub.Changes{Reply: &r}); err != nil {
			t.Fatal(err)
		}
		equal(t, "reply in the batch", reply(t, b, r.Key), r)
	}
	if err := b.Apply(&hub.Changes{Events: []coord.Event{event(1, shop)}, Reply: &good}); err == nil {
		t.Error("one key got two replies")
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	equal(t, "events", seqs(t, s, ""), []coord.Seq{})

	b = begin(t, s)
	equal(t, "reply of an earlier batch", reply(t, b, good.Key), good)
	if _, found, err := b.Reply(hub.ReplyKey{Agent: "ag-3", Key: "n-1"}); found || err != nil {
		t.Errorf("another agent's key: found %t, error %v", found, err)
	}
}

func TestBeginWaitsForTheOpenBatchAsLongAsItsContext(t *testing.T) {
	s := open(t, temp(t))
	b := begin(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Begin(ctx)
	wantCode(t, err, coord.Unavailable)

	next := make(chan error)
	go func() {
		b, err := s.Begin(context.Background())
		if err == nil {
			err = b.Commit()
		}
		next <- err
	}()
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-next; err != nil {
		t.Error(err)
	}
}

func reply(t *testing.T, b hub.Batch, key hub.ReplyKey) hub.Reply {
	t.Helper()
	r, found, err := b.Reply(key)
	if err != nil || !found {
		t.Fatalf("reply to %v: found %t, error %v", key, found, err)
	}
	return r
}
