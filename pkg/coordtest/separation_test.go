package coordtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/client"
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
	first := alice.Announce("src/index.ts")
	thread := *bob.Announce("src/index.ts").ThreadID
	c := client.Dial(home.Hub().Socket)
	t.Cleanup(c.Close)
	guest, err := c.Register(t.Context(), coord.Registration{Client: coord.ClientInfo{Name: "rest"}, Project: project(t, alice), Workspace: "host:/shop", Host: "host"})
	if err != nil {
		t.Fatal(err)
	}
	owner := alice.ID()
	coordtest.Call(bob, tool.PostToThread, tool.PostToThreadIn{ThreadID: thread, Content: "for alice alone"})
	before := coordtest.Call(bob, tool.GetThread, tool.GetThreadIn{ThreadID: thread})
	for _, op := range tool.Offered(false) {
		var args map[string]any
		if err := json.Unmarshal(foreignTo(t, op.Name, thread, first.AnnouncementID, owner), &args); err != nil {
			t.Fatal(err)
		}
		args["agent_id"] = owner
		_, byTool := bob.Raw(t.Context(), op.Name, args)
		raw, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		_, byREST := c.Call(t.Context(), guest.SessionKey, op.Name, raw, "")
		for door, err := range map[string]error{"the tool": byTool, "REST": byREST} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("agent_id %q is not yours", owner)) {
				t.Errorf("%s %s in alice's name: error %v, want a refusal that names agent_id", door, op.Name, err)
			}
		}
	}
	if diff := cmp.Diff(before, coordtest.Call(bob, tool.GetThread, tool.GetThreadIn{ThreadID: thread}), cmp.AllowUnexported(coord.Path{})); diff != "" {
		t.Errorf("what was refused has changed the thread (-before +now):\n%s", diff)
	}
	if news := coordtest.Call(alice, tool.GetQueuedMessages, tool.GetQueuedMessagesIn{}); len(news.Events) != 1 {
		t.Errorf("alice's news is %s, want the one post, which nobody else has read", news.Events)
	}
	if _, err := bob.Raw(t.Context(), "heartbeat", map[string]any{"agent_id": bob.ID()}); err != nil {
		t.Errorf("bob gives his own agent_id: %v", err)
	}
}
