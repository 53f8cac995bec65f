package streamable_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
	"github.com/coordhq/coord/pkg/hub/streamable"
	"github.com/coordhq/coord/pkg/hub/web"
	"github.com/coordhq/coord/pkg/tool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token  = "the-token-of-this-user"
	host   = coord.HostID("host-1")
	member = coord.MemberID("mia")
	shop   = coord.ProjectID("example.com/shop")

	// patience is how long a test waits for what must come.
	patience = 20 * time.Second
)

type object = map[string]any

// silent is a Publisher without subscribers.
type silent struct{}

func (silent) Publish([]hub.Publication)               {}
func (silent) Stats() hub.PublisherStats               { return hub.PublisherStats{} }
func (silent) Subscribers(coord.ProjectID, string) int { return 0 }

// newHub starts a hub on a real database. It stops with the test.
func newHub(t *testing.T) *hub.Hub {
	t.Helper()
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(t.TempDir(), "c.db"), Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(hub.Options{Store: store, Publisher: silent{}, Host: host, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(h.Stop(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// rules are a hub that tells when a wait begins to listen for news, and when it
// ends.
type rules struct {
	*hub.Hub
	listened, stopped chan struct{}
}

func (r rules) Listen(a coord.AgentID) (<-chan struct{}, func()) {
	news, stop := r.Hub.Listen(a)
	r.listened <- struct{}{}
	return news, func() { stop(); r.stopped <- struct{}{} }
}

// newHandler makes the door of a hub. What change leaves alone is usual.
func newHandler(t *testing.T, h streamable.Rules, change func(*streamable.Options)) *streamable.Handler {
	t.Helper()
	o := streamable.Options{Rules: h, Host: host, Version: "v1.2.3"}
	if change != nil {
		change(&o)
	}
	door, err := streamable.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := door.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return door
}

// site is a hub with its HTTP door on TCP.
type site struct {
	t    *testing.T
	hub  rules
	door *streamable.Handler
	addr string // host:port
}

func open(t *testing.T, change func(*streamable.Options)) *site {
	t.Helper()
	h := rules{newHub(t), make(chan struct{}, 100), make(chan struct{}, 100)}
	return serve(t, h, newHandler(t, h, change))
}

// serve puts a door behind the guard of hub/web.
func serve(t *testing.T, h rules, door *streamable.Handler) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := web.New(web.Options{Rules: h, Hello: func() client.Hello { return client.Hello{} }, Token: token, Member: member,
		OwnUID: os.Geteuid(), MCP: door, Limits: web.Limits{Rate: 1000, Burst: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(l, false); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { // as the daemon does
		if err := errors.Join(door.Stop(context.Background()), server.Stop(context.Background())); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return &site{t: t, hub: h, door: door, addr: l.Addr().String()}
}

// shim registers an agent as a shim does, and gives the context of its calls.
func (s *site) shim(name string, project coord.ProjectID) context.Context {
	s.t.Helper()
	ctx, _ := s.registered(name, project)
	return ctx
}

func (s *site) registered(name string, project coord.ProjectID) (context.Context, coord.Registered) {
	s.t.Helper()
	r, err := s.hub.Register(s.t.Context(), member, coord.Registration{Client: coord.ClientInfo{Name: "claude-code"},
		Project: project, Fixed: true, Workspace: coord.WorkspaceID(host) + ":/src/shop", Host: host, Label: name})
	if err != nil {
		s.t.Fatal(err)
	}
	s.hub.Connected(r.AgentID, true)
	caller, _ := s.hub.Authenticate(r.SessionKey)
	return coord.WithCaller(context.Background(), caller), r
}

// ask calls an operation as a shim does.
func ask[In, Out any](s *site, ctx context.Context, op tool.Spec[In, Out], in In) (out Out) {
	s.t.Helper()
	args, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := s.hub.Call(ctx, op.Name, args, "")
	if err != nil {
		s.t.Fatalf("%s: %v", op.Name, err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// bearer adds a credential to every request, and counts the connections.
type bearer struct {
	secret string
	under  *http.Transport
}

func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.secret)
	return b.under.RoundTrip(r)
}

// visitor is an MCP client on HTTP.
type visitor struct {
	*mcp.ClientSession
	t        *testing.T
	progress chan *mcp.ProgressNotificationParams
	http     *http.Client
}

// join says how a visitor comes; the zero one has a name, the token, no query and
// no stream.
type join struct {
	name, query, secret string
	stream              bool
}

// visit initialises a session. It ends with the test, at the latest.
func (s *site) visit(j join) *visitor {
	s.t.Helper()
	if j.name == "" {
		j.name = "cursor"
	}
	if j.secret == "" {
		j.secret = token
	}
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	v := &visitor{t: s.t, progress: make(chan *mcp.ProgressNotificationParams, 100), http: &http.Client{Transport: &bearer{j.secret, transport}}}
	c := mcp.NewClient(&mcp.Implementation{Name: j.name, Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { v.progress <- r.Params },
	})
	session, err := c.Connect(s.t.Context(), &mcp.StreamableClientTransport{Endpoint: "http://" + s.addr + "/mcp" + j.query, HTTPClient: v.http,
		DisableStandaloneSSE: !j.stream, MaxRetries: -1}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v.ClientSession = session
	s.t.Cleanup(func() { _ = session.Close() })
	return v
}

// try calls a tool.
func (v *visitor) try(name string, args object) (text string, refused bool) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	res, err := v.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		v.t.Fatalf("%s: %v", name, err)
	}
	if len(res.Content) != 1 || res.StructuredContent != nil {
		v.t.Fatalf("%s: %d blocks of content and %v structured, want one and none", name, len(res.Content), res.StructuredContent)
	}
	return res.Content[0].(*mcp.TextContent).Text, res.IsError
}

// call calls a tool that must not refuse, and reads its answer.
func call[Out any](v *visitor, name string, args object) (out Out) {
	v.t.Helper()
	text, refused := v.try(name, args)
	if refused {
		v.t.Fatalf("%s refuses: %s", name, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		v.t.Fatalf("%s answers %s: %v", name, text, err)
	}
	return out
}

// refused calls a tool that must refuse with all of the words.
func (v *visitor) refused(name string, args object, words ...string) {
	v.t.Helper()
	text, refused := v.try(name, args)
	for _, w := range words {
		if !strings.Contains(text, w) {
			v.t.Errorf("%s says %q, want %q in it", name, text, w)
		}
	}
	if !refused {
		v.t.Errorf("%s answers %s, want a refusal", name, text)
	}
}

func decode[T any](t *testing.T, raw []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// as gives the context of calls as the visitor's agent.
func (s *site) as(v *visitor) context.Context {
	s.t.Helper()
	me := call[tool.CoordinatorStatusOut](v, "coordinator_status", nil).Me
	return coord.WithCaller(context.Background(), coord.Caller{Agent: me.ID, Project: shop, Workspace: me.Workspace, Member: member})
}
