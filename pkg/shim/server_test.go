package shim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/shim"
	"github.com/coordhq/coord/pkg/tool"
)

// initialized is the result of initialize.
type initialized struct {
	ProtocolVersion string          `json:"protocolVersion"`
	Capabilities    json.RawMessage `json:"capabilities"`
	Instructions    string          `json:"instructions"`
	ServerInfo      struct{ Name, Version string }
}

func decode[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

func TestInitializeIsAnsweredWithoutAHub(t *testing.T) {
	for asked, want := range map[string]string{
		"2024-11-05": "2024-11-05", "2025-03-26": "2025-03-26", "2025-06-18": "2025-06-18", "2025-11-25": "2025-11-25",
		"2026-07-28": "2025-11-25", "some day": "2025-11-25",
	} {
		peer := startShim(t, newHome(t), nil)
		m := peer.ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, asked))
		got := decode[initialized](t, m.Result)
		if got.ProtocolVersion != want {
			t.Errorf("asked for %s, got %s, want %s", asked, got.ProtocolVersion, want)
		}
		if diff := cmp.Diff(`{"tools":{}}`, string(got.Capabilities)); diff != "" {
			t.Errorf("capabilities (-want +got):\n%s", diff)
		}
		if got.Instructions != tool.Instructions || got.ServerInfo.Name != "coord" || got.ServerInfo.Version != "v1.2.3" {
			t.Errorf("the server says of itself: %+v", got)
		}
	}
}

func TestASecondInitializeIsAnsweredLikeTheFirst(t *testing.T) {
	home := newHome(t)
	h := startHub(t, home)
	peer := startShim(t, home, nil)
	peer.introduce("x")
	m := peer.ask(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`)
	if m.Error != nil {
		t.Fatal(m.Error.Message)
	}
	if got := decode[initialized](t, m.Result); got.ProtocolVersion != "2025-06-18" || got.Instructions != tool.Instructions {
		t.Errorf("the second answer is %+v", got)
	}
	peer.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	if text, isError := peer.call(1, "coordinator_status", `{}`); isError {
		t.Errorf("a call afterwards: %s", text)
	}
	h.with(func() {
		if n := len(h.registrations); n != 1 {
			t.Errorf("registered %d times, want once", n)
		}
	})
}

func TestTheFirstCallRegistersWhenNobodySaidInitialized(t *testing.T) {
	home := newHome(t)
	startHub(t, home)
	peer := startShim(t, home, nil)
	peer.ask(fmt.Sprintf(hello, "x"))
	if text, isError := peer.call(1, "coordinator_status", `{}`); isError {
		t.Error(text)
	}
}

// listed is one tool of tools/list; members that must not be there are not in it.
type listed struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"inputSchema"`
	Annotations json.RawMessage `json:"annotations,omitempty"`
	Meta        json.RawMessage `json:"_meta,omitempty"`
}

func TestTheToolListIsTheTable(t *testing.T) {
	for _, core := range []bool{false, true} {
		peer := startShim(t, newHome(t), func(o *shim.Options) { o.Core = core })
		peer.introduce("x")
		m := peer.ask(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		var want []listed
		for _, op := range tool.Offered(core) {
			l := listed{Name: op.Name, Description: op.Text, InputSchema: op.Schema()}
			if op.ReadOnly {
				l.Annotations = json.RawMessage(`{"readOnlyHint":true}`)
			}
			if op.AlwaysLoad {
				l.Meta = json.RawMessage(`{"anthropic/alwaysLoad":true}`)
			}
			want = append(want, l)
		}
		got := decode[struct{ Tools []listed }](t, m.Result)
		if diff := cmp.Diff(want, got.Tools); diff != "" {
			t.Errorf("core %v (-want +got):\n%s", core, diff)
		}
		limit := 20 << 10
		if core {
			limit = 7 << 10
		}
		if len(m.Result) > limit {
			t.Errorf("core %v: the list has %d bytes, want at most %d", core, len(m.Result), limit)
		}
	}
}

func TestTheListIsTheSameInEveryProtocol(t *testing.T) {
	var first json.RawMessage
	for _, version := range []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"} {
		peer := startShim(t, newHome(t), nil)
		peer.ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, version))
		list := peer.ask(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}`).Result
		if first == nil {
			first = list
		}
		if diff := cmp.Diff(string(first), string(list)); diff != "" {
			t.Errorf("%s (-first +got):\n%s", version, diff)
		}
	}
}

// The official client library must be content with us.
func TestTheSDKClientIsServed(t *testing.T) {
	home := newHome(t)
	h := startHub(t, home)
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	s, err := shim.New(shim.Options{Stdin: stdin, Stdout: stdout, Home: home, Dir: t.TempDir(), Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()); _ = stdout.Close() }()

	c := mcp.NewClient(&mcp.Implementation{Name: "sdk", Version: "1"}, nil)
	session, err := c.Connect(t.Context(), &mcp.IOTransport{Reader: out, Writer: in}, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := session.ListTools(t.Context(), nil)
	if err != nil || len(list.Tools) != len(tool.Offered(false)) {
		t.Errorf("%d tools, %v", len(list.Tools), err)
	}
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "coordinator_status"})
	if err != nil || res.IsError {
		t.Fatalf("%+v, %v", res, err)
	}
	if text := res.Content[0].(*mcp.TextContent).Text; text != `{"ok":true}` {
		t.Errorf("got %s", text)
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	h.with(func() {
		if diff := cmp.Diff("sdk", h.registrations[0].Client.Name); diff != "" {
			t.Errorf("registered client (-want +got):\n%s", diff)
		}
	})
}
