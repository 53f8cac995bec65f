package topic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

func TestPublicTopicOfEachKind(t *testing.T) {
	tests := []struct {
		kind   coord.EventKind
		want   topic.Name // empty: no public topic
		retain bool
	}{
		{coord.KindThreadOpened, "coordinator/consultations/new", false},
		{coord.KindMessagePosted, "coordinator/consultations/T-7/messages", false},
		{coord.KindThreadStatus, "coordinator/consultations/T-7/status", false},
		{coord.KindThreadClaimed, "coordinator/consultations/T-7/claimed", false},
		{coord.KindThreadCompleted, "coordinator/consultations/T-7/completed", false},
		{coord.KindAgentStatus, "coordinator/agents/ag-1/status", true},
		{coord.KindFileEdited, "coordinator/files/edited", false},
		{coord.KindFileLeased, "coordinator/files/leased", false},
		{coord.KindFileReleased, "coordinator/files/released", false},
		{coord.KindBroadcast, "coordinator/broadcast", false},
		{coord.KindIntrospection, "", false},
		{coord.KindAnnounceClosed, "", false},
		{coord.KindResync, "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			post, ok := topic.Public(&coord.Event{Kind: tt.kind, Actor: "ag-1", Thread: "T-7"})
			if want := (topic.Post{Topic: tt.want, Retain: tt.retain}); post != want || ok != (tt.want != "") {
				t.Errorf("Public = %v, %t; want %v", post, ok, want)
			}
		})
	}
}

func TestPublicNeedsTheIDsOfItsTopic(t *testing.T) {
	events := map[string]coord.Event{
		"thread missing":  {Kind: coord.KindThreadStatus, Actor: "ag-1"},
		"actor missing":   {Kind: coord.KindAgentStatus, Thread: "T-7"},
		"wildcard actor":  {Kind: coord.KindAgentStatus, Actor: "+"},
		"slash in thread": {Kind: coord.KindThreadStatus, Thread: "T-7/status"},
	}
	for name, e := range events {
		t.Run(name, func(t *testing.T) {
			if post, ok := topic.Public(&e); ok || post.Topic != "" {
				t.Errorf("Public = %v, %t; want none", post, ok)
			}
		})
	}
}

func TestParseRefusesWhatIsNotInTheTable(t *testing.T) {
	for _, name := range []topic.Name{
		"", "coordinator", "coordinator/consultations", "coordinator/consultations/T-1",
		"coordinator/agents//inbox", "coordinator/agents/+/inbox", "coordinator/agents/ag-1/inbox/x",
		"Coordinator/broadcast", "coordinator/broadcast/", "/coordinator/broadcast", "$SYS/broker/version",
	} {
		if a, ok := topic.Parse(name); ok {
			t.Errorf("Parse(%q) = %+v, want none", name, a)
		}
	}
}

func TestParseReadsBackWhatIsPublished(t *testing.T) {
	id := rapid.StringMatching(`[A-Za-z0-9._-]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		agent, thread := coord.AgentID(id.Draw(t, "agent")), coord.ThreadID(id.Draw(t, "thread"))
		row := rapid.SampledFrom(topic.Table).Draw(t, "row")
		post, ok := topic.Public(&coord.Event{Kind: row.Kind, Actor: agent, Thread: thread})
		if !ok {
			return // a row without a kind of its own
		}
		a, ok := topic.Parse(post.Topic)
		if !ok {
			t.Fatalf("Parse(%q) finds nothing", post.Topic)
		}
		if diff := cmp.Diff(row, *a.Row); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
		if a.Agent != "" && a.Agent != agent || a.Thread != "" && a.Thread != thread {
			t.Errorf("ids %q %q, want %q %q", a.Agent, a.Thread, agent, thread)
		}
	})
}

func TestAgentTopics(t *testing.T) {
	got := []topic.Name{topic.Inbox("ag-1"), topic.Status("ag-1"), topic.Out("ag-1"), topic.Inbox("a/b"), topic.Inbox("")}
	want := []topic.Name{"coordinator/agents/ag-1/inbox", "coordinator/agents/ag-1/status", "coordinator/agents/ag-1/out", "", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
