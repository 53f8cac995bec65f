package daemon_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// tokenOf reads the token of a home, which its hub has made.
func tokenOf(t *testing.T, home config.Home) string {
	t.Helper()
	raw, err := os.ReadFile(home.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// visit opens an MCP session over HTTP, with a stream.
func visit(t *testing.T, address, token string) *mcp.ClientSession {
	t.Helper()
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	c := mcp.NewClient(&mcp.Implementation{Name: "visitor", Version: "1"}, nil)
	session, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: "http://" + address + "/mcp?project=shop",
		HTTPClient: &http.Client{Transport: bearer(token)}, MaxRetries: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// listen subscribes over a WebSocket; the channel gives topics.
func listen(t *testing.T, address, token, filter string) <-chan string {
	t.Helper()
	heard := make(chan string, 10)
	o := paho.NewClientOptions().AddBroker("ws://" + address + "/mqtt").SetUsername("shop").SetPassword(token).SetAutoReconnect(false)
	c := paho.NewClient(o)
	if s := c.Connect(); !s.WaitTimeout(20*time.Second) || s.Error() != nil {
		t.Fatalf("connect: %v", s.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	if s := c.Subscribe(filter, 1, func(_ paho.Client, m paho.Message) { heard <- m.Topic() }); !s.WaitTimeout(20*time.Second) || s.Error() != nil {
		t.Fatalf("subscribe: %v", s.Error())
	}
	return heard
}

func TestVisitorsOfTheHTTPPortMeetAndDoNotHoldUpTheEnd(t *testing.T) {
	home := newHome(t)
	d := start(t, daemon.Options{Home: home})
	address, token := d.Discovery().HTTP, tokenOf(t, home)
	heard := listen(t, address, token, "coordinator/consultations/#")
	for _, session := range []*mcp.ClientSession{visit(t, address, token), visit(t, address, token)} {
		res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "announce_work", Arguments: json.RawMessage(`{"subject":"s","target_files":["a.go"]}`)})
		if err != nil || res.IsError {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	select {
	case topic := <-heard:
		if topic != "coordinator/consultations/new" {
			t.Errorf("heard %s", topic)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was heard")
	}
	began := time.Now()
	if err := d.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("two streams and a WebSocket held up the end for %v", took)
	}
}

func TestAnAutoStartedHubStaysForAnMCPSession(t *testing.T) {
	home := newHome(t)
	r := run(t, daemon.Options{Home: home, Auto: true, IdleTimeout: 200 * time.Millisecond})
	r.started(t)
	c := mcp.NewClient(&mcp.Implementation{Name: "visitor", Version: "1"}, nil)
	session, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: "http://" + r.Discovery().HTTP + "/mcp",
		HTTPClient: &http.Client{Transport: bearer(tokenOf(t, home))}, DisableStandaloneSSE: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	select {
	case err := <-r.done:
		t.Fatalf("it left, %v", err)
	case <-time.After(time.Second): // five times as long as it may be idle
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	if err := r.ended(t); err != nil {
		t.Error(err)
	}
}
