package web_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/hub/web"
)

func TestABodyIsTakenLiterally(t *testing.T) {
	s := open(t, nil)
	const rest = `"project":"p","workspace":"h:/w","host_id":"h"`
	for _, c := range []struct {
		name, path, body string
		want             string // words of the refusal; "" = taken
	}{
		{"right", "/api/sessions", `{"client":{"name":"x","version":"1"},` + rest + `}`, ""},
		{"white space", "/api/sessions", "\n {\"client\":{\"name\":\"x\"}, " + rest + "}\r\n", ""},
		{"unknown key", "/api/sessions", `{"client":{"name":"x"},"admin":true,` + rest + `}`, `unknown key "admin"`},
		{"unknown inner key", "/api/sessions", `{"client":{"name":"x","root":1},` + rest + `}`, `unknown key "root"`},
		{"key twice", "/api/sessions", `{"project":"q",` + rest + `}`, `key "project" is given twice`},
		{"key twice by escape", "/api/sessions", `{"pro\u006aect":"q",` + rest + `}`, `key "project" is given twice`},
		{"inner key twice", "/api/sessions", `{"client":{"name":"x","name":"y"},` + rest + `}`, `key "name" is given twice`},
		{"other case", "/api/sessions", `{"Project":"p"}`, `unknown key "Project"`},
		{"upper case", "/api/sessions", `{"HOST_ID":"h"}`, `unknown key "HOST_ID"`},
		{"long s folds to s", "/api/sessions", `{"ſession_id":"x"}`, `unknown key "ſession_id"`},
		{"Kelvin sign folds to k", "/api/sessions", `{"worKspace":"x"}`, `unknown key "worKspace"`},
		{"empty key", "/api/sessions", `{"":"x"}`, `unknown key ""`},
		{"wrong type", "/api/sessions", `{"pid":"seven"}`, "pid: want a whole number, got a string"},
		{"list", "/api/sessions", `[]`, "want an object, got a list"},
		{"cut short", "/api/sessions", `{"project":"p"`, "unexpected EOF"},
		{"two values", "/api/sessions", `{} {}`, "something follows"},
		{"not JSON", "/api/sessions", `hello`, "invalid character"},
		{"not UTF-8", "/api/sessions", "{\"project\":\"\xff\"}", "not valid UTF-8"},
		{"any key of a tool", "/api/tools/x", `{"anything":{"Goes":[1,{"a":null}]}}`, ""},
		{"tool key twice", "/api/tools/x", `{"a":1,"a":2}`, `key "a" is given twice`},
		{"deep", "/api/tools/x", strings.Repeat("[", 32) + strings.Repeat("]", 32), ""},
		{"too deep", "/api/tools/x", strings.Repeat("[", 33) + strings.Repeat("]", 33), "nested deeper than 32"},
		{"far too deep", "/api/tools/x", strings.Repeat("[", 100_000), "nested deeper than 32"},
		{"unknown key of stop", "/api/stop", `{"reason":"x","force":true}`, `unknown key "force"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.do(t, ask{method: "POST", path: c.path, body: c.body})
			if c.want == "" {
				if got.status > 299 {
					t.Errorf("%d %s", got.status, got.body)
				}
				return
			}
			if got.status != 400 || !strings.Contains(got.err.Message, c.want) {
				t.Errorf("%d %s; want 400 with %q", got.status, got.body, c.want)
			}
		})
	}
}

func TestAnEmptyBodyIsRefused(t *testing.T) {
	s := open(t, nil)
	got := s.do(t, ask{method: "POST", path: "/api/sessions", headers: map[string]string{"Content-Type": "application/json"}})
	if got.status != 400 || !strings.Contains(got.err.Message, "no body") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestABodyOverTheLimitIsRefusedByName(t *testing.T) {
	s := open(t, nil)
	const limit = 1 << 20
	fill := func(n int) string { return `{"a":"` + strings.Repeat("x", n-len(`{"a":""}`)) + `"}` }
	if got := s.do(t, ask{method: "POST", path: "/api/tools/x", body: fill(limit)}); got.status != 200 {
		t.Errorf("a body of just the limit: %d %s", got.status, got.body)
	}
	got := s.do(t, ask{method: "POST", path: "/api/tools/x", body: fill(limit + 1)})
	if got.status != 413 || !strings.Contains(got.err.Message, "limit of 1048576 bytes") {
		t.Errorf("declared length: %d %s", got.status, got.body)
	}
	if calls := len(s.rules.seen()); calls != 1 {
		t.Errorf("%d calls reached the rules, want 1", calls)
	}
}

func TestAChunkedBodyOverTheLimitIsRefused(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Limits.Body = 64 })
	conn := s.dial(t, false)
	defer conn.Close()
	req := newRequest(t, "POST", "http://x/api/tools/x", strings.NewReader(strings.Repeat(" ", 100)))
	req.ContentLength = -1
	req.Header.Set("Content-Type", "application/json")
	if got := exchange(t, conn, req); got.status != 413 || !strings.Contains(got.err.Message, "limit of 64 bytes") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	s := open(t, nil)
	for _, c := range []struct {
		key    string
		status int
	}{
		{"ab-1 ~", 200}, {strings.Repeat("k", 200), 200}, {strings.Repeat("k", 201), 413}, {"é", 400}, {"a\tb", 400},
	} {
		got := s.do(t, ask{method: "POST", path: "/api/tools/x", body: "{}", headers: map[string]string{"Idempotency-Key": c.key}})
		if got.status != c.status {
			t.Errorf("%q: %d %s, want %d", c.key, got.status, got.body, c.status)
		}
	}
	req := newRequest(t, "POST", "http://x/api/tools/x", strings.NewReader("{}"))
	req.Header.Set("Content-Type", "application/json")
	req.Header["Idempotency-Key"] = []string{"a", "b"}
	conn := s.dial(t, false)
	defer conn.Close()
	if got := exchange(t, conn, req); got.status != 400 {
		t.Errorf("two keys: %d", got.status)
	}
}
