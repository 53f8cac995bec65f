package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

const day = 24 * time.Hour

func sweep(t testing.TB, s *sqlite.Store) {
	t.Helper()
	if err := s.Sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

// column reads one column of all rows, as text and sorted.
func column(t testing.TB, db *sql.DB, name, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), fmt.Sprintf("SELECT %s FROM %s ORDER BY 1", name, table))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryTableHasARetentionPolicy(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	swept, kept := sqlite.Retention()
	planned := append(slices.Clone(swept), kept...)
	slices.Sort(planned)
	equal(t, "tables", planned, column(t, rawSQL(t, file), "name", "sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
	sweep(t, s)
}

// Of each table that ages alone: one row that is just old enough to go and one
// that is not.
func TestSweepDeletesWhatIsTooOld(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	db := rawSQL(t, file)
	c := &hub.Changes{}
	replies := []*hub.Changes{c}
	for i, age := range []time.Duration{10*time.Minute + time.Millisecond, 10 * time.Minute} {
		replies = append(replies, &hub.Changes{Reply: &hub.Reply{Key: hub.ReplyKey{Agent: "ag-1", Key: []string{"old", "new"}[i]}, Time: now.Add(-age)}})
	}
	for n, age := range map[int64]time.Duration{1: 7*day + time.Millisecond, 2: 7 * day} {
		at := now.Add(-age)
		e, l := event(coord.Seq(n), shop), lease(n)
		e.Time, l.Ended = at, at
		q := wait(n)
		q.Ended = at
		c.Waits = append(c.Waits, q)
		c.Events, c.Leases, c.Edits = append(c.Events, e), append(c.Leases, l), append(c.Edits, edit(fmt.Sprintf("file-%d", n), at))
	}
	for n, age := range map[int64]time.Duration{1: 30*day + time.Millisecond, 2: 30 * day} {
		at := now.Add(-age)
		a, th, m := announcement(n), thread(n), message(n, n)
		a.State, a.Ended = coord.Closed, at
		th.Status, th.Ended, th.Respondents = coord.ThreadResolved, at, nil
		m.Thread, m.Time = th.ID, at
		g := agent(coord.AgentID(fmt.Sprintf("ag-%d", n)))
		g.Status, g.LastSeen = coord.Offline, at
		c.Announcements, c.Threads, c.Messages, c.Agents = append(c.Announcements, a), append(c.Threads, th), append(c.Messages, m), append(c.Agents, g)
		c.Credentials = append(c.Credentials, hub.Credential{Hash: [32]byte{byte(n)}, Agent: g.ID})
		md := module(coord.ModuleID(fmt.Sprintf("m-%d", n)))
		md.Project, md.Updated = blog, at // of which no agent is known
		c.Modules = append(c.Modules, md)
	}
	for i, age := range []time.Duration{90*day + time.Millisecond, 90 * day} {
		c.Tokens = append(c.Tokens, coord.TokenUse{Agent: "ag-1", Project: shop, Tokens: coord.Tokens{Model: []string{"old", "new"}[i]}, Time: now.Add(-age)})
	}
	store(t, s, replies...)

	sweep(t, s)
	for _, want := range []struct{ table, column, left string }{
		{"replies", "key", "new"}, {"events", "seq", "2"}, {"edits", "path", "file-2"}, {"leases", "id", "L-2"}, {"waits", "id", "W-2"},
		{"announcements", "id", "A-2"}, {"threads", "id", "T-2"}, {"messages", "id", "M-2"}, {"agents", "id", "ag-2"}, {"credentials", "agent", "ag-2"},
		{"modules", "id", "m-2"}, {"tokens", "model", "new"}, {"parties", "thread", "T-2"},
	} {
		equal(t, want.table, column(t, db, want.column, want.table), []string{want.left})
	}
}

func TestHowLongIsKeptIsAChoice(t *testing.T) {
	file := temp(t)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: file, Keep: sqlite.Keep{Events: day, Threads: 2 * day, Agents: 3 * day, Stats: 4 * day}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := &hub.Changes{}
	for n := range int64(5) { // so many days old
		at := now.Add(-time.Duration(n)*day - time.Millisecond)
		e, th, a := event(coord.Seq(n+1), shop), thread(n+1), agent(coord.AgentID(fmt.Sprintf("ag-%d", n+1)))
		e.Time, a.Status, a.LastSeen = at, coord.Offline, at
		th.Status, th.Ended, th.Respondents = coord.ThreadResolved, at, nil
		c.Events, c.Threads, c.Agents = append(c.Events, e), append(c.Threads, th), append(c.Agents, a)
		c.Tokens = append(c.Tokens, coord.TokenUse{Agent: a.ID, Project: shop, Tokens: coord.Tokens{Model: fmt.Sprintf("m-%d", n+1)}, Time: at})
	}
	store(t, s, c)

	sweep(t, s)
	left := map[string]int{}
	for table, name := range map[string]string{"events": "seq", "threads": "id", "agents": "id", "tokens": "model"} {
		left[table] = len(column(t, rawSQL(t, file), name, table))
	}
	equal(t, "rows left", left, map[string]int{"events": 1, "threads": 2, "agents": 3, "tokens": 4})
	_, err = sqlite.Open(t.Context(), sqlite.Options{Path: temp(t), Keep: sqlite.Keep{Stats: -1}})
	wantCode(t, err, coord.Invalid)
}

func TestSweepKeepsWhatIsAlive(t *testing.T) {
	s := open(t, temp(t))
	a, old := agent("ag-1"), now.Add(-400*day)
	a.LastSeen = old
	in := &hub.Changes{Agents: []*coord.Agent{a}, Announcements: []*coord.Announcement{announcement(1)}, Threads: []*coord.Thread{thread(1), thread(2)},
		Leases: []*coord.Lease{lease(1)}, Messages: []coord.Message{message(1, 1)}, Credentials: []hub.Credential{{Agent: "ag-1"}},
		FoldCase: []coord.ProjectID{shop}, Modules: []*coord.Module{module("auth")}, Counters: hub.Counters{Seq: 7}}
	in.Announcements[0].Created, in.Threads[0].Created, in.Leases[0].Taken, in.Messages[0].Time = old, old, old, old
	in.Modules[0].Updated = old
	store(t, s, in)
	before := load(t, s)

	sweep(t, s)
	equal(t, "snapshot", load(t, s), before)
	messages, _, err := s.Messages(t.Context(), shop, "T-1", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "messages", messages, in.Messages)
}

func TestSweepKeepsUnreadNewsAndTheHeadOfEachInbox(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	reader, idle := agent("ag-1"), agent("ag-2")
	reader.Seen, idle.Seen = 2, 9
	c := &hub.Changes{Agents: []*coord.Agent{reader, idle}}
	for seq := coord.Seq(1); seq <= 7; seq++ {
		e := event(seq, shop)
		e.Time = now.Add(-8 * day)
		c.Events = append(c.Events, e)
	}
	c.Inbox = []hub.InboxEntry{
		{Agent: "ag-1", Seq: 1}, {Agent: "ag-1", Seq: 2, Prev: 1}, {Agent: "ag-1", Seq: 4, Prev: 2}, {Agent: "ag-1", Seq: 7, Prev: 4}, // from 4 on unread
		{Agent: "ag-2", Seq: 3}, {Agent: "ag-2", Seq: 5, Prev: 3}, // all read; 5 is the head
		{Agent: "ag-gone", Seq: 6},
	}
	store(t, s, c)
	heads := load(t, s).Heads

	sweep(t, s)
	equal(t, "events", seqs(t, s, ""), []coord.Seq{4, 5, 7})
	equal(t, "inbox rows", column(t, rawSQL(t, file), "agent || ' ' || seq", "inbox"), []string{"ag-1 4", "ag-1 7", "ag-2 5"})
	equal(t, "heads", load(t, s).Heads, heads)
	got, remaining, err := s.Inbox(t.Context(), "ag-1", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "inbox", got, []coord.Delivery{{Event: c.Events[3], Prev: 2}, {Event: c.Events[6], Prev: 4}})
	equal(t, "remaining", remaining, 0)
}

func TestSweepTakesManyRowsInSteps(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	c := &hub.Changes{}
	for range 1201 {
		c.Edits = append(c.Edits, edit("a.ts", now.Add(-8*day)))
	}
	store(t, s, c)
	db := rawSQL(t, file)
	mustExec(t, db, `CREATE TABLE steps (n INTEGER)`)
	mustExec(t, db, `CREATE TRIGGER count AFTER DELETE ON edits BEGIN INSERT INTO steps VALUES (1); END`)
	mustExec(t, db, `CREATE TRIGGER refuse BEFORE DELETE ON edits WHEN (SELECT count(*) FROM steps) = 500
		BEGIN SELECT RAISE (ABORT, 'more than 500 rows in one statement'); END`)

	if err := s.Sweep(t.Context(), now); err == nil || !strings.Contains(err.Error(), "more than 500") {
		t.Errorf("the second step reported %v", err)
	}
	equal(t, "rows after one step", column(t, db, "count(*)", "edits"), []string{"701"})
	mustExec(t, db, `DROP TRIGGER refuse`)
	sweep(t, s)
	equal(t, "rows in the end", column(t, db, "count(*)", "edits"), []string{"0"})
}

func TestSweepNeverRunsInsideABatch(t *testing.T) {
	s := open(t, temp(t))
	old := event(1, shop)
	old.Time = now.Add(-8 * day)
	store(t, s, &hub.Changes{Events: []coord.Event{old}})
	b := begin(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := s.Sweep(ctx, now)
	wantCode(t, err, coord.Unavailable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("sweep did not wait for the batch: %v", err)
	}

	swept := make(chan error)
	go func() { swept <- s.Sweep(context.Background(), now) }()
	b.Rollback() // must not take the sweep back
	if err := <-swept; err != nil {
		t.Fatal(err)
	}
	equal(t, "events", seqs(t, s, ""), []coord.Seq{})
}

func TestSweepAndBatchesTakeTurns(t *testing.T) {
	s := open(t, temp(t))
	stop, swept := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				swept <- nil
				return
			default:
				if err := s.Sweep(context.Background(), now.Add(100*day)); err != nil {
					swept <- err
					return
				}
			}
		}
	}()
	for n := int64(1); n <= 100; n++ {
		store(t, s, announce(n))
	}
	close(stop)
	if err := <-swept; err != nil {
		t.Fatal(err)
	}
	equal(t, "counters", load(t, s).Counters, announce(100).Counters)
}

func TestQueriesUseIndexes(t *testing.T) {
	file := temp(t)
	open(t, file)
	db := rawSQL(t, file)
	for _, text := range sqlite.HotQueries() {
		args := make([]any, strings.Count(text, "?"))
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN ") && !strings.HasPrefix(detail, "SCAN agents") && !strings.HasPrefix(detail, "SCAN (") || strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%s:\n%s", text, detail)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
