package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
)

// enter gets a link over the unix socket, follows it on TCP, and gives the cookie
// as a browser sends it back.
func (s *site) enter(t *testing.T) (cookie string, used string) {
	t.Helper()
	got := s.do(t, ask{method: "POST", path: "/api/dashboard/link", body: "{}"})
	if got.status != 201 {
		t.Fatalf("no link: %d %s", got.status, got.body)
	}
	var link client.Link
	if err := json.Unmarshal([]byte(got.body), &link); err != nil {
		t.Fatal(err)
	}
	path, ok := strings.CutPrefix(link.URL, "http://"+s.addr)
	if !ok || link.Seconds != 60 {
		t.Fatalf("the link is %+v", link)
	}
	in := s.do(t, ask{tcp: true, method: "GET", path: path})
	if in.status != 303 || in.header.Get("Location") != "/dashboard" {
		t.Fatalf("the link leads to %d %s", in.status, in.header.Get("Location"))
	}
	set, err := http.ParseSetCookie(in.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	if !set.HttpOnly || set.SameSite != http.SameSiteStrictMode || set.Path != "/" || set.Domain != "" {
		t.Errorf("the cookie is %v", set)
	}
	return set.Name + "=" + set.Value, path
}

func TestThePageMayUseNothingButItself(t *testing.T) {
	s := open(t, nil)
	for path, kind := range map[string]string{
		"/dashboard": "text/html; charset=utf-8", "/dashboard/app.js": "text/javascript; charset=utf-8",
		"/dashboard/base.css": "text/css; charset=utf-8", "/dashboard/vendor/htm-preact.js": "text/javascript; charset=utf-8",
	} {
		got := s.do(t, ask{tcp: true, method: "GET", path: path})
		if got.status != 200 || got.header.Get("Content-Type") != kind {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
		policy := got.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: the policy is open: %s", path, policy)
		}
	}
	if got := s.do(t, ask{tcp: true, method: "GET", path: "/dashboard/"}); got.status != 308 || got.header.Get("Location") != "/dashboard" {
		t.Errorf("/dashboard/: %d %s", got.status, got.header.Get("Location"))
	}
	for _, path := range []string{"/dashboard/nothing.js", "/dashboard/vendor", "/dashboard/../server.go", "/dashboard/%2e%2e/server.go", "/dashboard/app.js/", "/dashboard/vendor/%00"} {
		if got := s.do(t, ask{tcp: true, method: "GET", path: path}); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestACookieLetsABrowserReadAndNotMore(t *testing.T) {
	s := open(t, nil)
	cookie, link := s.enter(t)
	if again := s.do(t, ask{tcp: true, method: "GET", path: link}); again.header.Get("Set-Cookie") != "" || again.header.Get("Location") != "/dashboard#used" {
		t.Errorf("a used link gives %q and leads to %s", again.header.Get("Set-Cookie"), again.header.Get("Location"))
	}
	own := "http://" + s.addr
	for name, c := range map[string]struct {
		ask    ask
		status int
	}{
		"read":                      {ask{method: "GET", path: "/api/overview"}, 200},
		"read from another origin":  {ask{method: "GET", path: "/api/overview", headers: map[string]string{"Origin": "http://evil.example"}}, 403},
		"forged cookie":             {ask{method: "GET", path: "/api/overview", headers: map[string]string{"Cookie": cookie[:len(cookie)-3] + "AAA"}}, 401},
		"cookie of another name":    {ask{method: "GET", path: "/api/overview", headers: map[string]string{"Cookie": "coord-1=" + strings.SplitN(cookie, "=", 2)[1]}}, 401},
		"cookie on the unix socket": {ask{method: "POST", path: "/api/tools/x", body: "{}"}, 403},
		"act without proof":         {ask{method: "POST", path: "/api/tools/x", body: "{}", headers: map[string]string{"Origin": own}}, 403},
		"act without origin":        {ask{method: "POST", path: "/api/tools/x", body: "{}", headers: map[string]string{"X-Coord-Dashboard": "1"}}, 403},
		"act":                       {ask{method: "POST", path: "/api/tools/x", body: "{}", headers: map[string]string{"Origin": own, "X-Coord-Dashboard": "1"}}, 200},
		"delete without proof":      {ask{method: "DELETE", path: "/api/leases/L-1", headers: map[string]string{"Origin": own}}, 403},
		"delete":                    {ask{method: "DELETE", path: "/api/leases/L-1", headers: map[string]string{"Origin": own, "X-Coord-Dashboard": "1"}}, 200},
		"act from another site":     {ask{method: "POST", path: "/api/tools/x", body: "{}", headers: map[string]string{"Origin": own, "X-Coord-Dashboard": "1", "Sec-Fetch-Site": "cross-site"}}, 403},
		"a new link, which is for the hub's machine": {ask{method: "POST", path: "/api/dashboard/link", body: "{}", headers: map[string]string{"Origin": own, "X-Coord-Dashboard": "1"}}, 403},
		"stop": {ask{method: "POST", path: "/api/stop", body: `{"reason":"x"}`, headers: map[string]string{"Origin": own, "X-Coord-Dashboard": "1"}}, 403},
	} {
		c.ask.tcp = true
		headers := map[string]string{"Cookie": cookie}
		for k, v := range c.ask.headers {
			headers[k] = v
		}
		c.ask.headers = headers
		if got := s.do(t, c.ask); got.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, c.status)
		}
	}
}

func TestACookieOutlivesItsHub(t *testing.T) {
	first, second := open(t, nil), open(t, nil)
	cookie, _ := first.enter(t)
	_, value, _ := strings.Cut(cookie, "=")
	port := second.addr[strings.LastIndex(second.addr, ":")+1:]
	got := second.do(t, ask{tcp: true, method: "GET", path: "/api/overview", headers: map[string]string{"Cookie": "coord-" + port + "=" + value}})
	if got.status != 200 {
		t.Errorf("with the next hub of the home: %d %s", got.status, got.body)
	}
}

func TestReadsAreOperationsWithTheirArguments(t *testing.T) {
	s := open(t, nil)
	for _, c := range []struct {
		path, op, args string
		project        coord.ProjectID
	}{
		{"/api/overview", "overview", `{}`, ""},
		{"/api/agents?project=shop&limit=5", "view_agents", `{"limit":5}`, "shop"},
		{"/api/threads?live=true&status=open&cursor=20", "view_threads", `{"cursor":"20","live":true,"status":"open"}`, ""},
		{"/api/threads/T-7?since_seq=4", "get_thread", `{"since_seq":4,"thread_id":"T-7"}`, ""},
		{"/api/files?since_minutes=5", "view_files", `{"since_minutes":5}`, ""},
		{"/api/leases", "view_leases", `{}`, ""},
		{"/api/stats", "view_stats", `{}`, ""},
	} {
		before := len(s.rules.seen())
		if got := s.do(t, ask{method: "GET", path: c.path}); got.status != 200 {
			t.Errorf("%s: %d %s", c.path, got.status, got.body)
			continue
		}
		want := call{Op: c.op, Args: c.args, Caller: coord.Caller{Member: "mia", Operator: true, Project: c.project}}
		if diff := cmp.Diff(want, s.rules.seen()[before]); diff != "" {
			t.Errorf("%s: %s", c.path, diff)
		}
	}
	for path, status := range map[string]int{
		"/api/agents?limit=x": 400, "/api/agents?colour=red": 400, "/api/threads?live=perhaps": 400, "/api/agents?limit=1&limit=2": 400,
	} {
		if got := s.do(t, ask{method: "GET", path: path}); got.status != status {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := s.do(t, ask{method: "GET", path: "/api/agents?project=bank", headers: bearer(string(key))}); got.status != 403 {
		t.Errorf("a session that asks for another project: %d %s", got.status, got.body)
	}
	if got := s.do(t, ask{method: "GET", path: "/api/agents?project=shop", headers: bearer(string(key))}); got.status != 200 {
		t.Errorf("a session that names its own project: %d %s", got.status, got.body)
	}
}
