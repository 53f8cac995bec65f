package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
)

// hostile are headers a page in the user's browser, or a name pointed at us,
// would bring along. Each is sent with a right credential, so that only the
// guard stands.
var hostile = []struct {
	name   string
	header string
	value  string
	status int
	posts  bool // harmless on GET
}{
	{"foreign host", "Host", "evil.example", 421, false},
	{"foreign host with our port", "Host", "evil.example:PORT", 421, false},
	{"host that begins like ours", "Host", "localhost.evil.example:PORT", 421, false},
	{"address that begins like ours", "Host", "127.0.0.1.evil.example:PORT", 421, false},
	{"our address without the port", "Host", "127.0.0.1", 421, false},
	{"our name, another port", "Host", "localhost:1", 421, false},
	{"another loopback address", "Host", "127.0.0.2:PORT", 421, false},
	{"user in the host", "Host", "localhost:PORT@evil.example", 421, false},
	{"foreign origin", "Origin", "http://evil.example", 403, false},
	{"null origin", "Origin", "null", 403, false},
	{"our name as origin, another port", "Origin", "http://127.0.0.1:1", 403, false},
	{"our other name as origin", "Origin", "http://localhost:PORT", 403, false},
	{"https origin", "Origin", "https://127.0.0.1:PORT", 403, false},
	{"extension origin", "Origin", "chrome-extension://abcdef", 403, false},
	{"cross-site fetch", "Sec-Fetch-Site", "cross-site", 403, true},
	{"same-site fetch", "Sec-Fetch-Site", "same-site", 403, true},
	{"form", "Content-Type", "application/x-www-form-urlencoded", 415, true},
	{"upload", "Content-Type", "multipart/form-data; boundary=x", 415, true},
	{"plain text", "Content-Type", "text/plain", 415, true},
	{"JSON look-alike", "Content-Type", "application/json-patch+json", 415, true},
	{"no content type", "Content-Type", "", 415, true},
}

func TestNoWebPageGetsThrough(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Limits.Burst = 1000 })
	_, port, _ := strings.Cut(s.addr, ":")
	for _, r := range web.Routes() {
		t.Run(r.Method+" "+r.Pattern, func(t *testing.T) {
			for _, h := range hostile {
				body := bodyFor(r)
				if h.posts && (r.Method == http.MethodGet || h.header == "Content-Type" && body == "") {
					continue
				}
				headers := bearer(token)
				headers[h.header] = strings.ReplaceAll(h.value, "PORT", port)
				got := s.do(t, ask{tcp: true, method: r.Method, path: concrete(r.Pattern), body: body, headers: headers})
				if got.status != h.status {
					t.Errorf("%s: %d %s, want %d", h.name, got.status, got.body, h.status)
				}
			}
		})
	}
	if calls := s.rules.seen(); len(calls) > 0 {
		t.Errorf("reached the rules: %v", calls)
	}
}

func TestHostsThatNoClientLibrarySends(t *testing.T) {
	s := open(t, nil)
	_, port, _ := strings.Cut(s.addr, ":")
	for name, head := range map[string]string{
		"IPv6 zone":     "GET /health HTTP/1.1\r\nHost: [::1%25lo]:" + port + "\r\n",
		"empty":         "GET /health HTTP/1.1\r\nHost:\r\n",
		"none":          "GET /health HTTP/1.0\r\n",
		"absolute form": "GET http://evil.example/health HTTP/1.1\r\nHost: " + s.addr + "\r\n",
	} {
		if got := s.raw(t, true, head+"Connection: close\r\n\r\n"); !strings.Contains(got, " 421 ") {
			t.Errorf("%s: %q, want 421", name, got)
		}
	}
	for name, head := range map[string]string{
		"two hosts":  "GET /health HTTP/1.1\r\nHost: " + s.addr + "\r\nHost: evil.example\r\n",
		"two bodies": "POST /api/stop HTTP/1.1\r\nHost: " + s.addr + "\r\nContent-Length: 2\r\nTransfer-Encoding: gzip\r\n",
	} {
		if got := s.raw(t, true, head+"Connection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.1 501 ") {
			t.Errorf("%s: %q, want a refusal", name, got)
		}
	}
}

func TestOwnPagesAndToolsGetThrough(t *testing.T) {
	s := open(t, nil)
	_, port, _ := strings.Cut(s.addr, ":")
	for _, headers := range []map[string]string{
		{},
		{"Origin": "http://127.0.0.1:" + port, "Sec-Fetch-Site": "same-origin"},
		{"Host": "localhost:" + port, "Origin": "http://localhost:" + port},
		{"Host": "LocalHost:" + port},
		{"Host": "[::1]:" + port, "Sec-Fetch-Site": "none"},
		{"Content-Type": "application/json; charset=utf-8"},
	} {
		headers["Authorization"] = "bearer " + token
		if got := s.do(t, ask{tcp: true, method: "POST", path: "/api/tools/x", body: "{}", headers: headers}); got.status != 200 {
			t.Errorf("%v: %d %s", headers, got.status, got.body)
		}
	}
}

func TestNoPageReachesTheSocket(t *testing.T) {
	s := open(t, nil)
	got := s.do(t, ask{method: "GET", path: "/api/status", headers: map[string]string{"Origin": "http://" + s.addr}})
	if got.status != 403 {
		t.Errorf("got %d, want 403 for any Origin on the unix socket", got.status)
	}
}

func TestAConnectionOfAnotherUserIsClosedWithoutAByte(t *testing.T) {
	s := open(t, func(o *web.Options) { o.OwnUID = os.Geteuid() + 1 })
	if got := s.raw(t, false, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); got != "" {
		t.Errorf("answered %q; want a closed connection", got)
	}
	if got := s.do(t, ask{tcp: true, method: "GET", path: "/health"}); got.status != 200 {
		t.Error("the other door suffers")
	}
}

func TestTheCallerIsTheConnectionsNeverTheBodys(t *testing.T) {
	s := open(t, nil)
	body := `{"agent_id":"ag-bob","member":"bob"}`
	s.do(t, ask{method: "POST", path: "/api/tools/post_to_thread", body: body, headers: map[string]string{"Authorization": "Bearer " + string(key), "Idempotency-Key": "k1"}})
	s.do(t, ask{tcp: true, method: "POST", path: "/api/tools/list_agents?project=shop", body: "{}", headers: bearer(token)})
	s.do(t, ask{method: "POST", path: "/api/sessions", body: bodyFor(web.Route{Method: "POST", Pattern: "/api/sessions"})})
	s.do(t, ask{tcp: true, method: "DELETE", path: "/api/sessions", headers: bearer(string(key))})
	want := []call{
		{Op: "post_to_thread", Caller: alice, Args: body, Key: "k1"},
		{Op: "list_agents", Caller: coord.Caller{Member: "mia", Operator: true, Project: "shop"}, Args: "{}"},
		{Op: "register", Caller: coord.Caller{Member: "mia", Operator: true}, Member: "mia"},
		{Op: "leave", Caller: alice},
	}
	if diff := cmp.Diff(want, s.rules.seen()); diff != "" {
		t.Error(diff)
	}
}

func TestCredentialsInOddForms(t *testing.T) {
	s := open(t, nil)
	for name, value := range map[string]string{
		"other scheme": "Basic " + token,
		"no scheme":    token,
		"empty bearer": "Bearer ",
		"bare scheme":  "Bearer",
		"two words":    "Bearer " + token + " x",
	} {
		got := s.do(t, ask{method: "GET", path: "/api/hello", headers: map[string]string{"Authorization": value}})
		if got.status != 401 {
			t.Errorf("%s: %d, want 401", name, got.status)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.addr+"/api/hello", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Authorization"] = []string{"Bearer " + token, "Bearer " + string(key)}
	conn := s.dial(t, true)
	defer conn.Close()
	if got := exchange(t, conn, req); got.status != 401 {
		t.Errorf("two credentials: %d, want 401", got.status)
	}
}

func TestWithoutATokenTCPTakesOnlySessions(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Token = "" })
	if got := s.do(t, ask{tcp: true, method: "GET", path: "/api/hello", headers: bearer("")}); got.status != 401 {
		t.Errorf("an empty bearer passes as the missing token: %d", got.status)
	}
	if got := s.do(t, ask{tcp: true, method: "GET", path: "/api/hello", headers: bearer(string(key))}); got.status != 200 {
		t.Errorf("session key: %d", got.status)
	}
}

func TestGuessingIsSlowedAndTheOwnerIsNot(t *testing.T) {
	s := open(t, nil)
	guess := ask{tcp: true, method: "GET", path: "/api/hello", headers: bearer("guess")}
	var slowed int
	for range 200 {
		switch got := s.do(t, guess); got.status {
		case 429:
			slowed++
			if !strings.Contains(got.err.Message, "limit of 5 failed") || got.header.Get("Retry-After") == "" {
				t.Fatalf("429 does not name its limit: %s", got.body)
			}
		case 401:
		default:
			t.Fatalf("got %d", got.status)
		}
	}
	if slowed < 190 {
		t.Errorf("%d of 200 guesses were slowed, want at least 190", slowed)
	}
	if got := s.do(t, ask{tcp: true, method: "GET", path: "/api/hello", headers: bearer(token)}); got.status != 200 {
		t.Errorf("the owner gets %d", got.status)
	}
}

func TestAPanicIsA500AndTheHubGoesOn(t *testing.T) {
	s := open(t, nil)
	s.rules.on = func(context.Context, string) (json.RawMessage, error) { panic("secret detail") }
	got := s.do(t, ask{method: "POST", path: "/api/tools/x", body: "{}"})
	if got.status != 500 || got.err.Code != coord.Internal || strings.Contains(got.body, "secret") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.do(t, ask{method: "GET", path: "/health"}); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestErrorsKeepTheirCodeAndHideTheirCause(t *testing.T) {
	s := open(t, nil)
	for code, status := range map[coord.Code]int{
		coord.Invalid: 400, coord.Unauthorized: 401, coord.Forbidden: 403, coord.NotFound: 404, coord.Conflict: 409,
		coord.TooLarge: 413, coord.RateLimited: 429, coord.Internal: 500, coord.Unavailable: 503, coord.Storage: 507,
	} {
		s.rules.on = func(context.Context, string) (json.RawMessage, error) {
			return nil, &coord.Error{Code: code, What: "it is so", Next: "do this", Err: errors.New("secret cause")}
		}
		got := s.do(t, ask{method: "POST", path: "/api/tools/x", body: "{}"})
		if got.status != status || got.err.Code != code || got.err.Message != "it is so; do this" || strings.Contains(got.body, "secret") {
			t.Errorf("%s: %d %s, want %d", code, got.status, got.body, status)
		}
	}
	s.rules.on = func(context.Context, string) (json.RawMessage, error) { return nil, errors.New("secret cause") }
	if got := s.do(t, ask{method: "POST", path: "/api/tools/x", body: "{}"}); got.status != 500 || strings.Contains(got.body, "secret") {
		t.Errorf("plain error: %d %s", got.status, got.body)
	}
}
