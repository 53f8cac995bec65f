package sqlite_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func TestLoadGivesBackWhatWasStored(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	gone := agent("ag-2")
	gone.Status = coord.Offline
	in := &hub.Changes{
		Agents:        []*coord.Agent{agent("ag-1"), gone},
		Credentials:   []hub.Credential{{Hash: [32]byte{1, 2, 31: 9}, Agent: "ag-1", Created: now}},
		Announcements: []*coord.Announcement{announcement(1)},
		Threads:       []*coord.Thread{thread(1)},
		Leases:        []*coord.Lease{lease(1)},
		Waits:         []*coord.Wait{wait(1)},
		Messages:      []coord.Message{message(1, 1)},
		Edits:         []coord.Edit{edit("src/b.ts", now-1), edit("src/a.ts", now-2)},
		Events:        []coord.Event{event(1, shop), event(2, shop)},
		Inbox:         []hub.InboxEntry{{Agent: "ag-1", Seq: 1}, {Agent: "ag-1", Seq: 2, Prev: 1}},
		Receipts:      []coord.Receipt{{Agent: "ag-1", Seq: 2, State: coord.DeliveryOffered, Rung: coord.RungHook, At: now, Offers: 2}},
		FoldCase:      []coord.ProjectID{shop, blog},
		Modules:       []*coord.Module{module("auth"), module("api")},
		Tokens: []coord.TokenUse{{Agent: "ag-1", Project: shop, Tokens: coord.Tokens{Model: "opus", Turn: 1, Input: 1, Output: 2, CacheRead: 3, CacheCreation: 4, Thinking: 5}, Time: now - 1},
			{Agent: "ag-1", Project: shop, Tokens: coord.Tokens{Model: "opus", Turn: 2, Input: 10, Output: 20, CacheRead: 30, CacheCreation: 40, Thinking: 50}, Time: now}},
		Counters: hub.Counters{Seq: 2, Announcement: 1, Thread: 1, Message: 1, Lease: 1, Wait: 1},
	}
	store(t, s, in)
	epoch := load(t, s).Epoch
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	got := load(t, open(t, file))
	equal(t, "snapshot", got, &hub.Snapshot{
		Epoch:         epoch,
		Counters:      in.Counters,
		Agents:        in.Agents,
		Heads:         map[coord.AgentID]coord.Seq{"ag-1": 2},
		Credentials:   in.Credentials,
		Announcements: in.Announcements,
		Threads:       in.Threads,
		Leases:        in.Leases,
		Waits:         in.Waits,
		Edits:         []coord.Edit{in.Edits[1], in.Edits[0]},
		FoldCase:      []coord.ProjectID{blog, shop},
		Modules:       []*coord.Module{in.Modules[1], in.Modules[0]},
		Tokens:        []coord.TokenTotal{coord.TokenTotal{}.Add(in.Tokens[0]).Add(in.Tokens[1])},
		Mail: []hub.Letter{
			{Event: in.Events[0], Receipt: coord.Receipt{Agent: "ag-1", Seq: 1, State: coord.DeliveryQueued}},
			{Event: in.Events[1], Receipt: in.Receipts[0]},
		},
	})
}

func TestModulesAreChangedAndDropped(t *testing.T) {
	s := open(t, temp(t))
	other := module("auth")
	other.Project = blog
	store(t, s, &hub.Changes{Modules: []*coord.Module{module("api"), module("auth"), other}})
	changed := module("auth")
	changed.Exports = []string{"Login"}
	store(t, s, &hub.Changes{Modules: []*coord.Module{changed}})
	equal(t, "after a change", load(t, s).Modules, []*coord.Module{other, module("api"), changed})

	store(t, s, &hub.Changes{DropModules: []coord.ProjectID{shop}, Modules: []*coord.Module{module("web")}})
	equal(t, "after a replacement", load(t, s).Modules, []*coord.Module{other, module("web")})
}

func TestLoadLeavesOutWhatHasEnded(t *testing.T) {
	s := open(t, temp(t))
	closed, resolved, over, served := announcement(1), thread(1), lease(1), wait(1)
	store(t, s, &hub.Changes{Announcements: []*coord.Announcement{closed, announcement(2)}, Threads: []*coord.Thread{resolved, thread(2)},
		Leases: []*coord.Lease{over, lease(2)}, Waits: []*coord.Wait{served, wait(2)}, Edits: []coord.Edit{edit("old.ts", now-25*3600_000), edit("new.ts", now-23*3600_000)}})
	closed.State, closed.Ended = coord.Closed, now
	resolved.Status, resolved.Ended = coord.ThreadResolved, now-25*3600_000
	over.Ended, served.Ended = now, now
	store(t, s, &hub.Changes{Announcements: []*coord.Announcement{closed}, Threads: []*coord.Thread{resolved}, Leases: []*coord.Lease{over}, Waits: []*coord.Wait{served}})

	got := load(t, s)
	equal(t, "announcements", got.Announcements, []*coord.Announcement{announcement(2)})
	equal(t, "threads", got.Threads, []*coord.Thread{thread(2)})
	equal(t, "leases", got.Leases, []*coord.Lease{lease(2)})
	equal(t, "waits", got.Waits, []*coord.Wait{wait(2)})
	equal(t, "edits", got.Edits, []coord.Edit{edit("new.ts", now-23*3600_000)})
}

func TestLoadGivesTheLastVersionOfANoun(t *testing.T) {
	s := open(t, temp(t))
	a := agent("ag-1")
	store(t, s, &hub.Changes{Agents: []*coord.Agent{a}, Credentials: []hub.Credential{{Agent: "ag-1"}}})
	a.Branch, a.Seen = "feature", 7
	store(t, s, &hub.Changes{Agents: []*coord.Agent{a}})

	got := load(t, s)
	equal(t, "agents", got.Agents, []*coord.Agent{a})
	equal(t, "credentials, which an update must not cascade to", got.Credentials, []hub.Credential{{Agent: "ag-1"}})
}

func TestLoadSkipsUnreadableRows(t *testing.T) {
	file := temp(t)
	log, lines := logger()
	s := openWith(t, sqlite.Options{Path: file, Log: log})
	store(t, s, &hub.Changes{
		Agents:        []*coord.Agent{agent("ag-1"), agent("ag-2"), agent("ag-3")},
		Credentials:   []hub.Credential{{Hash: [32]byte{1}, Agent: "ag-1"}},
		Announcements: []*coord.Announcement{announcement(1), announcement(2)},
		Threads:       []*coord.Thread{thread(1), thread(2)},
		Leases:        []*coord.Lease{lease(1), lease(2)},
		Edits:         []coord.Edit{edit("a.ts", now-2), edit("b.ts", now-1)},
	})
	db := rawSQL(t, file)
	mustExec(t, db, `UPDATE agents SET body = '{"id":' WHERE id = 'ag-1'`)
	mustExec(t, db, `UPDATE agents SET body = '{}' WHERE id = 'ag-2'`) // JSON, but no longer ag-2
	mustExec(t, db, `INSERT INTO credentials VALUES (x'0102', 'ag-1', 0)`)
	mustExec(t, db, `UPDATE announcements SET body = '[]' WHERE id = 'A-1'`)
	mustExec(t, db, `UPDATE threads SET body = '' WHERE id = 'T-1'`)
	mustExec(t, db, `UPDATE leases SET body = '{"path":"/etc/passwd"}' WHERE id = 'L-1'`)
	mustExec(t, db, `UPDATE edits SET path = '../x' WHERE path = 'a.ts'`)

	got := load(t, s)
	equal(t, "agents", got.Agents, []*coord.Agent{agent("ag-3")})
	equal(t, "credentials", got.Credentials, []hub.Credential{{Hash: [32]byte{1}, Agent: "ag-1"}})
	equal(t, "announcements", got.Announcements, []*coord.Announcement{announcement(2)})
	equal(t, "threads", got.Threads, []*coord.Thread{thread(2)})
	equal(t, "leases", got.Leases, []*coord.Lease{lease(2)})
	equal(t, "edits", got.Edits, []coord.Edit{edit("b.ts", now-1)})
	if n := strings.Count(lines.String(), "cannot be read"); n != 7 {
		t.Errorf("%d skipped rows are logged, want 7:\n%s", n, lines)
	}
}

func TestEpochIsMadeOnceAndDiffersBetweenDatabases(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	first := load(t, s).Epoch
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if again := load(t, open(t, file)).Epoch; again != first || first == "" {
		t.Errorf("epoch %q became %q", first, again)
	}
	if other := load(t, open(t, temp(t))).Epoch; other == first {
		t.Errorf("two databases share the epoch %q", first)
	}
}
