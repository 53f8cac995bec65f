package feed_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/shim/feed"
)

// deaf is a doorbell that never connects: what comes, comes from the log.
func deaf(context.Context) (net.Conn, error) { return nil, errors.New("no doorbell") }

// inBubble runs a feed without a doorbell under a fake clock.
func inBubble(t *testing.T, run func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l, q := &eventLog{epoch: epoch}, inbox.New(inbox.Limit)
		run(t, l, q, start(t, feed.Options{Queue: q, Sync: l.sync, Dial: deaf}))
	})
}

func TestBacklogIsReadFromTheAcknowledgedPosition(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		for _, s := range []coord.Seq{3, 7, 8, 20} {
			l.add(s)
		}
		f.Attach(t.Context(), session(7))
		wantNext(t, q, 8, 20)
	})
}

func TestNothingIsAskedBeforeASessionIsThere(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, _ *inbox.Queue, _ *feed.Feed) {
		time.Sleep(time.Minute)
		if len(l.asked) != 0 {
			t.Errorf("%d questions without a session", len(l.asked))
		}
	})
}

func TestABacklogLongerThanAPageComesWhole(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		for s := coord.Seq(1); s <= 730; s++ {
			l.add(s)
		}
		f.Attach(t.Context(), session(0))
		for i, d := range next(t, q, 730) {
			if d.Seq != coord.Seq(i+1) {
				t.Fatalf("event %d is %d", i+1, d.Seq)
			}
		}
	})
}

func TestALostLastMessageIsNoticedByTheBeat(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		f.Attach(t.Context(), session(0))
		synctest.Wait()
		l.add(1) // and nobody rings
		began := time.Now()
		wantNext(t, q, 1)
		if d := time.Since(began); d > feed.DefaultBeat {
			t.Errorf("noticed after %v, want at most %v", d, feed.DefaultBeat)
		}
	})
}

func TestAnOutageLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		f.Attach(t.Context(), session(0))
		l.change(func() { l.down = true })
		l.add(1)
		time.Sleep(time.Minute)
		wantEmpty(t, q)
		l.change(func() { l.down = false })
		f.Attach(t.Context(), session(0)) // the same session, connected anew
		wantNext(t, q, 1)
	})
}

func TestCatchUpHasTheNewestInTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		f.Attach(t.Context(), session(0))
		synctest.Wait()
		l.add(1)
		if err := f.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if q.Waiting(nil) != 1 {
			t.Fatal("the event is not in the queue")
		}
		l.change(func() { l.down = true })
		if err := f.CatchUp(t.Context()); err == nil {
			t.Error("caught up with a hub that is away")
		}
	})
}

func TestOnlyWhatWasHandedOverIsAcknowledgedAndInOneGo(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		for s := coord.Seq(1); s <= 4; s++ {
			l.add(s)
		}
		f.Attach(t.Context(), session(0))
		synctest.Wait()
		first, second, third := q.Take(1, nil), q.Take(1, nil), q.Take(1, nil)
		first.Confirm()
		time.Sleep(feed.DefaultSettle / 2)
		second.Confirm()
		time.Sleep(feed.DefaultSettle)
		if diff := cmp.Diff([]coord.Seq{2}, l.acknowledged()); diff != "" {
			t.Errorf("acknowledged (-want +got):\n%s", diff)
		}
		third.Return()
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]coord.Seq{2}, l.acknowledged()); diff != "" {
			t.Errorf("acknowledged after a failed hand-over (-want +got):\n%s", diff)
		}
	})
}

func TestARestoredLogStartsAnewWithOneResync(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		for s := coord.Seq(1); s <= 50; s++ {
			l.add(s)
		}
		f.Attach(t.Context(), session(0))
		next(t, q, 10)
		l.change(func() { l.epoch, l.events, l.head, l.seen = "ep-2", nil, 0, 4 })
		l.add(4)
		l.add(5)
		time.Sleep(feed.DefaultBeat)
		got := next(t, q, 2)
		if got[0].Kind != coord.KindResync || got[1].Seq != 5 {
			t.Errorf("got %s %d and %s %d, want a resync and event 5", got[0].Kind, got[0].Seq, got[1].Kind, got[1].Seq)
		}
		wantEmpty(t, q)
	})
}

func TestAnotherAgentStartsAnewWithOneResync(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		l.add(1)
		f.Attach(t.Context(), session(0))
		synctest.Wait()
		other := session(0)
		other.Agent = "ag-2"
		l.change(func() { l.events, l.head = nil, 0 })
		l.add(9)
		f.Attach(t.Context(), other)
		synctest.Wait()
		got := next(t, q, 2)
		if got[0].Kind != coord.KindResync || got[1].Seq != 9 {
			t.Errorf("got %s %d and %s %d, want a resync and event 9", got[0].Kind, got[0].Seq, got[1].Kind, got[1].Seq)
		}
	})
}

func TestEventsThatTheLogHasLostBecomeAMarker(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		for s := coord.Seq(1); s <= 9; s++ {
			l.add(s)
		}
		l.change(func() { l.trimmed = 6 })
		f.Attach(t.Context(), session(2))
		got := next(t, q, 4)
		if got[0].Kind != coord.KindResync || got[0].Seq != 6 || got[1].Seq != 7 {
			t.Errorf("got %s %d then %d, want a resync up to 6, then 7", got[0].Kind, got[0].Seq, got[1].Seq)
		}
	})
}

func TestALogThatIsEmptyBelowItsHeadEndsInAMarker(t *testing.T) {
	inBubble(t, func(t *testing.T, l *eventLog, q *inbox.Queue, f *feed.Feed) {
		l.add(5)
		l.change(func() { l.trimmed = 5 })
		f.Attach(t.Context(), session(0))
		if got := next(t, q, 1); got[0].Kind != coord.KindResync {
			t.Errorf("got %s, want a resync", got[0].Kind)
		}
	})
}
