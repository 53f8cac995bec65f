package web_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/coordhq/coord/pkg/hub/web"
)

// tunnels opens a site that gives away the connections it is handed.
func tunnels(t *testing.T) (*site, <-chan net.Conn) {
	handed := make(chan net.Conn, 10)
	return open(t, func(o *web.Options) { o.MQTT = func(c net.Conn) { handed <- c } }), handed
}

// upgrade opens a WebSocket; the error tells how the hub refused it.
func (s *site) upgrade(t *testing.T, headers http.Header, subprotocols ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	o := &websocket.DialOptions{HTTPHeader: headers, Subprotocols: subprotocols, Host: headers.Get("Host"), HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	ws, resp, err := websocket.Dial(t.Context(), "ws://"+s.addr+"/mqtt", o)
	if err == nil {
		t.Cleanup(func() { _ = ws.CloseNow() })
	}
	return ws, resp, err
}

func TestAWebSocketCarriesBytesBothWays(t *testing.T) {
	s, handed := tunnels(t)
	ws, _, err := s.upgrade(t, nil, "other", "mqtt")
	if err != nil {
		t.Fatal(err)
	}
	hub := <-handed
	defer hub.Close()
	if ws.Subprotocol() != "mqtt" {
		t.Errorf("the subprotocol is %q", ws.Subprotocol())
	}
	packet := bytes.Repeat([]byte("p"), 64<<10)
	if err := ws.Write(t.Context(), websocket.MessageBinary, packet); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(packet))
	if _, err := io.ReadFull(hub, got); err != nil || !bytes.Equal(got, packet) {
		t.Errorf("%d bytes came, %v", len(got), err)
	}
	if _, err := hub.Write([]byte("back")); err != nil {
		t.Fatal(err)
	}
	if kind, got, err := ws.Read(t.Context()); err != nil || kind != websocket.MessageBinary || string(got) != "back" {
		t.Errorf("%v %q %v", kind, got, err)
	}
	if !strings.HasPrefix(hub.RemoteAddr().String(), "127.0.0.1:") {
		t.Errorf("the other side is %v", hub.RemoteAddr())
	}
}

// Whoever reads nothing must not hold up the one who closes.
func TestClosingATunnelDoesNotWaitForThePeer(t *testing.T) {
	s, handed := tunnels(t)
	if _, _, err := s.upgrade(t, nil, "mqtt"); err != nil {
		t.Fatal(err)
	}
	hub := <-handed
	reading := make(chan error, 1)
	go func() {
		_, err := hub.Read(make([]byte, 1))
		reading <- err
	}()
	began := time.Now()
	_ = hub.Close()
	if err := <-reading; err == nil {
		t.Error("a read goes on after Close")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("Close took %v", took)
	}
}

func TestAWriteDeadlineHoldsInATunnel(t *testing.T) {
	s, handed := tunnels(t)
	if _, _, err := s.upgrade(t, nil, "mqtt"); err != nil { // it reads nothing
		t.Fatal(err)
	}
	hub := <-handed
	defer hub.Close()
	if err := hub.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err := hub.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
	t.Error("64 MB were written to a peer that reads nothing")
}

func TestOnlyOurOwnPagesOpenAWebSocket(t *testing.T) {
	s, handed := tunnels(t)
	_, port, _ := net.SplitHostPort(s.addr)
	for name, c := range map[string]struct {
		headers http.Header
		subs    []string
		want    int
	}{
		"a program":             {nil, []string{"mqtt"}, 101},
		"our own page":          {http.Header{"Origin": {"http://" + s.addr}}, []string{"mqtt"}, 101},
		"a foreign page":        {http.Header{"Origin": {"http://evil.example"}}, []string{"mqtt"}, 403},
		"a page of a file":      {http.Header{"Origin": {"null"}}, []string{"mqtt"}, 403},
		"our other name":        {http.Header{"Origin": {"http://localhost:" + port}}, []string{"mqtt"}, 403},
		"a foreign host":        {http.Header{"Host": {"evil.example"}}, []string{"mqtt"}, 421},
		"both foreign":          {http.Header{"Host": {"evil.example"}, "Origin": {"http://evil.example"}}, []string{"mqtt"}, 421},
		"another subprotocol":   {nil, []string{"chat"}, 400},
		"without a subprotocol": {nil, nil, 400},
	} {
		ws, resp, err := s.upgrade(t, c.headers, c.subs...)
		if resp == nil {
			t.Fatalf("%s: %v", name, err)
		}
		if resp.StatusCode != c.want || (err == nil) != (c.want == 101) {
			t.Errorf("%s: %d, %v; want %d", name, resp.StatusCode, err, c.want)
		}
		if err == nil {
			_ = (<-handed).Close()
			_ = ws.CloseNow()
		}
	}
	if len(handed) > 0 {
		t.Error("a refused connection was handed on")
	}
}

func TestAHandshakeThatIsNoneIsRefused(t *testing.T) {
	s, handed := tunnels(t)
	for name, request := range map[string]string{
		"no key":      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
		"old version": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
	} {
		got := s.raw(t, true, "GET /mqtt HTTP/1.1\r\nHost: "+s.addr+"\r\nSec-WebSocket-Protocol: mqtt\r\n"+request+"\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if len(handed) > 0 {
		t.Error("it was handed on")
	}
}

// A tunnel is the broker's: neither the drain nor the limits of HTTP know it.
func TestATunnelOutlivesTheHTTPServer(t *testing.T) {
	s, handed := tunnels(t)
	ws, _, err := s.upgrade(t, nil, "mqtt")
	if err != nil {
		t.Fatal(err)
	}
	hub := <-handed
	defer hub.Close()
	if n := s.server.Connections(); n != 0 {
		t.Errorf("HTTP counts %d connections", n)
	}
	if err := s.server.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := hub.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, got, err := ws.Read(t.Context()); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}
