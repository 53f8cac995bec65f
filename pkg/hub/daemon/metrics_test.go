package daemon_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// scrape asks a hub as Prometheus would.
func scrape(t *testing.T, address, token string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := new(http.Transport).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// metric finds names of ours, of Go's and of the process's in a text.
var metric = regexp.MustCompile(`\b(?:coord|go|process)_[a-z0-9_]+`)

func TestMetricsTellWhatHappenedAndDocsNameOnlyThose(t *testing.T) {
	home := newHome(t)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"five_hour":{"utilization":12}}`)
	}))
	defer api.Close()
	t.Setenv("CLAUDE_CODE_OAUTH_TOKEN", "a-login")
	d := start(t, daemon.Options{Home: home, Quota: true, QuotaURL: api.URL})
	c := dial(t, home)
	ann, err := c.Register(t.Context(), registration("zebedee"))
	if err != nil {
		t.Fatal(err)
	}
	call := func(op, args string) {
		t.Helper()
		if _, err := c.Call(t.Context(), ann.SessionKey, op, []byte(args), ""); err != nil {
			t.Fatal(err)
		}
	}
	call("announce_work", `{"subject":"s","target_files":["a.go"]}`)
	call("record_tokens", `{"uses":[{"model":"opus","input":7}]}`)
	if _, err := c.Call(t.Context(), ann.SessionKey, "get_thread", []byte(`{"thread_id":"T-9"}`), ""); coord.CodeOf(err) != coord.NotFound {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(home.Dir(), "token"))
	if err != nil {
		t.Fatal(err)
	}
	address := d.Discovery().HTTP
	hook := func(event, session, more string) (answer coord.HookAnswer) {
		t.Helper()
		body := `{"session_id":"` + session + `","host_id":"h-1","project":"p","workspace":"w"` + more + `}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/api/hooks/claude/"+event, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		req.Header.Set("Content-Type", "application/json")
		res, err := new(http.Transport).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	const edit = `,"tool":"edit","tool_use_id":"u","files":[{"path":"x.go","project":"p","workspace":"w"}]`
	hook("pre-tool", "s-1", edit)
	hook("post-tool", "s-1", edit)
	doubts := hook("pre-tool", "s-2", edit).Check
	if len(doubts) != 1 {
		t.Fatalf("the hub wants %+v looked at, want x.go", doubts)
	}
	dirty, err := json.Marshal([]coord.Finding{{Doubt: doubts[0], Known: true, Dirty: true}})
	if err != nil {
		t.Fatal(err)
	}
	hook("pre-tool", "s-2", edit+`,"checked":`+string(dirty))
	hook("post-tool", "s-1", "") // the news that s-2 waits
	hook("no-such-event", "s-2", "")
	if status, body := scrape(t, address, ""); status != http.StatusUnauthorized || strings.Contains(body, "coord_") {
		t.Errorf("without a token: %d %s", status, body)
	}
	if _, err := c.Quota(t.Context(), true); err != nil { // at the latest now it is measured
		t.Fatal(err)
	}
	status, body := scrape(t, address, strings.TrimSpace(string(token)))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for _, line := range []string{
		`coord_announces_total{category="pass"} 1`, `coord_announces_total{category="concerned"} 0`,
		`coord_calls_total{code="ok",op="announce_work"} 1`, `coord_calls_total{code="not_found",op="get_thread"} 1`,
		`coord_tokens_total{kind="input",model="opus"} 7`, `coord_agents{status="online"} 3`, `coord_threads{status="open"} 0`,
		`coord_hook_decisions_total{decision="silent",event="pre-tool"} 1`, `coord_hook_decisions_total{decision="refused",event="pre-tool"} 1`,
		`coord_hook_decisions_total{decision="context",event="post-tool"} 1`, `coord_hook_decisions_total{decision="silent",event="idle"} 0`,
		`coord_hook_seconds_count 5`, `coord_deliveries_total{rung="hook",state="offered"} 1`, `coord_deliveries_total{rung="poll",state="seen"} 0`,
		`coord_inbox_unread{of="all"} 0`, `coord_inbox_unread{of="deepest"} 0`,
		`coord_quota_utilization_pct{bucket="five_hour"} 12`, `coord_scoring_seconds_count 1`,
	} {
		if !slices.Contains(strings.Split(body, "\n"), line) {
			t.Errorf("no line %q", line)
		}
	}
	if strings.Contains(body, "no-such-event") {
		t.Error("a word from outside has become a label")
	}
	for _, secret := range []string{"zebedee", string(ann.AgentID), "a.go", home.Dir()} {
		if strings.Contains(body, secret) {
			t.Errorf("the metrics name %q", secret)
		}
	}
	for _, file := range []string{"grafana.json", "alerts.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "ops", file))
		if err != nil {
			t.Fatal(err)
		}
		names := metric.FindAllString(string(text), -1)
		if len(names) < 5 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, name := range names {
			if !strings.Contains(body, "# TYPE "+strings.TrimSuffix(name, "_bucket")+" ") && !strings.Contains(body, "\n"+name) {
				t.Errorf("%s names %s, which a hub does not have", file, name)
			}
		}
	}
}
