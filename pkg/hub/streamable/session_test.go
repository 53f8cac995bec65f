package streamable_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

func TestInitializeSaysWhatAShimSays(t *testing.T) {
	s := open(t, nil)
	for asked, want := range map[string]string{
		"2024-11-05": "2024-11-05", "2025-03-26": "2025-03-26", "2025-06-18": "2025-06-18", "2025-11-25": "2025-11-25",
		"": "2025-11-25", // the library asks for a newer one first
	} {
		c := mcp.NewClient(&mcp.Implementation{Name: "x", Version: "1"}, nil)
		v := s.visit(join{})
		session, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: "http://" + s.addr + "/mcp", HTTPClient: v.http}, &mcp.ClientSessionOptions{ProtocolVersion: asked})
		if err != nil {
			t.Fatalf("%s: %v", asked, err)
		}
		got := session.InitializeResult()
		if got.ProtocolVersion != want || got.Instructions != tool.Instructions || got.ServerInfo.Name != "coord" || got.ServerInfo.Version != "v1.2.3" {
			t.Errorf("asked for %q: %+v", asked, got)
		}
		if caps, err := json.Marshal(got.Capabilities); err != nil || string(caps) != `{"tools":{}}` {
			t.Errorf("asked for %q: capabilities %s, want tools only", asked, caps)
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAnHTTPSessionAndAShimMeet(t *testing.T) {
	s := open(t, nil)
	alice := s.shim("alice", shop)
	first := ask(s, alice, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "store the address", TargetFiles: []string{"src/user.ts"}})
	bob := s.visit(join{name: "bob", query: "?project=" + string(shop)})
	got := call[tool.AnnounceWorkOut](bob, "announce_work", object{"subject": "rename the user", "target_files": []string{"src/user.ts"}})
	if first.Status != "clear" || got.Status != "open" || got.Score != 100 || got.ThreadID == nil || len(got.ConcernedAgents) != 1 || got.ConcernedAgents[0].Name != "alice" {
		t.Fatalf("alice is told %s, bob %+v", first.Status, got)
	}
	ask(s, alice, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: *got.ThreadID, Summary: "me first"})
	thread := call[tool.ThreadView](bob, "approve_resolution", object{"thread_id": *got.ThreadID})
	if thread.Type != coord.Consensus {
		t.Errorf("the thread is %s (%s), want consensus", thread.Status, thread.Type)
	}
	if got := ask(s, alice, tool.ListAgents, tool.ListAgentsIn{}).Agents; len(got) != 2 || !slices.ContainsFunc(got, func(a tool.AgentView) bool {
		return a.Name == "bob" && a.Client == "bob" && strings.HasPrefix(string(a.Workspace), "http:")
	}) {
		t.Errorf("alice sees %+v", got)
	}
}

func TestWhichProjectASessionIsIn(t *testing.T) {
	const blog = coord.ProjectID("example.com/blog")
	for _, tt := range []struct {
		name     string
		live     []coord.ProjectID
		query    string
		register object // nil = status is the first call
		want     coord.ProjectID
		refusal  []string
	}{
		{"the URL says it", []coord.ProjectID{shop}, "?project=" + string(blog), nil, blog, nil},
		{"the argument says it", []coord.ProjectID{shop}, "", object{"name": "b", "project": blog}, blog, nil},
		{"both say it", nil, "?project=" + string(blog), object{"name": "b", "project": blog}, blog, nil},
		{"they differ", nil, "?project=" + string(shop), object{"name": "b", "project": blog}, "", []string{string(shop), "URL"}},
		{"a clone URL", nil, "?project=https://example.com/shop.git", nil, "", []string{"host/path"}},
		{"an ssh address", nil, "", object{"name": "b", "project": "git@example.com:shop"}, "", []string{"host/path"}},
		{"only one is live", []coord.ProjectID{shop}, "", nil, shop, nil},
		{"two are live", []coord.ProjectID{shop, blog}, "", nil, "", []string{"2 projects", string(blog), string(shop), "?project="}},
		{"none is live", nil, "", object{"name": "b"}, "", []string{"no project is live", "register_agent"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, nil)
			for _, p := range tt.live {
				s.shim("alice", p)
			}
			v := s.visit(join{query: tt.query})
			name, args := "coordinator_status", object{}
			if tt.register != nil {
				name, args = "register_agent", tt.register
			}
			if tt.want == "" {
				v.refused(name, args, tt.refusal...)
				return
			}
			call[object](v, name, args)
			if got := call[tool.RegisterAgentOut](v, "register_agent", object{"name": "me"}).Project; got != tt.want {
				t.Errorf("it is in %q, want %q", got, tt.want)
			}
		})
	}
}

func TestASessionJoinsTheProjectOfItsWorkingTree(t *testing.T) {
	s := open(t, nil)
	s.shim("alice", shop)
	v := s.visit(join{})
	for range 2 { // its own word for the project may be said again
		got := call[tool.RegisterAgentOut](v, "register_agent", object{"name": "b", "project": "path:/src/shop", "workspace": "/src/shop"})
		if got.Project != shop || len(got.Peers) != 1 {
			t.Errorf("it is in %q with peers %v, want %q and alice", got.Project, got.Peers, shop)
		}
	}
}

func TestASessionStaysInItsProject(t *testing.T) {
	s := open(t, nil)
	v := s.visit(join{query: "?project=" + string(shop)})
	call[object](v, "coordinator_status", nil)
	v.refused("register_agent", object{"name": "b", "project": "example.com/blog"}, string(shop), "another MCP session")
}

func TestRegisterAgentMovesTheSameAgentToAWorkingTree(t *testing.T) {
	s := open(t, nil)
	v := s.visit(join{query: "?project=" + string(shop)})
	before := call[tool.RegisterAgentOut](v, "register_agent", object{"name": "bob"})
	after := call[tool.RegisterAgentOut](v, "register_agent", object{"name": "bob", "workspace": "/src/shop/", "modules": []string{"auth"}})
	want := tool.RegisterAgentOut{AgentID: before.AgentID, Name: "bob", Project: shop, Workspace: "host-1:/src/shop", Modules: []string{"auth"}, Peers: []tool.AgentRef{}}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(string(before.Workspace), "http:") {
		t.Errorf("before it was in %q, want a working tree of its own", before.Workspace)
	}
	again := call[tool.RegisterAgentOut](v, "register_agent", object{"name": "bob", "workspace": after.Workspace})
	if again.Workspace != after.Workspace {
		t.Errorf("the id of the workspace leads to %q", again.Workspace)
	}
	v.refused("register_agent", object{"name": "bob", "workspace": "src/shop"}, "absolute path")
}

func TestTwoSessionsInOneWorkingTreeAreInEachOthersWay(t *testing.T) {
	s := open(t, nil)
	alice := s.shim("alice", shop) // in /src/shop
	ask(s, alice, tool.Heartbeat, tool.HeartbeatIn{CurrentFile: "a.go"})
	v := s.visit(join{})
	call[object](v, "register_agent", object{"name": "bob", "workspace": "/src/shop"})
	got := call[tool.CheckFileConflictOut](v, "check_file_conflict", object{"file_path": "/src/shop/a.go"})
	if got.Verdict != "leased" || got.Elsewhere {
		t.Errorf("got %+v, want leased in this workspace", got)
	}
}

func TestAnAgentIDThatIsNotOnesOwnIsRefused(t *testing.T) {
	s := open(t, nil)
	alice := s.visit(join{name: "alice", query: "?project=" + string(shop)})
	bob := s.visit(join{name: "bob", query: "?project=" + string(shop)})
	me := call[tool.RegisterAgentOut](alice, "register_agent", object{"name": "alice"}).AgentID
	bob.refused("announce_work", object{"agent_id": me, "subject": "s", "target_files": []string{"a.go"}}, "agent_id")
	call[tool.AnnounceWorkOut](alice, "announce_work", object{"agent_id": me, "subject": "s", "target_files": []string{"a.go"}})
}

func TestDELETEEndsTheAgentAtOnce(t *testing.T) {
	s := open(t, nil)
	alice := s.shim("alice", shop)
	v := s.visit(join{name: "bob", stream: true})
	call[tool.AnnounceWorkOut](v, "announce_work", object{"subject": "s", "target_files": []string{"a.go"}})
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if got := ask(s, alice, tool.ListAgents, tool.ListAgentsIn{}).Agents; len(got) != 1 {
		t.Errorf("after DELETE there are %+v", got)
	}
	if got := ask(s, alice, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "s", TargetFiles: []string{"a.go"}}); got.Status != "clear" {
		t.Errorf("what it announced lives on: %+v", got)
	}
	if n := s.door.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}
