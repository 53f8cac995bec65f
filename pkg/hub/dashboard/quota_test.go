package dashboard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/machine"
	"github.com/coordhq/coord/pkg/tool"
)

// plan stands in for the API that knows how much of the user's plan is used.
type plan struct {
	*httptest.Server
	five  atomic.Int64 // use of the five hours, in percent
	tired atomic.Bool  // answers 429
}

func newPlan(t *testing.T) *plan {
	t.Helper()
	p := &plan{}
	p.five.Store(42)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/api/oauth/usage" || r.Header.Get("Authorization") != "Bearer the-login":
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case p.tired.Load():
			w.Header().Set("Retry-After", "90")
			http.Error(w, "slow down", http.StatusTooManyRequests)
		default:
			_, _ = fmt.Fprintf(w, `{"five_hour":{"utilization":%d,"resets_at":"2040-01-01T00:00:00Z"},"seven_day":{"utilization":12,"resets_at":"2040-01-02T00:00:00Z"},"seven_day_sonnet":{"utilization":3}}`, p.five.Load())
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// measured starts a hub that measures, with prices for its tokens.
func measured(t *testing.T, p *plan) *coordtest.Home {
	t.Helper()
	home := newHome(t)
	config := fmt.Sprintf(`{"server":{"port":%d},"prices":{"claude-sonnet":{"input":3,"output":15,"cache_read":0.3,"cache_creation":3.75}}}`, freePort(t))
	if err := os.WriteFile(filepath.Join(home.Dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := home.Command("start")
	cmd.Env = append(cmd.Env, "COORDINATOR_QUOTA=on", "COORDINATOR_QUOTA_URL="+p.URL, "CLAUDE_CODE_OAUTH_TOKEN=the-login")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return home
}

// The use of the plan is the same at every door: the page, the command, status,
// MQTT and the stream; asked for anew from the page, all follow.
func TestEveryDoorTellsTheSameQuota(t *testing.T) {
	mosquitto, err := exec.LookPath("mosquitto_sub")
	machine.Has(t, err == nil, "mosquitto_sub (apt install mosquitto-clients)")
	p := newPlan(t)
	home, shop := measured(t, p), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", shop.Dir) // after the first measurement
	project := coordtest.Call(alice, tool.RegisterAgent, tool.RegisterAgentIn{Name: "alice"}).Project

	type reading struct{ Used, Resets float64 }
	type use struct {
		Bucket      string
		Utilization float64 `json:"utilization_pct"`
		ResetsAt    float64 `json:"resets_at"`
	}
	run := func(cmd *exec.Cmd) []byte {
		t.Helper()
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v: %s", cmd.Args, err, stderrOf(err))
		}
		return out
	}
	parse := func(raw []byte, v any) {
		t.Helper()
		if err := json.Unmarshal(raw, v); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	}
	doors := map[string]func() reading{
		"coord-hub quota": func() reading {
			var v struct{ Buckets []use }
			parse(run(home.Command("quota", "--json")), &v)
			return reading{v.Buckets[0].Utilization, v.Buckets[0].ResetsAt}
		},
		"coord-hub status": func() reading {
			var v struct{ Quota use }
			parse(run(home.Command("status", "--json")), &v)
			return reading{v.Quota.Utilization, v.Quota.ResetsAt}
		},
		"coordinator_status": func() reading {
			q := alice.Status().Quota
			if q == nil {
				return reading{}
			}
			return reading{q.UtilizationPct, float64(q.ResetsAt)}
		},
		"MQTT, retained": func() reading {
			var v use
			parse(run(exec.Command(mosquitto, "--unix", home.Hub().MQTTSocket, "-u", string(project), "-C", "1", "-W", "20", "-t", "coordinator/quota/update", "-P", secretOf(t, home))), &v) // #nosec G204 -- looked up above
			return reading{v.Utilization, v.ResetsAt}
		},
		"the stream": func() reading {
			var v use
			for _, e := range logged(t, home, "quota.updated") {
				parse(e, &v)
			}
			return reading{v.Utilization, v.ResetsAt}
		},
	}
	check := func(used float64) {
		t.Helper()
		want, got := map[string]reading{}, map[string]reading{}
		for name, read := range doors {
			want[name], got[name] = reading{used, 2208988800000}, read()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the doors (-want +got):\n%s", diff)
		}
	}
	check(42)

	b := open(t, home)
	b.wait("the page shows it", `/5 hours\s*42 %\s*resets in/.test(document.querySelector('#quota').innerText) && document.querySelectorAll('#quota [role=meter]').length === 3`)
	b.wait("one measurement is no history", `!document.querySelector('#quota .spark')`)
	p.five.Store(83)
	b.do(chromedp.Click(chromedp.CSS("#quota button")))
	b.wait("the page shows the new one, with its history", `/5 hours\s*83 %/.test(document.querySelector('#quota').innerText) && document.querySelector('#quota .spark')?.getAttribute('aria-label').includes('83 %') && document.querySelector('#quota .warm')`)
	check(83)

	tokens := fmt.Sprintf(`{"agent":%q,"uses":[{"model":"claude-sonnet-4","turn":1,"input":120000,"output":34000,"cache_read":500000},{"model":"unknown","input":5}]}`, alice.ID())
	if status := post(t, home, "/api/tokens", tokens); status != http.StatusOK {
		t.Fatalf("POST /api/tokens: %d", status)
	}
	b.wait("the tokens have their cost", `/alice\s+120\.0 k\s+34\.0 k\s+500\.0 k\s+\$1\.02/.test(document.querySelector('#tokens').innerText) && /alice\s+5\s+0\s+0\s+–/.test(document.querySelector('#tokens').innerText)`)
	b.wait("the summary says what it costs", `/Cost\s+\$1\.02\s+quota 83 %, 120\.0 k in, 34\.0 k out/.test(document.querySelector('.glance').innerText)`)
	if out := run(home.Command("top", "--once")); !strings.Contains(string(out), "5h 83%") || !strings.Contains(string(out), "tokens 120.0k in 34.0k out · $1.02") {
		t.Errorf("coord-hub top says of the costs:\n%s", out)
	}
	for _, theme := range []string{"light", "dark"} {
		b.prefer("prefers-color-scheme", theme)
		b.shoot("costs-" + theme)
	}
	p.tired.Store(true)
	b.do(chromedp.Click(chromedp.CSS("#quota button")))
	b.wait("a refusal is told beside the last values", `document.querySelector('#quota [role=status]') && /5 hours\s*83 %/.test(document.querySelector('#quota').innerText)`)
	b.shoot("quota-refused")
	check(83)
	b.clean()
}

// logged gives the payloads of a kind of event that the stream replays.
func logged(t *testing.T, home *coordtest.Home, kind string) (events [][]byte) {
	t.Helper()
	resp, err := local(t, home).Get("http://hub/api/events?since=0&kinds=agent.," + kind)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	for !bytes.Contains(seen.Bytes(), []byte(kind)) || !bytes.HasSuffix(seen.Bytes(), []byte("\n\n")) {
		n, err := resp.Body.Read(buf)
		seen.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after %s", err, seen.Bytes())
		}
	}
	for line := range strings.Lines(seen.String()) {
		if data, ok := strings.CutPrefix(line, "data: "); ok && strings.Contains(data, kind) {
			events = append(events, []byte(data))
		}
	}
	return events
}

// local is a client of the hub's unix socket.
func local(t *testing.T, home *coordtest.Home) *http.Client {
	unix := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", home.Hub().Socket)
	}}
	t.Cleanup(unix.CloseIdleConnections)
	return &http.Client{Transport: unix}
}

func post(t *testing.T, home *coordtest.Home, path, body string) (status int) {
	t.Helper()
	resp, err := local(t, home).Post("http://hub"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func secretOf(t *testing.T, home *coordtest.Home) string {
	t.Helper()
	raw, err := os.ReadFile(home.Path.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}
