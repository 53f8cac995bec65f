package coordtest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// The README story over two shim processes, with the hub killed in the middle.
func TestTwoSessionsFindAndSettleAConflict(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "src/models/user.ts")
	alice, bob := home.Agent("alice", repo.Dir), home.Agent("bob", repo.Dir)

	first := alice.Announce("src/models/user.ts")
	if first.Status != "clear" || first.Category != coord.Pass || first.ThreadID != nil || first.Layer != nil {
		t.Fatalf("nobody else is at work, yet alice is told %+v", first)
	}

	waiting := alice.Waiting()
	verdict := bob.Announce("src/models/user.ts", "db/migrations/0042_user_email.sql")
	if err := <-waiting; err != nil {
		t.Fatalf("alice's wait: %v", err)
	}
	if verdict.ThreadID == nil || verdict.Layer == nil || len(verdict.Reasons) == 0 {
		t.Fatalf("bob is told %+v", verdict)
	}
	thread := *verdict.ThreadID
	wanted := tool.AnnounceWorkOut{ThreadID: &thread, AnnouncementID: "A-2", Status: "open", Category: coord.Concerned, Score: 100,
		Layer: new(coord.LayerSameFile), ConcernedAgents: []tool.AgentRef{{ID: alice.ID(), Name: "alice"}}, GrayZoneAgents: []tool.AgentRef{},
		Reasons: verdict.Reasons, Next: verdict.Next}
	if d := cmp.Diff(wanted, verdict, cmpopts.EquateComparable(coord.Path{})); d != "" {
		t.Fatalf("bob's verdict (-want +got):\n%s", d)
	}
	if got := verdict.Reasons[0]; got.Path.String() != "src/models/user.ts" || got.Agent.Name != "alice" {
		t.Fatalf("bob's reason is %+v", got)
	}

	opened := alice.Await(coord.KindThreadOpened)
	if p := coordtest.Payload[coord.ThreadOpened](t, opened); opened.Thread != thread || p.Score != 100 || p.InitiatorName != "bob" {
		t.Fatalf("alice hears of %s: %+v", opened.Thread, p)
	}

	question := Post(bob, thread, "May I add the column first?", coord.QuestionMessage)
	if heard := coordtest.Payload[coord.MessagePosted](t, alice.Await(coord.KindMessagePosted)); heard.MessageID != question.MessageID {
		t.Fatalf("alice hears %+v, bob posted %+v", heard, question)
	}
	Post(alice, thread, "Yes, I only rename a field.", coord.ContextMessage)
	bob.Await(coord.KindMessagePosted)

	before := home.KillHub()

	proposed := coordtest.Call(bob, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: thread, Summary: "bob first, then alice"})
	if proposed.Status != coord.ThreadResolving || proposed.Proposal == nil {
		t.Fatalf("after bob's proposal the thread is %+v", proposed)
	}
	alice.AwaitThat("the proposal", status(t, coord.ThreadResolving))
	settled := coordtest.Call(alice, tool.ApproveResolution, tool.ApproveResolutionIn{ThreadID: thread, Proposal: proposed.Proposal.Number})
	if settled.Status != coord.ThreadResolved || settled.Type != coord.Consensus {
		t.Fatalf("after alice's approval the thread is %+v", settled)
	}
	end := coordtest.Payload[coord.StatusChanged](t, bob.AwaitThat("the end of the thread", status(t, coord.ThreadResolved)))
	if end.Type != coord.Consensus || end.Name != "alice" {
		t.Errorf("bob hears of an end by %q of %q, want consensus by alice", end.Type, end.Name)
	}
	if after := home.Hub(); after.Instance == before.Instance {
		t.Error("the killed hub still answers")
	}
	if got := coordtest.Call(bob, tool.GetThread, tool.GetThreadIn{ThreadID: thread}); len(got.Messages) != 2 {
		t.Errorf("the thread holds %d messages after the crash, want 2", len(got.Messages))
	}
}

// Post posts to a thread.
func Post(a *coordtest.Agent, thread coord.ThreadID, text string, kind coord.MessageType) tool.MessageView {
	return coordtest.Call(a, tool.PostToThread, tool.PostToThreadIn{ThreadID: thread, Content: text, Type: kind})
}

func status(t *testing.T, want coord.ThreadStatus) func(coord.Event) bool {
	return func(d coord.Event) bool {
		return d.Kind == coord.KindThreadStatus && coordtest.Payload[coord.StatusChanged](t, d).Status == want
	}
}
