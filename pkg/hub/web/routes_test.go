package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
)

func TestWithoutCredentialTCPShowsNothing(t *testing.T) {
	s := open(t, nil)
	for _, r := range web.Routes() {
		t.Run(r.Method+" "+r.Pattern, func(t *testing.T) {
			got := s.do(t, ask{tcp: true, method: r.Method, path: concrete(r.Pattern), body: bodyFor(r)})
			if r.Access == web.Open {
				if got.status != 200 || got.body != `{"status":"ok"}` {
					t.Errorf("open route answers %d %s; want a content-free ok", got.status, got.body)
				}
				return
			}
			if r.Access == web.Page {
				if got.status != 200 && got.status != 303 || !got.close {
					t.Errorf("a page answers %d, close %t", got.status, got.close)
				}
				return
			}
			if r.Access == web.Broker {
				if got.status != 400 {
					t.Errorf("without a WebSocket it answers %d %s, want 400", got.status, got.body)
				}
				return
			}
			if got.status != 401 || got.err.Code != coord.Unauthorized {
				t.Errorf("got %d %s, want 401", got.status, got.body)
			}
			if !got.close {
				t.Error("a stranger keeps the connection")
			}
		})
	}
	if calls := s.rules.seen(); len(calls) > 0 {
		t.Errorf("reached the rules: %v", calls)
	}
}

// The open routes are named here, so that opening another is a deed.
func TestOnlyHealthAndThePageAreOpen(t *testing.T) {
	var open []string
	for _, r := range web.Routes() {
		if r.Access == web.Open || r.Access == web.Page {
			open = append(open, r.Pattern)
		}
	}
	if diff := cmp.Diff([]string{"/health", "/livez", "/dashboard", "/dashboard/{file...}", "/enter"}, open); diff != "" {
		t.Error(diff)
	}
}

func TestEachRouteServesWhomItIsFor(t *testing.T) {
	callers := []struct {
		name    string
		tcp     bool
		headers map[string]string
		allowed map[web.Access]int // status where it is not 2xx
	}{
		{"user on the socket", false, nil, map[web.Access]int{web.Session: 401}},
		{"user with the token on the socket", false, bearer(token), map[web.Access]int{web.Session: 401}},
		{"session on the socket", false, bearer(string(key)), map[web.Access]int{web.Operator: 403, web.Local: 403}},
		{"user with the token on TCP", true, bearer(token), map[web.Access]int{web.Session: 401, web.Local: 403}},
		{"session on TCP", true, bearer(string(key)), map[web.Access]int{web.Operator: 403, web.Local: 403}},
		{"unknown key on the socket", false, bearer("nope"), map[web.Access]int{web.Member: 401, web.Session: 401, web.Operator: 401, web.Local: 401}},
	}
	for _, c := range callers {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, nil)
			for _, r := range web.Routes() {
				got := s.do(t, ask{tcp: c.tcp, method: r.Method, path: concrete(r.Pattern), body: bodyFor(r), headers: c.headers})
				want, refused := c.allowed[r.Access]
				if r.Access == web.Broker {
					want, refused = 400, true // for want of a WebSocket
				}
				if r.Pattern == "/enter" {
					want, refused = 303, true
				}
				if r.Pattern == "/api/events" && !refused {
					want, refused = 404, true // for want of a log
				}
				if ok := got.status >= 200 && got.status <= 299; ok == refused || refused && got.status != want {
					t.Errorf("%s %s: %d %s, want %d", r.Method, r.Pattern, got.status, got.body, want)
				}
			}
		})
	}
}

func TestUnknownRoutesAnd405AreJSON(t *testing.T) {
	s := open(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/api", 404, ""},
		{"GET", "/api/nothing", 404, ""},
		{"POST", "/api/tools/", 404, ""},
		{"POST", "/api/tools/a/b", 404, ""},
		{"GET", "//health", 404, ""},
		{"GET", "/api/../health", 404, ""},
		{"GET", "/health/", 404, ""},
		{"GET", "/dashboard//", 404, ""},
		{"OPTIONS", "/nothing", 404, ""},
		{"GET", "/api/sessions", 405, "DELETE, POST"},
		{"PUT", "/api/sessions", 405, "DELETE, POST"},
		{"GET", "/api/tools/list_agents", 405, "POST"},
		{"POST", "/health", 405, "GET, HEAD"},
		{"OPTIONS", "/api/status", 405, "GET, HEAD"},
		{"PUT", "/mcp", 405, "DELETE, GET, HEAD, POST"},
		{"POST", "/mqtt", 405, "GET, HEAD"},
		{"TRACE", "/api/stop", 405, "POST"},
	} {
		for _, tcp := range []bool{false, true} {
			got := s.do(t, ask{tcp: tcp, method: c.method, path: c.path})
			if got.status != c.status || got.header.Get("Allow") != c.allow || got.err.RequestID == "" || got.err.RequestID != got.header.Get("X-Request-Id") {
				t.Errorf("%s %s: %d, Allow %q, %s; want %d, Allow %q", c.method, c.path, got.status, got.header.Get("Allow"), got.body, c.status, c.allow)
			}
		}
	}
}

// What a reader misspells is said, and not answered as if it had asked for
// everything or for nothing.
func TestAReadSaysWhatItDoesNotKnow(t *testing.T) {
	s := open(t, nil)
	for _, r := range web.Routes() {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.Pattern, "/api/") || r.Always || r.Pattern == "/api/events" {
			continue // the stream has a test of its own
		}
		path := concrete(r.Pattern)
		if got := s.do(t, ask{method: "GET", path: path + "?nonsense=1"}); got.status != 400 || !strings.Contains(got.err.Message, `"nonsense"`) {
			t.Errorf("%s?nonsense=1: %d %s", path, got.status, got.body)
		}
		if got := s.do(t, ask{method: "GET", path: path + "?project=bakn"}); got.status != 404 || !strings.Contains(got.err.Message, `"bakn"`) {
			t.Errorf("%s?project=bakn: %d %s", path, got.status, got.body)
		}
		if got := s.do(t, ask{method: "GET", path: path + "?project=bank", headers: bearer(string(key))}); got.status != 403 {
			t.Errorf("%s?project=bank as a session of another: %d %s", path, got.status, got.body)
		}
	}
}

func TestEveryAnswerIsSafeInABrowser(t *testing.T) {
	s := open(t, nil)
	for _, a := range []ask{
		{method: "GET", path: "/health"},
		{method: "GET", path: "/nothing"},
		{method: "GET", path: "/api/status", headers: bearer(token)},
		{method: "GET", path: "/api/status"},
		{method: "DELETE", path: "/health"},
		{method: "GET", path: "/health", headers: map[string]string{"Origin": "http://evil.example"}},
		{method: "OPTIONS", path: "/api/sessions", headers: map[string]string{"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}},
	} {
		a.tcp = true
		got := s.do(t, a)
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Cache-Control":           "no-store",
			"Content-Type":            "application/json",
		} {
			if v := got.header.Get(name); v != want {
				t.Errorf("%s %s: %s is %q, want %q", a.method, a.path, name, v, want)
			}
		}
		for name := range got.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s: CORS header %s", a.method, a.path, name)
			}
		}
	}
}

func TestHelloStatusAndReady(t *testing.T) {
	for path, want := range map[string]string{
		"/api/hello":  `{"instance":"i-1","version":"","protocol":0,"pid":7,"home":"","epoch":"","draining":false}`,
		"/readyz":     `{"status":"ok"}`,
		"/api/status": `{"hub":{"instance":"i-1","version":"","started_at":0,"epoch":""},"agents":{"online":0,"peers":null},"threads":{"open":0,"resolving":0,"waiting_for_me":null},"hot_files":null,"mqtt":{"connections":0,"published":0,"dropped":0},"daemon":{"pid":7,"home":"","auto":false,"uptime_seconds":0,"protocol":0,"socket":"","mqtt_socket":"","http":"ADDR","connections":1,"measures_quota":false}}`,
	} {
		s := open(t, nil) // the status counts its connections
		if got := s.do(t, ask{method: http.MethodGet, path: path}); got.status != 200 || strings.Replace(got.body, s.addr, "ADDR", 1) != want {
			t.Errorf("%s: %d\n got %s\nwant %s", path, got.status, got.body, want)
		}
	}
}
