package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/hub/web"
)

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestCallsAreRateLimitedPerAgentAndDoor(t *testing.T) {
	for _, c := range []struct {
		name  string
		tcp   bool
		burst int
		want  string
	}{
		{"unix", false, 500, "limit of 200 calls per second and agent (burst 500)"},
		{"TCP", true, 60, "limit of 20 calls per second and agent (burst 60)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Real time passes here, so let next to nothing come back meanwhile.
			s := open(t, func(o *web.Options) { o.Limits.Rate, o.Limits.LocalRate = 0.001, 0.001 })
			conn := s.dial(t, c.tcp)
			defer conn.Close()
			call := func() reply {
				req := newRequest(t, "POST", "http://"+s.addr+"/api/tools/x", strings.NewReader("{}"))
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Authorization", "Bearer "+string(key))
				return exchange(t, conn, req)
			}
			for i := range c.burst {
				if got := call(); got.status != 200 {
					t.Fatalf("call %d: %d %s", i+1, got.status, got.body)
				}
			}
			got := call()
			if got.status != 429 || !strings.Contains(got.err.Message, "burst ") || got.header.Get("Retry-After") == "" {
				t.Errorf("call %d: %d %s", c.burst+1, got.status, got.body)
			}
			if got := s.do(t, ask{tcp: c.tcp, method: "POST", path: "/api/tools/x", body: "{}", headers: bearer(token)}); got.status != 200 {
				t.Errorf("another caller: %d %s", got.status, got.body)
			}
			if got := s.do(t, ask{tcp: !c.tcp, method: "POST", path: "/api/tools/x", body: "{}", headers: bearer(string(key))}); got.status != 200 {
				t.Errorf("the same agent on the other door: %d %s", got.status, got.body)
			}
			if got := s.do(t, ask{tcp: c.tcp, method: "GET", path: "/api/hello", headers: bearer(string(key))}); got.status != 200 {
				t.Errorf("a handshake counts as a call: %d", got.status)
			}
		})
	}
}

func TestTheDefaultRatesAreTheContracts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := bubble(t, &rules{})
		conn := dial()
		defer conn.Close()
		reader := bufio.NewReader(conn)
		call := func() int {
			req := newRequest(t, "POST", "http://127.0.0.1:3100/api/tools/x", strings.NewReader("{}"))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
			if err := req.Write(conn); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(reader, req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.StatusCode
		}
		count := func() (served int) {
			for call() == 200 {
				served++
			}
			return served
		}
		if n := count(); n != 60 {
			t.Errorf("a burst of %d calls, want 60", n)
		}
		time.Sleep(time.Second) // of the bubble
		if n := count(); n != 20 {
			t.Errorf("%d calls after a second, want 20", n)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// bubble is a server for synctest: a TCP door made of pipes.
func bubble(t *testing.T, r *rules) (s *web.Server, dial func() net.Conn) {
	s, err := web.New(web.Options{Rules: r, Hello: func() client.Hello { return client.Hello{} }, Token: token, Member: "mia"})
	if err != nil {
		t.Fatal(err)
	}
	l := pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	go func() {
		if err := s.Serve(l, false); err != nil {
			t.Error(err)
		}
	}()
	return s, func() net.Conn {
		near, far := net.Pipe()
		l.conns <- far
		return near
	}
}

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
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3100} }

func TestASilentOrSlowStrangerIsClosedAfter5Seconds(t *testing.T) {
	for name, first := range map[string]string{"silent": "", "slow headers": "GET /health HTTP/1.1\r\nHost: "} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dial := bubble(t, &rules{})
				conn := dial()
				start := time.Now()
				if _, err := io.WriteString(conn, first); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, conn)
				if took := time.Since(start); took != 5*time.Second {
					t.Errorf("closed after %v, want 5 s", took)
				}
				_ = conn.Close()
				if err := s.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestACallMayWaitFor100Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := bubble(t, &rules{on: func(ctx context.Context, _ string) (json.RawMessage, error) {
			select {
			case <-time.After(100 * time.Second):
				return json.RawMessage(`{"waited":true}`), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
		conn := dial()
		req := newRequest(t, "POST", "http://127.0.0.1:3100/api/tools/wait_for_message", strings.NewReader("{}"))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		if got := exchange(t, conn, req); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
		_ = conn.Close()
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestHeadersOver16KiBAreRefused(t *testing.T) {
	s := open(t, nil)
	got := s.raw(t, false, "GET /health HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 32<<10)+"\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("got %q", got)
	}
}

func TestStrangersCannotCrowdOutThoseWithACredential(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Limits.Strangers = 3 })
	// A connection that has shown a credential is no stranger any more.
	known := s.dial(t, true)
	defer known.Close()
	hello := func() reply {
		req := newRequest(t, "GET", "http://"+s.addr+"/api/hello", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		return exchange(t, known, req)
	}
	if got := hello(); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for range 3 {
		defer s.dial(t, true).Close()
	}
	if got := s.do(t, ask{tcp: true, method: "GET", path: "/health"}); got.status != 503 || !strings.Contains(got.err.Message, "limit of 3 connections without a credential") {
		t.Errorf("the fourth stranger: %d %s", got.status, got.body)
	}
	if got := hello(); got.status != 200 {
		t.Errorf("the known connection: %d", got.status)
	}
	if got := s.do(t, ask{method: "GET", path: "/health"}); got.status != 200 {
		t.Errorf("the unix socket: %d", got.status)
	}
}

func TestEachLimitOfConnectionsIsNamed(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Limits.LocalConnections, o.Limits.Connections = 2, 2 })
	for _, c := range []struct {
		tcp  bool
		want string
	}{{false, "limit of 2 connections on the unix socket"}, {true, "limit of 2 connections on TCP"}} {
		for range 2 {
			defer s.dial(t, c.tcp).Close()
		}
		if got := s.do(t, ask{tcp: c.tcp, method: "GET", path: "/health"}); got.status != 503 || !strings.Contains(got.err.Message, c.want) {
			t.Errorf("%d %s; want 503 with %q", got.status, got.body, c.want)
		}
	}
}

func TestAConnectionThatClosesMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := bubble(t, &rules{})
		var held []net.Conn
		for range 64 { // the limit of strangers
			held = append(held, dial())
		}
		over := dial()
		if got, _ := io.ReadAll(over); !strings.Contains(string(got), "limit of 64 connections without a credential") {
			t.Errorf("over the limit: %q", got)
		}
		_ = held[0].Close()
		synctest.Wait()
		held[0] = dial()
		if got := exchange(t, held[0], newRequest(t, "GET", "http://127.0.0.1:3100/health", nil)); got.status != 200 {
			t.Errorf("after one has gone: %d %s", got.status, got.body)
		}
		for _, conn := range append(held, over) {
			_ = conn.Close()
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOptionsNameTheWrongField(t *testing.T) {
	ok := web.Options{Rules: &rules{}, Hello: func() client.Hello { return client.Hello{} }, Member: "mia"}
	for want, change := range map[string]func(*web.Options){
		"Rules":  func(o *web.Options) { o.Rules = nil },
		"Hello":  func(o *web.Options) { o.Hello = nil },
		"Member": func(o *web.Options) { o.Member = "" },
		"Limits": func(o *web.Options) { o.Limits.Burst = -1 },
	} {
		o := ok
		change(&o)
		if _, err := web.New(o); err == nil || !strings.Contains(err.Error(), "Options."+want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
