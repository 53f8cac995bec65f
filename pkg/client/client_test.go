package client_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == strangerVerb {
		os.Exit(stranger(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "client-") // not t.TempDir: a socket path must stay short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "hub.sock")
}

func listen(t *testing.T, socket string) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// serve answers on a unix socket and gives a client of it.
func serve(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	socket := socketPath(t)
	start(t, socket, h)
	return dial(t, socket)
}

func start(t *testing.T, socket string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := &httptest.Server{Listener: listen(t, socket), Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, socket string) *client.Client {
	t.Helper()
	c := client.Dial(socket)
	t.Cleanup(c.Close)
	return c
}

// seen is a request as the hub got it.
type seen struct {
	Request     string
	Body        string
	Bearer      string
	Idempotency string
	ContentType string
}

func TestEachMethodMakesItsRequest(t *testing.T) {
	ctx := t.Context()
	for name, tc := range map[string]struct {
		answer string
		call   func(*client.Client) (any, error)
		want   seen
		got    any
	}{
		"hello": {`{"instance":"i","version":"v1","protocol":1,"pid":7,"home":"/h","epoch":"e","draining":true}`,
			func(c *client.Client) (any, error) { return c.Hello(ctx) },
			seen{Request: "GET /api/hello"},
			client.Hello{Instance: "i", Version: "v1", Protocol: 1, PID: 7, Home: "/h", Epoch: "e", Draining: true}},
		"register": {`{"agent_id":"ag-1","session_key":"k","head":3}`,
			func(c *client.Client) (any, error) {
				return c.Register(ctx, coord.Registration{Client: coord.ClientInfo{Name: "x"}, Project: "p"})
			},
			seen{Request: "POST /api/sessions", Body: `{"client":{"name":"x"},"project":"p","workspace":"","host_id":""}`, ContentType: "application/json"},
			coord.Registered{AgentID: "ag-1", SessionKey: "k", Head: 3}},
		"leave": {``,
			func(c *client.Client) (any, error) { return nil, c.Leave(ctx, "k") },
			seen{Request: "DELETE /api/sessions", Bearer: "Bearer k"}, nil},
		"call": {`{"big":9007199254740993}`,
			func(c *client.Client) (any, error) {
				return c.Call(ctx, "k", "announce_work", json.RawMessage(`{"a": 1}`), "n-1")
			},
			seen{Request: "POST /api/tools/announce_work", Body: `{"a": 1}`, Bearer: "Bearer k", Idempotency: "n-1", ContentType: "application/json"},
			json.RawMessage(`{"big":9007199254740993}`)},
		"call without arguments": {`{}`,
			func(c *client.Client) (any, error) { return c.Call(ctx, "k", "x/../y", nil, "") },
			seen{Request: "POST /api/tools/x%2F..%2Fy", Body: `{}`, Bearer: "Bearer k", ContentType: "application/json"},
			json.RawMessage(`{}`)},
		"stop": {``,
			func(c *client.Client) (any, error) { return nil, c.Stop(ctx, "upgrade") },
			seen{Request: "POST /api/stop", Body: `{"reason":"upgrade"}`, ContentType: "application/json"}, nil},
		"status": {`{"hub":1}`,
			func(c *client.Client) (any, error) { return c.Status(ctx) },
			seen{Request: "GET /api/status"}, json.RawMessage(`{"hub":1}`)},
	} {
		t.Run(name, func(t *testing.T) {
			var got seen
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				got = seen{Request: r.Method + " " + r.URL.EscapedPath(), Body: string(body), Bearer: r.Header.Get("Authorization"),
					Idempotency: r.Header.Get("Idempotency-Key"), ContentType: r.Header.Get("Content-Type")}
				_, _ = io.WriteString(w, tc.answer)
			})
			out, err := tc.call(c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.got, out); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusalKeepsCodeAndWords(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		code   coord.Code
		words  string
	}{
		"worded":            {409, `{"code":"conflict","message":"T-1 has ended; open another","request_id":"r-9"}`, coord.Conflict, "T-1 has ended; open another"},
		"code counts":       {400, `{"code":"too_large","message":"m"}`, coord.TooLarge, "m"},
		"401 counts":        {401, `{"code":"invalid","message":"m"}`, coord.Unauthorized, "m"},
		"503 counts":        {503, `{"code":"internal","message":"draining"}`, coord.Unavailable, "draining"},
		"cannot store":      {507, `{"code":"storage","message":"the disk is full; free space"}`, coord.Storage, "the disk is full; free space"},
		"no body":           {404, ``, coord.NotFound, "404"},
		"not JSON":          {413, `<html>`, coord.TooLarge, "413"},
		"unknown status":    {418, ``, coord.Internal, "418"},
		"redirect is none":  {307, ``, coord.Internal, "307"},
		"server's own fail": {500, `{"code":"internal","message":"m"}`, coord.Internal, "m"},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header().Set("Location", "/api/status")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			_, err := c.Call(t.Context(), "k", "op", nil, "")
			if coord.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.words) {
				t.Errorf("error %v with code %q, want %q saying %q", err, coord.CodeOf(err), tc.code, tc.words)
			}
			if client.Sent(err) {
				t.Error("a refused call counts as one that may have had its effect")
			}
			if requests != 1 {
				t.Errorf("%d requests, want 1", requests)
			}
		})
	}
}

func TestNoHubIsUnavailableAndNothingWasSent(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, socket string){
		"no socket": func(*testing.T, string) {},
		"stale socket": func(t *testing.T, socket string) {
			l := listen(t, socket).(*net.UnixListener)
			l.SetUnlinkOnClose(false)
			_ = l.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			socket := socketPath(t)
			prepare(t, socket)
			_, err := dial(t, socket).Call(t.Context(), "k", "op", nil, "")
			if coord.CodeOf(err) != coord.Unavailable || client.Sent(err) {
				t.Errorf("error %v, code %q, sent %v; want unavailable, not sent", err, coord.CodeOf(err), client.Sent(err))
			}
		})
	}
}

func TestConnectGivesABareConnection(t *testing.T) {
	socket := socketPath(t)
	if _, err := client.Connect(t.Context(), socket); coord.CodeOf(err) != coord.Unavailable {
		t.Errorf("error %v without a listener, want code %q", err, coord.Unavailable)
	}
	l := listen(t, socket)
	conn, err := client.Connect(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if _, err := io.WriteString(conn, "x\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(far).ReadString('\n'); err != nil || line != "x\n" {
		t.Errorf("the other end got %q (%v)", line, err)
	}
}

func TestHubThatGoesAwayMayHaveActed(t *testing.T) {
	for name, answer := range map[string]string{
		"before the answer": "",
		"in the answer":     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			socket := socketPath(t)
			l := listen(t, socket)
			done := make(chan struct{})
			go func() {
				defer close(done)
				conn, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(conn, answer)
			}()
			_, err := dial(t, socket).Call(t.Context(), "k", "op", nil, "")
			<-done
			if coord.CodeOf(err) != coord.Unavailable || !client.Sent(err) {
				t.Errorf("error %v, code %q, sent %v; want unavailable, sent", err, coord.CodeOf(err), client.Sent(err))
			}
		})
	}
}

func TestRepetitionThatFindsNoHubDoesNotHideTheFirstAttempt(t *testing.T) {
	socket := socketPath(t)
	l := listen(t, socket)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for _, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", ""} {
			if r, err := http.ReadRequest(in); err != nil {
				t.Error(err)
			} else if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Error(err)
			}
			if answer == "" {
				_ = l.Close() // the hub dies with the second request in its hands
			}
			_, _ = io.WriteString(conn, answer)
		}
	}()
	c := dial(t, socket)
	if _, err := c.Call(t.Context(), "k", "op", nil, "n-1"); err != nil {
		t.Fatal(err)
	}
	_, err := c.Call(t.Context(), "k", "op", nil, "n-2")
	<-done
	if coord.CodeOf(err) != coord.Unavailable || !client.Sent(err) {
		t.Errorf("error %v, code %q, sent %v; want unavailable, sent", err, coord.CodeOf(err), client.Sent(err))
	}
}

func TestCancelledCallEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server sees the client go only after the body
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Call(ctx, "k", "op", nil, "")
	if coord.CodeOf(err) != coord.Unavailable || !client.Sent(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, sent %v; want unavailable, sent, cancelled", err, client.Sent(err))
	}
}

func TestAnswerOverTheLimitIsRefused(t *testing.T) {
	const limit = 4 << 20
	var size atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, size.Load()))
	})
	size.Store(limit)
	if out, err := c.Status(t.Context()); err != nil || len(out) != limit {
		t.Errorf("%d bytes, %v; want the whole answer of %d", len(out), err, limit)
	}
	size.Store(limit + 1)
	if _, err := c.Status(t.Context()); coord.CodeOf(err) != coord.TooLarge {
		t.Errorf("error %v, want code %q", err, coord.TooLarge)
	}
}

func TestConnectionIsKept(t *testing.T) {
	socket := socketPath(t)
	l := &counter{Listener: listen(t, socket)}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}")
	})}}
	s.Start()
	defer s.Close()
	c := dial(t, socket)
	for range 20 {
		if _, err := c.Call(t.Context(), "k", "op", nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.accepted.Load(); n != 1 {
		t.Errorf("%d connections for 20 calls, want 1", n)
	}
}

type counter struct {
	net.Listener
	accepted atomic.Int64
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}

func TestNextHubAtTheSocketIsFound(t *testing.T) {
	socket := socketPath(t)
	c := dial(t, socket)
	for _, name := range []string{"first", "second"} {
		s := start(t, socket, func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(client.Hello{Instance: name})
		})
		if h, err := c.Hello(t.Context()); err != nil || h.Instance != name {
			t.Errorf("hello of %q (%v), want %q", h.Instance, err, name)
		}
		s.Close()
	}
}

func TestWhatIsNoHubIsSaidToBeNone(t *testing.T) {
	for _, answer := range []string{`{}`, `[]`, `hi`} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		if h, err := c.Hello(t.Context()); coord.CodeOf(err) != coord.Internal {
			t.Errorf("answer %s: hello %+v, error %v; want code %q", answer, h, err, coord.Internal)
		}
	}
}
