package sqlite_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// library stores threads T-1 to T-12 in turn open and resolved, every third one
// of run r1, T-5 with ag-9 as a respondent that has been dropped since.
func library(t *testing.T) *sqlite.Store {
	s := open(t, temp(t))
	c := &hub.Changes{}
	for n := int64(1); n <= 12; n++ {
		th := thread(n)
		if n%2 == 0 {
			th.Status, th.Ended = coord.ThreadResolved, now
		}
		if n%3 == 0 {
			th.RunID = "r1"
		}
		c.Threads = append(c.Threads, th)
	}
	other := thread(99)
	other.Project = blog
	c.Threads = append(c.Threads, other)
	joined := *c.Threads[4]
	joined.Respondents = []coord.AgentID{"ag-2", "ag-9"}
	store(t, s, &hub.Changes{Threads: []*coord.Thread{&joined}}, c)
	return s
}

func TestThreadsAreListedTheNewestFirst(t *testing.T) {
	s := library(t)
	for _, tt := range []struct {
		name  string
		f     hub.ThreadFilter
		limit int
		want  []coord.ThreadID
	}{
		{"a page by number, not by letters", hub.ThreadFilter{}, 4, []coord.ThreadID{"T-12", "T-11", "T-10", "T-9"}},
		{"the next one", hub.ThreadFilter{Before: 9}, 2, []coord.ThreadID{"T-8", "T-7"}},
		{"the end", hub.ThreadFilter{Before: 3}, 9, []coord.ThreadID{"T-2", "T-1"}},
		{"by status", hub.ThreadFilter{Status: coord.ThreadResolved}, 2, []coord.ThreadID{"T-12", "T-10"}},
		{"by run", hub.ThreadFilter{RunID: "r1"}, 9, []coord.ThreadID{"T-12", "T-9", "T-6", "T-3"}},
		{"by status and run", hub.ThreadFilter{Status: coord.ThreadResolved, RunID: "r1"}, 9, []coord.ThreadID{"T-12", "T-6"}},
		{"by one who takes part", hub.ThreadFilter{Agent: "ag-2", Before: 3}, 9, []coord.ThreadID{"T-2", "T-1"}},
		{"by one who took part", hub.ThreadFilter{Agent: "ag-9"}, 9, []coord.ThreadID{"T-5"}},
		{"by a stranger", hub.ThreadFilter{Agent: "ag-7"}, 9, []coord.ThreadID{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.f.Project = shop
			threads, err := s.Threads(t.Context(), tt.f, tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			got := []coord.ThreadID{}
			for _, th := range threads {
				got = append(got, th.ID)
			}
			equal(t, "threads", got, tt.want)
		})
	}
}

func TestUpdatesAreOfOnesOwnThreads(t *testing.T) {
	s := library(t)
	c := &hub.Changes{}
	for n, id := range []coord.ThreadID{"T-1", "T-5", "T-2", "T-5"} {
		m := message(int64(n+1), int64(n+1))
		m.Thread = id
		c.Messages = append(c.Messages, m)
	}
	store(t, s, c)
	for _, tt := range []struct {
		name  string
		agent coord.AgentID
		after coord.Seq
		limit int
		want  []coord.Message
	}{
		{"all", "ag-2", 0, 9, c.Messages},
		{"a page", "ag-2", 1, 2, c.Messages[1:3]},
		{"of one thread only", "ag-9", 0, 9, []coord.Message{c.Messages[1], c.Messages[3]}},
		{"none", "ag-7", 0, 9, []coord.Message{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Updates(t.Context(), shop, tt.agent, tt.after, tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "messages", got, tt.want)
		})
	}
}

func TestEditedFilesAreSummedUpByPath(t *testing.T) {
	s := open(t, temp(t))
	stranger, last := edit("b.ts", now), edit("b.ts", now-1)
	stranger.Agent, last.Summary = "ag-2", "the last"
	note := coord.Edit{Project: shop, Workspace: here, Agent: "ag-1", Time: now, Summary: "no file"}
	store(t, s, &hub.Changes{Edits: []coord.Edit{last, edit("b.ts", now-9), edit("a.ts", now-5), edit("c.ts", now-5), stranger, note}})
	a, b := hub.EditedFile{Path: path("a.ts"), Edits: 1, Last: now - 5, Summary: "changed"}, hub.EditedFile{Path: path("b.ts"), Edits: 2, Last: now - 1, Summary: "the last"}
	for _, tt := range []struct {
		name, after string
		want        []hub.EditedFile
	}{
		{"a page", "", []hub.EditedFile{a, b}},
		{"the rest", "b.ts", []hub.EditedFile{{Path: path("c.ts"), Edits: 1, Last: now - 5, Summary: "changed"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.EditedFiles(t.Context(), shop, "ag-1", tt.after, 2)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "files", got, tt.want)
		})
	}
}
