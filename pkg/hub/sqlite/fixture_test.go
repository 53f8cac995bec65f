package sqlite_test

import (
	"encoding/json"
	"fmt"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

const shop, blog = coord.ProjectID("github.com/acme/shop"), coord.ProjectID("github.com/acme/blog")

const here = coord.WorkspaceID("host-1:/home/ann/shop")

func path(s string) coord.Path {
	p, err := coord.ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

func agent(id coord.AgentID) *coord.Agent {
	return &coord.Agent{ID: id, Name: "amber-" + string(id), Project: shop, Workspace: here, Branch: "main", Member: "ann",
		Host: "host-1", Client: coord.ClientInfo{Name: "claude-code", Version: "2.1.328"}, Parent: coord.Process{PID: 4711, Start: 99},
		Session: "s-1", Label: "amber", Modules: []string{"auth", "billing"}, Status: coord.Online, Registered: now - 5000, LastSeen: now,
		Seen: 0}
}

func announcement(n int64) *coord.Announcement {
	return &coord.Announcement{ID: coord.Number[coord.AnnouncementID]("A", n), Project: shop, Agent: "ag-1", Workspace: here,
		Thread: coord.Number[coord.ThreadID]("T", n), Subject: "Add <email> & \"verification\" — größer", Plan: "first\nthen",
		Targets: []coord.Target{
			{Kind: coord.FileTarget, Path: path("src/models/user.ts"), Order: coord.Seq(n)},
			{Kind: coord.GlobTarget, Path: path("src/**/*.sql"), Expanded: []coord.Path{path("src/a.sql")}, Order: coord.Seq(n)},
		},
		DependsOn: []coord.Path{path("src/db.ts")}, Modules: []string{"auth"}, State: coord.Active, Created: now}
}

func thread(n int64) *coord.Thread {
	return &coord.Thread{ID: coord.Number[coord.ThreadID]("T", n), Project: shop, Announcement: coord.Number[coord.AnnouncementID]("A", n),
		Subject: "user.ts", Initiator: "ag-1", Respondents: []coord.AgentID{"ag-2"}, Paths: []coord.Path{path("src/models/user.ts")},
		Category: coord.Concerned, Score: 100, Layer: coord.LayerSameFile, Status: coord.ThreadResolving, Round: 2, Deadline: now + 600_000,
		Proposals: []coord.Proposal{{Number: 1, By: "ag-1", Summary: "I go first", Order: []coord.AgentID{"ag-1", "ag-2"},
			Approved: []coord.AgentID{"ag-1"}, Time: now}}, Created: now}
}

func lease(n int64) *coord.Lease {
	return &coord.Lease{ID: coord.Number[coord.LeaseID]("L", n), Project: shop, Workspace: here, Path: path("src/ä.ts"), Agent: "ag-1",
		Taken: now, Touched: now + 5}
}

func wait(n int64) *coord.Wait {
	return &coord.Wait{ID: coord.Number[coord.WaitID]("W", n), Project: shop, Workspace: here, Path: path("src/ä.ts"), Agent: "ag-2", For: "ag-1",
		Order: coord.Seq(n), Since: now}
}

func module(id coord.ModuleID) *coord.Module {
	return &coord.Module{Project: shop, ID: id, DependsOn: []coord.ModuleID{"core"}, Exports: []string{"Session"}, Owners: []string{"ann"}, Updated: now}
}

func message(n, seq int64) coord.Message {
	return coord.Message{ID: coord.Number[coord.MessageID]("M", n), Seq: coord.Seq(seq), Project: shop, Thread: "T-1", Author: "ag-1",
		Name: "amber", Type: coord.ContextMessage, Content: fmt.Sprintf("words %d\nmore", n), Time: now}
}

func edit(name string, at coord.Millis) coord.Edit {
	return coord.Edit{Project: shop, Workspace: here, Path: path(name), Agent: "ag-1", Time: at, Summary: "changed"}
}

func event(seq coord.Seq, project coord.ProjectID) coord.Event {
	return coord.Event{Seq: seq, Kind: coord.KindThreadOpened, Project: project, Actor: "ag-1", Thread: "T-1", Time: now,
		Priority: coord.High, Payload: json.RawMessage(fmt.Sprintf(`{"subject":"number %d"}`, seq))}
}

// announce is what a request of the usual kind changes: an announcement that
// opens a thread with three others.
func announce(n int64) *hub.Changes {
	first, second := coord.Seq(2*n-1), coord.Seq(2*n)
	c := &hub.Changes{
		Announcements: []*coord.Announcement{announcement(n)},
		Threads:       []*coord.Thread{thread(n)},
		Events:        []coord.Event{event(first, shop), event(second, shop)},
		Reply: &hub.Reply{Key: hub.ReplyKey{Agent: "ag-1", Key: fmt.Sprintf("nonce-%d", n)}, Op: "announce_work",
			Result: json.RawMessage(`{"status":"open"}`), Time: now},
		Counters: hub.Counters{Seq: 2 * n, Announcement: n, Thread: n},
	}
	for _, a := range []coord.AgentID{"ag-2", "ag-3", "ag-4"} {
		c.Inbox = append(c.Inbox, hub.InboxEntry{Agent: a, Seq: first, Prev: max(first-2, 0)})
	}
	return c
}
