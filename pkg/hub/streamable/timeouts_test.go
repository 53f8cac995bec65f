package streamable_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/hub/web"
)

// pipes is a TCP listener whose connections stay inside a bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	close(p.closed)
	return nil
}

func (pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3100} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- far
	return near, nil
}

// served puts the door of a bubble behind a real HTTP server, with its timeouts.
func (b *bubble) served() *http.Client {
	server, err := web.New(web.Options{Rules: b.hub, Hello: func() client.Hello { return client.Hello{} }, Token: token, Member: member, MCP: b.door})
	if err != nil {
		b.t.Fatal(err)
	}
	l := pipes{make(chan net.Conn), make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l, false) }()
	transport := &http.Transport{DialContext: l.dial}
	b.t.Cleanup(func() {
		_ = b.door.Stop(context.Background())
		transport.CloseIdleConnections()
		if err := server.Stop(context.Background()); err != nil {
			b.t.Error(err)
		}
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	})
	return &http.Client{Transport: &bearer{token, transport}}
}

func (b *bubble) request(method, id, body string) *http.Request {
	r, err := http.NewRequestWithContext(b.t.Context(), method, "http://127.0.0.1:3100/mcp?project="+string(shop), strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if id != "" {
		r.Header.Set("Mcp-Session-Id", id)
	}
	return r
}

// A request has 30 s to arrive and its answer 150 s to be written; neither may
// end what takes longer by its nature.
func TestTheTimeoutsOfHTTPSpareWaitsAndStreams(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		c := b.served()
		id := b.joined()
		stream, err := c.Do(b.request(http.MethodGet, id, ""))
		if err != nil || stream.StatusCode != http.StatusOK {
			b.t.Fatalf("%v, %v", stream, err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, stream.Body)
			ended <- err
		}()

		resp, err := c.Do(b.request(http.MethodPost, id, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait_for_message","arguments":{"timeout_seconds":50}}}`))
		if err != nil {
			b.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(body), `\"timeout\":true`) {
			b.t.Errorf("a wait of 50 s ends with %q, %v", body, err)
		}

		time.Sleep(time.Hour)
		if len(ended) > 0 {
			b.t.Error("the stream has ended within an hour")
		}
		if resp, err := c.Do(b.request(http.MethodDelete, id, "")); err != nil || resp.StatusCode != http.StatusNoContent {
			b.t.Fatalf("%v, %v", resp, err)
		}
		if err := <-ended; err != nil {
			b.t.Errorf("the stream ends with %v", err)
		}
	})
}
