package streamable_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/streamable"
	"github.com/coordhq/coord/pkg/tool"
)

// send makes a request with the token and gives status and body. Header Host is
// one too.
func (s *site) send(method, id, secret string, headers map[string]string) (status int, body string) {
	s.t.Helper()
	content := ""
	if method == http.MethodPost {
		content = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.addr+"/mcp", strings.NewReader(content))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Mcp-Session-Id", id)
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for name, value := range headers {
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := c.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(got)
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodDelete}

func TestNoWebPageReachesASession(t *testing.T) {
	s := open(t, nil)
	v := s.visit(join{query: "?project=" + string(shop)})
	for name, hostile := range map[string]struct {
		headers map[string]string
		want    int
	}{
		"foreign origin":     {map[string]string{"Origin": "http://evil.example"}, 403},
		"null origin":        {map[string]string{"Origin": "null"}, 403},
		"foreign host":       {map[string]string{"Host": "evil.example"}, 421},
		"foreign host, port": {map[string]string{"Host": "evil.example:80", "Origin": "http://evil.example:80"}, 421},
	} {
		for _, method := range methods {
			if got, body := s.send(method, v.ID(), token, hostile.headers); got != hostile.want {
				t.Errorf("%s, %s: %d %s, want %d", name, method, got, body, hostile.want)
			}
		}
	}
	call[tool.CoordinatorStatusOut](v, "coordinator_status", nil) // it is still there
}

func TestASessionIDOpensNothingToAnotherCredential(t *testing.T) {
	s := open(t, nil)
	mine := s.visit(join{name: "mine", query: "?project=" + string(shop)})
	call[tool.CoordinatorStatusOut](mine, "coordinator_status", nil)
	_, alice := s.registered("alice", shop)
	theirs := s.visit(join{name: "alice", secret: string(alice.SessionKey)})
	for _, method := range methods {
		for name, thief := range map[string]struct {
			id, secret string
			want       int
		}{
			"another session's key": {mine.ID(), string(alice.SessionKey), 403},
			"the token":             {theirs.ID(), token, 403},
			"no credential":         {mine.ID(), "", 401},
			"a wrong one":           {mine.ID(), "nope", 401},
			"an invented id":        {"ABCDEF", token, 404},
		} {
			if got, body := s.send(method, thief.id, thief.secret, nil); got != thief.want {
				t.Errorf("%s with %s: %d %s, want %d", method, name, got, body, thief.want)
			}
		}
	}
	if n := s.door.Sessions(); n != 2 {
		t.Errorf("%d sessions are left, want 2", n)
	}
}

func TestASessionKeyActsAsItsOwnAgent(t *testing.T) {
	s := open(t, nil)
	ctx, alice := s.registered("alice", shop)
	v := s.visit(join{secret: string(alice.SessionKey)})
	got := call[tool.CoordinatorStatusOut](v, "coordinator_status", nil)
	if got.Me == nil || got.Me.ID != alice.AgentID || got.Agents.Online != 1 {
		t.Fatalf("it is %+v of %d agents, want alice alone", got.Me, got.Agents.Online)
	}
	call[tool.AnnounceWorkOut](v, "announce_work", object{"subject": "s", "target_files": []string{"/src/shop/a.go"}})
	v.refused("register_agent", object{"name": "alice", "project": "example.com/blog"}, "session key", string(shop))
	v.refused("register_agent", object{"name": "alice", "workspace": "/elsewhere"}, "session key", "/src/shop")
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if got := ask(s, ctx, tool.CoordinatorStatus, tool.CoordinatorStatusIn{}); got.Agents.Online != 1 {
		t.Error("the agent left with the MCP session, which was not its only one")
	}
}

func TestOnlyPathsUnderTheWorkingTreeAreTaken(t *testing.T) {
	s := open(t, nil)
	v := s.visit(join{query: "?project=" + string(shop)})
	v.refused("announce_work", object{"subject": "s", "target_files": []string{"/src/shop/a.go"}}, "/src/shop/a.go", "register_agent with workspace")
	call[tool.AnnounceWorkOut](v, "announce_work", object{"subject": "s", "target_files": []string{"a.go"}})
	call[object](v, "register_agent", object{"name": "bob", "workspace": "/src/shop"})
	for _, outside := range []string{"/etc/passwd", "/src/shop/../../etc/passwd", "/src/shopping/a.go", "/src", "/", "../a.go", "/src/shop/a\nb", `C:\src\shop\a.go`} {
		if text, refused := v.try("check_file_conflict", object{"file_path": outside}); !refused {
			t.Errorf("%q is taken: %s", outside, text)
		}
	}
	for path, want := range map[string]string{
		"a.go": "a.go", "./x/../a.go": "a.go", "/src/shop/a.go": "a.go", "/src/shop//x/./a.go": "x/a.go", "/src/shop/x/../a.go": "a.go",
		"/src/other/../shop/a.go": "a.go", "/src/shop/": ".", "/src/shop/e\u0301.go": "\u00e9.go",
	} {
		if got := call[tool.CheckFileConflictOut](v, "check_file_conflict", object{"file_path": path}).FilePath.String(); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestAWorkingTreeInAnotherSpelling(t *testing.T) {
	s := open(t, nil)
	v := s.visit(join{query: "?project=" + string(shop)})
	call[object](v, "register_agent", object{"name": "bob", "workspace": "/src/cafe\u0301"})
	if got := call[tool.CheckFileConflictOut](v, "check_file_conflict", object{"file_path": "/src/caf\u00e9/a.go"}).FilePath.String(); got != "a.go" {
		t.Errorf("got %q, want a.go", got)
	}
}

func TestAWorkingTreeOnWindows(t *testing.T) {
	s := open(t, nil)
	v := s.visit(join{query: "?project=" + string(shop)})
	call[object](v, "register_agent", object{"name": "bob", "workspace": `c:\src\shop`})
	for path, want := range map[string]string{`C:\src\shop\x\a.go`: "x/a.go", `c:/src/shop/a.go`: "a.go", `x\a.go`: "x/a.go"} {
		if got := call[tool.CheckFileConflictOut](v, "check_file_conflict", object{"file_path": path}).FilePath.String(); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
	v.refused("check_file_conflict", object{"file_path": `D:\src\shop\a.go`}, "not inside")
}

func TestADirectoryStaysADirectory(t *testing.T) {
	s := open(t, nil)
	alice := s.shim("alice", shop)
	v := s.visit(join{})
	call[object](v, "register_agent", object{"name": "bob", "workspace": "/src/shop"})
	call[tool.AnnounceWorkOut](v, "announce_work", object{"subject": "s", "target_files": []string{"/src/shop/db/"}})
	if got := ask(s, alice, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "s", TargetFiles: []string{"db/deep/a.sql"}}); got.Score != 100 {
		t.Errorf("a file inside the announced directory scores %d, want 100", got.Score)
	}
}

// listed are the tools as a client sees them, register_agent without what only
// this door has.
func listed(t *testing.T, v *visitor) []*mcp.Tool {
	t.Helper()
	res, err := v.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range res.Tools {
		if l.Name == tool.RegisterAgent.Name {
			properties := l.InputSchema.(object)["properties"].(object)
			for _, name := range []string{"project", "workspace"} {
				if properties[name] == nil {
					t.Errorf("register_agent has no argument %s", name)
				}
				delete(properties, name)
			}
		}
	}
	return res.Tools
}

func TestTheToolsAreThoseOfAShim(t *testing.T) {
	s := open(t, nil)
	for query, core := range map[string]bool{"": false, "?tools=core": true} {
		var want []*mcp.Tool
		for _, op := range tool.Offered(core) {
			l := &mcp.Tool{Name: op.Name, Description: op.Text, InputSchema: decode[object](t, op.Schema())}
			if op.ReadOnly {
				l.Annotations = &mcp.ToolAnnotations{ReadOnlyHint: true}
			}
			if op.AlwaysLoad {
				l.Meta = mcp.Meta{"anthropic/alwaysLoad": true}
			}
			want = append(want, l)
		}
		if diff := cmp.Diff(want, listed(t, s.visit(join{query: query}))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestWrongCallsAreToolErrorsThatSayWhatIsRight(t *testing.T) {
	s := open(t, nil)
	v := s.visit(join{query: "?tools=core&project=" + string(shop)})
	v.refused("announce_wrok", nil, "did you mean announce_work?")
	v.refused("list_agents", nil, "no tool") // no core tool
	v.refused("announce_work", object{"subject": "s", "files": []string{"a"}}, "files", "target_files")
	v.refused("close_thread", object{"thread_id": "T-9"}, "T-9")
}

// A handler that panics costs one call.
func TestAPanicIsToldAndTheSessionLives(t *testing.T) {
	h := rules{newHub(t), make(chan struct{}, 1), make(chan struct{}, 1)}
	s := serve(t, h, newHandler(t, faulty{h}, nil))
	v := s.visit(join{query: "?project=" + string(shop)})
	v.refused("wait_for_message", nil, "fault of coord")
	call[tool.CoordinatorStatusOut](v, "coordinator_status", nil)
}

type faulty struct{ rules }

func (faulty) Listen(coord.AgentID) (<-chan struct{}, func()) { panic("a fault") }

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]streamable.Options{
		"Rules": {Host: host}, "Host": {Rules: rules{}}, "Sessions": {Rules: rules{}, Host: host, Sessions: -1},
	} {
		if _, err := streamable.New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without a right %s: %v", name, err)
		}
	}
	door, err := streamable.New(streamable.Options{Rules: rules{}, Host: host})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := door.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
