package sqlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func seqs(t testing.TB, s *sqlite.Store, project coord.ProjectID) []coord.Seq {
	t.Helper()
	events, err := s.Events(t.Context(), project, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	out := []coord.Seq{}
	for _, e := range events {
		out = append(out, e.Seq)
	}
	return out
}

func TestInboxPagesInOrder(t *testing.T) {
	s := open(t, temp(t))
	c := &hub.Changes{}
	for seq := coord.Seq(1); seq <= 9; seq++ {
		c.Events = append(c.Events, event(seq, shop))
	}
	c.Inbox = []hub.InboxEntry{{Agent: "ag-1", Seq: 2}, {Agent: "ag-2", Seq: 3}, {Agent: "ag-1", Seq: 5, Prev: 2}, {Agent: "ag-1", Seq: 9, Prev: 5}}
	store(t, s, c)

	second, fifth, ninth := coord.Delivery{Event: event(2, shop)}, coord.Delivery{Event: event(5, shop), Prev: 2}, coord.Delivery{Event: event(9, shop), Prev: 5}
	for _, test := range []struct {
		name      string
		after     coord.Seq
		limit     int
		want      []coord.Delivery
		remaining int
	}{
		{"all", 0, 10, []coord.Delivery{second, fifth, ninth}, 0},
		{"exactly all", 0, 3, []coord.Delivery{second, fifth, ninth}, 0},
		{"a page", 0, 1, []coord.Delivery{second}, 2},
		{"from the middle", 2, 1, []coord.Delivery{fifth}, 1},
		{"after the end", 9, 5, []coord.Delivery{}, 0},
		{"only the number", 2, 0, []coord.Delivery{}, 2},
		{"a negative limit is none", 2, -1, []coord.Delivery{}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, remaining, err := s.Inbox(t.Context(), "ag-1", test.after, test.limit)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "deliveries", got, test.want)
			equal(t, "remaining", remaining, test.remaining)
		})
	}
}

func TestEventComesBackWhole(t *testing.T) {
	s := open(t, temp(t))
	full := event(1, shop)
	bare := coord.Event{Seq: 2, Kind: coord.KindBroadcast, Project: shop, Time: now, Priority: coord.Low}
	large := event(3, shop)
	large.Payload = json.RawMessage(`{"n":9007199254740993,"t":"` + strings.Repeat("ö", 4000) + `"}`)
	store(t, s, &hub.Changes{Events: []coord.Event{full, bare, large}})
	got, err := s.Events(t.Context(), shop, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "events", got, []coord.Event{full, bare, large})
}

func TestEventsPageAndKeepProjectsApart(t *testing.T) {
	s := open(t, temp(t))
	store(t, s, &hub.Changes{Events: []coord.Event{event(1, shop), event(2, blog), event(3, shop), event(4, blog)}})
	equal(t, "events of the shop", seqs(t, s, shop), []coord.Seq{1, 3})
	equal(t, "events of the blog", seqs(t, s, blog), []coord.Seq{2, 4})
	equal(t, "events of all", seqs(t, s, ""), []coord.Seq{1, 2, 3, 4})
	page, err := s.Events(t.Context(), "", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "page", page, []coord.Event{event(2, blog), event(3, shop)})
}

func TestMessagesPageAndSkipUnreadable(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	other := message(9, 9)
	other.Thread = "T-2"
	store(t, s, &hub.Changes{Threads: []*coord.Thread{thread(1), thread(2)},
		Messages: []coord.Message{message(1, 1), message(2, 4), message(3, 6), message(4, 8), other}})
	mustExec(t, rawSQL(t, file), `UPDATE messages SET body = 'x' WHERE id = 'M-2'`)

	got, remaining, err := s.Messages(t.Context(), shop, "T-1", 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "messages", got, []coord.Message{message(1, 1), message(3, 6)})
	equal(t, "remaining", remaining, 1)
	got, remaining, err = s.Messages(t.Context(), shop, "T-1", 6, 3)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "rest", got, []coord.Message{message(4, 8)})
	equal(t, "remaining", remaining, 0)
}

func TestMessageOfAnUnknownThreadIsRefused(t *testing.T) {
	s := open(t, temp(t))
	b := begin(t, s)
	if err := b.Apply(&hub.Changes{Messages: []coord.Message{message(1, 1)}}); err == nil {
		t.Error("a message without its thread was stored")
	}
}

func TestThreadIsFoundInItsProjectOnly(t *testing.T) {
	s := open(t, temp(t))
	ended := thread(1)
	ended.Status, ended.Ended = coord.ThreadExpired, now
	elsewhere := thread(1)
	elsewhere.Project, elsewhere.Subject = blog, "another"
	store(t, s, &hub.Changes{Threads: []*coord.Thread{ended, elsewhere, thread(2)}, Messages: []coord.Message{message(1, 1)}})

	for _, want := range []*coord.Thread{ended, elsewhere} {
		got, err := s.Thread(t.Context(), want.Project, "T-1")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "thread", got, want)
	}
	_, err := s.Thread(t.Context(), blog, "T-2")
	wantCode(t, err, coord.NotFound)
	got, _, err := s.Messages(t.Context(), blog, "T-1", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "messages of the other project", got, []coord.Message{})
}

func TestReadersAndTheWriterDoNotDisturbEachOther(t *testing.T) {
	s := open(t, temp(t))
	const last = 60
	read := make(chan error)
	for range 8 {
		go func() { read <- followInbox(t.Context(), s, coord.Seq(2*last-1)) }()
	}
	for n := int64(1); n <= last; n++ {
		store(t, s, announce(n))
	}
	for range 8 {
		if err := <-read; err != nil {
			t.Error(err)
		}
	}
}

// followInbox reads an inbox up to an event and checks its chain.
func followInbox(ctx context.Context, s *sqlite.Store, last coord.Seq) error {
	for at := coord.Seq(0); at < last; {
		page, _, err := s.Inbox(ctx, "ag-2", at, 7)
		if err != nil {
			return err
		}
		for _, d := range page {
			if d.Prev != at {
				return fmt.Errorf("event %d follows %d, but its prev is %d", d.Seq, at, d.Prev)
			}
			at = d.Seq
		}
	}
	return nil
}
