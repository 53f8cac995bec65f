package coordtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/tool"
)

func TestCoreToolsOfARealShim(t *testing.T) {
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice, err := home.StartAgent(t.Context(), "alice", shop.Dir, "COORDINATOR_TOOLS=core")
	if err != nil {
		t.Fatal(err)
	}
	list, err := alice.MCP().ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, offered := range list.Tools {
		names = append(names, offered.Name)
	}
	slices.Sort(names)
	want := []string{"announce_work", "approve_resolution", "close_thread", "contest_resolution", "coordinator_status",
		"post_to_thread", "propose_resolution", "wait_for_message"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 7<<10 {
		t.Errorf("the list has %d bytes, want at most 7 KB", len(raw))
	}
	for name, words := range map[string][]string{
		"list_agents": {`no tool list_agents among the core tools`, "announce_work", "COORDINATOR_TOOLS=core"},
		"acquire":     {`no tool "acquire"`, "the tools are"},
		"frobnicate":  {`no tool "frobnicate"`, "the tools are: announce_work"},
		"post_thread": {`no tool "post_thread"`, "did you mean post_to_thread"},
	} {
		_, err := alice.Raw(t.Context(), name, map[string]any{})
		refusal, refused := errors.AsType[driver.ToolError](err)
		for _, w := range words {
			if !refused || !strings.Contains(string(refusal), w) {
				t.Errorf("%s: %v, want a refusal that says %q", name, err, w)
			}
		}
	}
	// What is offered is enough to settle a conflict, with somebody who has all.
	bob := home.Agent("bob", shop.Dir)
	alice.Announce("a.go")
	if v := bob.Announce("a.go"); v.ThreadID == nil {
		t.Errorf("bob is told %+v", v)
	}
	alice.Await("thread.opened")
}

// A model pays for every answer: the usual ones fit into 1 KB.
func TestUsualAnswersAreSmall(t *testing.T) {
	p := coordtest.NewInProcess(t)
	p.Enter("alice")
	p.Enter("bob")
	for i, step := range []struct{ who, op, args string }{
		{"alice", "announce_work", `{"subject":"Add a column to users","target_files":["src/db/schema.sql","src/db/users.go"],"plan":"first the column, then the code"}`},
		{"bob", "announce_work", `{"subject":"Rename the users table","target_files":["src/db/schema.sql"]}`},
		{"alice", "post_to_thread", `{"thread_id":"T-1","content":"May I add the column first?","type":"question"}`},
		{"bob", "propose_resolution", `{"thread_id":"T-1","summary":"alice adds the column, then bob renames the table"}`},
		{"alice", "approve_resolution", `{"thread_id":"T-1","proposal":1}`},
		{"alice", "coordinator_status", `{}`},
		{"alice", "list_agents", `{}`},
		{"alice", "agent_activity", `{}`},
		{"alice", "list_threads", `{}`},
		{"alice", "get_thread", `{"thread_id":"T-1"}`},
		{"alice", "check_file_conflict", `{"file_path":"src/db/schema.sql"}`},
		{"alice", "heartbeat", `{"current_file":"src/db/schema.sql"}`},
		{"alice", "hot_files", `{}`},
		{"alice", "log_action_summary", `{"summary":"added the column","file_path":"src/db/schema.sql"}`},
		{"alice", "close_thread", `{"thread_id":"A-1","summary":"done"}`},
	} {
		answer, err := p.Call(step.who, step.op, json.RawMessage(step.args))
		if err != nil {
			t.Fatalf("step %d, %s: %v", i, step.op, err)
		}
		if len(answer) > 1<<10 {
			t.Errorf("%s answers with %d bytes, want at most 1 KB: %s", step.op, len(answer), fmt.Sprintf("%.300s…", answer))
		}
	}
}

func TestAThreadThatDoesNotExistIsNotWaitedFor(t *testing.T) {
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", shop.Dir)
	_, err := coordtest.Try(t.Context(), alice, tool.WaitForMessage, tool.WaitForMessageIn{ThreadID: "T-9"})
	if err == nil || !strings.Contains(err.Error(), "no thread T-9") {
		t.Errorf("the wait ends with %v, want a refusal at once", err)
	}
}
