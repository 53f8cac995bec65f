package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
	"github.com/coordhq/coord/pkg/tool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token = "the-token-of-this-user"
	key   = coord.SessionKey("key-of-alice")
)

var alice = coord.Caller{Agent: "ag-alice", Project: "shop", Workspace: "h:/shop", Member: "mia"}

// call is what a rule was asked.
type call struct {
	Op     string
	Caller coord.Caller
	Member coord.MemberID
	Args   string
	Key    string
}

// rules answers in place of the hub: one session is known, and every call is
// noted. On is asked first when it is set.
type rules struct {
	on func(ctx context.Context, op string) (json.RawMessage, error)

	ended atomic.Bool // the session of key

	mu    sync.Mutex
	calls []call // guarded by mu
}

func (r *rules) note(ctx context.Context, c call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Caller, _ = coord.CallerFrom(ctx)
	r.calls = append(r.calls, c)
}

func (r *rules) seen() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call{}, r.calls...)
}

func (r *rules) Register(ctx context.Context, m coord.MemberID, in coord.Registration) (coord.Registered, error) {
	r.note(ctx, call{Op: "register", Member: m})
	return coord.Registered{AgentID: "ag-new", Name: in.Label, SessionKey: "key-of-new", Epoch: "e1"}, nil
}

func (r *rules) Authenticate(k coord.SessionKey) (coord.Caller, bool) {
	return alice, k == key && !r.ended.Load()
}

func (r *rules) Leave(ctx context.Context) error {
	r.note(ctx, call{Op: "leave"})
	return nil
}

func (r *rules) Call(ctx context.Context, op string, args json.RawMessage, k string) (json.RawMessage, error) {
	r.note(ctx, call{Op: op, Args: string(args), Key: k})
	if r.on != nil {
		return r.on(ctx, op)
	}
	if op == tool.CoordinatorStatus.Name {
		return json.Marshal(tool.CoordinatorStatusOut{Hub: tool.HubStatus{Instance: "i-1"}})
	}
	return json.RawMessage(`{"ok":true}`), nil
}

func (r *rules) HookGone(context.Context, coord.HookReceipt) {}
func (r *rules) Projects() []coord.ProjectID                 { return []coord.ProjectID{"bank", "shop"} }

func (r *rules) Hook(ctx context.Context, client string, event coord.HookEvent, in coord.HookCall) (json.RawMessage, error) {
	args, err := json.Marshal(in)
	r.note(ctx, call{Op: "hook " + client + " " + string(event), Args: string(args)})
	return json.RawMessage(`{}`), err
}

func (r *rules) ReleasePath(ctx context.Context, in coord.PathRelease, k string) (coord.Freed, error) {
	r.note(ctx, call{Op: "release path", Args: in.Path, Key: k})
	return coord.Freed{}, nil
}

func (r *rules) ReleaseLease(ctx context.Context, id coord.LeaseID, k string) (coord.Freed, error) {
	r.note(ctx, call{Op: "release lease", Args: string(id), Key: k})
	return coord.Freed{}, nil
}

func (r *rules) PostAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanPost, k string) (tool.MessageView, error) {
	r.note(ctx, call{Op: "human post", Args: string(id) + " " + in.Content, Key: k})
	return tool.MessageView{}, nil
}

func (r *rules) CloseAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanClose, k string) (tool.ThreadView, error) {
	r.note(ctx, call{Op: "human close", Args: string(id) + " " + in.Summary, Key: k})
	return tool.ThreadView{}, nil
}

// mcp answers in place of the MCP door: the session "known" is one.
type mcp struct{ rules *rules }

func (m mcp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.rules.note(r.Context(), call{Op: r.Method + " mcp"})
	_, _ = io.WriteString(w, "{}")
}

func (m mcp) SessionOf(r *http.Request) string {
	if id := r.Header.Get("Mcp-Session-Id"); id == "known" {
		return id
	}
	return ""
}

// site is a server on both kinds of door.
type site struct {
	rules  *rules
	server *web.Server
	socket string
	addr   string // host:port
}

// open starts a site; change may set options first. It ends with the test.
func open(t *testing.T, change func(*web.Options)) *site {
	t.Helper()
	s := &site{rules: &rules{}}
	o := web.Options{
		Rules:   s.rules,
		Hello:   func() client.Hello { return client.Hello{Instance: "i-1", PID: 7} },
		Facts:   func() web.Facts { return web.Facts{PID: 7, HTTP: s.addr} },
		Stop:    func(string) {},
		Token:   token,
		Member:  "mia",
		OwnUID:  os.Geteuid(),
		Human:   s.rules,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }),
		MCP:     mcp{s.rules},
		MQTT:    func(c net.Conn) { s.rules.note(context.Background(), call{Op: "mqtt"}); _ = c.Close() },
	}
	if change != nil {
		change(&o)
	}
	var err error
	if s.server, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	s.socket = filepath.Join(t.TempDir(), "s")
	unix := listen(t, "unix", s.socket)
	tcp := listen(t, "tcp", "127.0.0.1:0")
	s.addr = tcp.Addr().String()
	var serving sync.WaitGroup
	serve := func(l net.Listener, local bool) {
		serving.Go(func() {
			if err := s.server.Serve(l, local); err != nil {
				t.Error(err)
			}
		})
	}
	serve(unix, true)
	serve(tcp, false)
	t.Cleanup(func() {
		if err := s.server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return s
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ask is one request on a connection of its own. A header of the same name
// replaces what is set by default; Host is one too, and "" leaves a header out.
type ask struct {
	tcp          bool
	method, path string
	body         string
	headers      map[string]string
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
	close  bool             // the server ends the connection
	err    client.ErrorBody // when status is not 2xx
}

func (s *site) do(t *testing.T, a ask) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), a.method, "http://"+s.addr+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range a.headers {
		switch {
		case name == "Host":
			req.Host = value
		case value == "":
			req.Header.Del(name)
		default:
			req.Header.Set(name, value)
		}
	}
	conn := s.dial(t, a.tcp)
	defer conn.Close()
	return exchange(t, conn, req)
}

func (s *site) dial(t *testing.T, tcp bool) net.Conn {
	t.Helper()
	network, address := "unix", s.socket
	if tcp {
		network, address = "tcp", s.addr
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func exchange(t *testing.T, conn net.Conn, req *http.Request) reply {
	t.Helper()
	if err := req.Write(conn); err != nil {
		t.Logf("the server hung up on the request: %v", err) // its answer is there all the same
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, body: string(body), close: resp.Close}
	if r.status < 200 || r.status > 399 {
		if err := json.Unmarshal(body, &r.err); err != nil && req.Method != http.MethodHead {
			t.Errorf("%s %s: %d without a JSON error: %q", req.Method, req.URL.Path, r.status, body)
		}
	}
	return r
}

// raw sends bytes and reads all that comes back.
func (s *site) raw(t *testing.T, tcp bool, text string) string {
	t.Helper()
	conn := s.dial(t, tcp)
	defer conn.Close()
	_, _ = io.WriteString(conn, text) // the other side may hang up in the middle
	got, _ := io.ReadAll(conn)
	return string(got)
}

func bearer(secret string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + secret}
}

// concrete makes a path that a route's pattern matches.
func concrete(pattern string) string {
	return strings.NewReplacer("{name}", "list_agents", "{id}", "X-1", "{file...}", "index.html").Replace(pattern)
}

// bodyFor is a body each route with one takes.
func bodyFor(r web.Route) string {
	switch {
	case r.Method != http.MethodPost:
		return ""
	case r.Pattern == "/api/stop":
		return `{"reason":"test"}`
	case r.Pattern == "/api/sessions":
		return `{"client":{"name":"x"},"project":"shop","workspace":"h:/shop","host_id":"h"}`
	default:
		return `{}`
	}
}
