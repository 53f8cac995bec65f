package coordtest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/tool"
)

func TestTwoRepositoriesOnOneHubNeverMeet(t *testing.T) {
	home := coordtest.NewHome(t)
	shop, blog := coordtest.NewRepo(t, "shop"), coordtest.NewRepo(t, "blog")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	eve := home.Agent("eve", blog.Dir)

	alice.Announce("src/index.ts")
	verdict := bob.Announce("src/index.ts")
	if verdict.ThreadID == nil {
		t.Fatalf("alice and bob share a repository, yet bob is told %+v", verdict)
	}
	if v := eve.Announce("src/index.ts"); v.Status != "clear" {
		t.Errorf("eve works in another repository and is told %+v", v)
	}
	if got := coordtest.Call(eve, tool.ListAgents, tool.ListAgentsIn{}).Agents; len(got) != 1 || got[0].Name != "eve" {
		t.Errorf("eve sees %+v, want only herself", got)
	}
	if got := coordtest.Call(alice, tool.ListAgents, tool.ListAgentsIn{}).Agents; len(got) != 2 {
		t.Errorf("alice sees %+v, want herself and bob", got)
	}
	thread := *verdict.ThreadID
	refusals := map[string]error{}
	_, refusals["get_thread"] = coordtest.Try(t.Context(), eve, tool.GetThread, tool.GetThreadIn{ThreadID: thread})
	_, refusals["post_to_thread"] = coordtest.Try(t.Context(), eve, tool.PostToThread, tool.PostToThreadIn{ThreadID: thread, Content: "hello"})
	_, refusals["close_thread"] = coordtest.Try(t.Context(), eve, tool.CloseThread, tool.CloseThreadIn{ThreadID: string(verdict.AnnouncementID)})
	for op, err := range refusals {
		if _, refused := errors.AsType[driver.ToolError](err); !refused {
			t.Errorf("eve uses %s on a thread of another repository: error %v, want a refusal", op, err)
		}
	}
	if pids := home.Hubs(); len(pids) != 1 {
		t.Errorf("%d hubs run, want 1", len(pids))
	}
}

func TestTwoWorktreesOfOneRepositoryMeet(t *testing.T) {
	home := coordtest.NewHome(t)
	shop := coordtest.NewRepo(t, "shop", "src/index.ts")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Worktree("feature").Dir)
	alice.Announce("src/index.ts")
	v := bob.Announce("src/index.ts")
	if v.Category != coord.Concerned || len(v.ConcernedAgents) != 1 || v.ConcernedAgents[0].Name != "alice" {
		t.Fatalf("bob announces alice's file in a worktree and is told %+v", v)
	}
	agents := coordtest.Call(bob, tool.ListAgents, tool.ListAgentsIn{}).Agents
	if len(agents) != 2 || agents[0].Workspace == agents[1].Workspace {
		t.Errorf("two worktrees are shown as %+v", agents)
	}
}

func TestIdentityIsTheConnectionsNotAnArgument(t *testing.T) {
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	announce := func(as coord.AgentID) error {
		_, err := bob.Raw(t.Context(), "announce_work", map[string]any{
			"agent_id": as, "subject": "in whose name?", "target_files": []string{"src/index.ts"}})
		return err
	}
	err := announce(alice.ID())
	refusal, refused := errors.AsType[driver.ToolError](err)
	if !refused || !strings.Contains(string(refusal), "agent_id") {
		t.Errorf("bob announces in alice's name: error %v, want a refusal that names agent_id", err)
	}
	if v := alice.Announce("src/index.ts"); v.Status != "clear" {
		t.Errorf("the refused announcement lives on: alice is told %+v", v)
	}
	if err := announce(bob.ID()); err != nil {
		t.Errorf("bob gives his own agent_id: %v", err)
	}
}
