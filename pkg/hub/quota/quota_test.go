package quota_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/quota"
)

const secret = "sk-ant-oat-very-secret"

const usage = `{"five_hour":{"utilization":42.5,"resets_at":"2026-11-22T18:00:00+00:00"},
	"seven_day":{"utilization":96,"resets_at":"2026-11-25T00:00:00Z"},"seven_day_opus":null,"seven_day_sonnet":null,"extra":{"x":1}}`

var uses = []coord.QuotaUse{
	{Bucket: coord.QuotaFiveHour, Utilization: 42.5, ResetsAt: coord.At(time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC))},
	{Bucket: coord.QuotaSevenDay, Utilization: 96, ResetsAt: coord.At(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC))},
}

// api is a usage endpoint on loopback.
type api struct {
	*httptest.Server
	asked atomic.Int32
	now   time.Time

	mu     sync.Mutex // guards answer
	answer http.HandlerFunc
}

func serve(t *testing.T, answer http.HandlerFunc) (*api, *quota.Meter) {
	t.Helper()
	a := &api{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), answer: answer}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		if r.URL.Path != "/api/oauth/usage" || r.Header.Get("Authorization") != "Bearer "+secret {
			http.Error(w, "wrong path or login", http.StatusTeapot)
			return
		}
		a.mu.Lock()
		answer := a.answer
		a.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(a.Close)
	m, err := quota.New(quota.Options{BaseURL: a.URL, Now: func() time.Time { return a.now },
		Token: func(context.Context) (string, error) { return secret, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return a, m
}

func (a *api) becomes(answer http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestAnAnswerIsGoodForTwoMinutes(t *testing.T) {
	a, m := serve(t, text(200, usage))
	r := m.Get(t.Context(), false)
	if diff := cmp.Diff(uses, r.Buckets); diff != "" || r.Error != "" || r.FetchedAt != coord.At(a.now) {
		t.Fatalf("report %+v (-want +got):\n%s", r, diff)
	}
	a.now = a.now.Add(119 * time.Second)
	if m.Get(t.Context(), false); a.asked.Load() != 1 {
		t.Errorf("asked %d times within two minutes", a.asked.Load())
	}
	a.now = a.now.Add(time.Second)
	if m.Get(t.Context(), false); a.asked.Load() != 2 {
		t.Errorf("asked %d times after two minutes, want 2", a.asked.Load())
	}
	if r = m.Get(t.Context(), true); a.asked.Load() != 3 || len(r.History) != 3 {
		t.Errorf("asked %d times after a refresh, %d samples; want 3", a.asked.Load(), len(r.History))
	}
}

func TestOneRequestIsInFlight(t *testing.T) {
	arrived, release := make(chan struct{}, 20), make(chan struct{})
	var inFlight, most atomic.Int32
	_, m := serve(t, func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), inFlight.Add(1)))
		defer inFlight.Add(-1)
		arrived <- struct{}{}
		<-release
		text(200, usage)(w, r)
	})
	var all sync.WaitGroup
	reports := make(chan quota.Report, 20)
	for range 20 {
		all.Go(func() { reports <- m.Get(t.Context(), true) })
	}
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := m.Get(ctx, true); len(r.Buckets) != 0 {
		t.Error("an answer before there was one")
	}
	close(release)
	all.Wait()
	close(reports)
	if most.Load() != 1 {
		t.Errorf("%d requests at once", most.Load())
	}
	for r := range reports {
		if len(r.Buckets) != 2 {
			t.Errorf("a caller got %+v", r)
		}
	}
}

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		says   string
		wait   time.Duration
	}{
		"401":                     {text(401, "no"), "sign in again", 30 * time.Second},
		"429 without Retry-After": {text(429, ""), "429", time.Minute},
		"429 for ten minutes": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "600")
			text(429, "")(w, r)
		}, "429", 10 * time.Minute},
		"429 for a second": {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Retry-After", "1"); text(429, "")(w, r) }, "429", time.Minute},
		"429 for a thousand years": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "31536000000")
			text(429, "")(w, r)
		}, "429", 24 * time.Hour},
		"429 until a date": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "Sun, 22 Nov 2026 12:05:00 GMT")
			text(429, "")(w, r)
		}, "429", 5 * time.Minute},
		"500":                        {text(500, "oops"), "status 500", 30 * time.Second},
		"a page instead of JSON":     {text(200, "<html>"), "not a JSON object", 30 * time.Second},
		"another form":               {text(200, `{"five_hour":[1]}`), "another form", 30 * time.Second},
		"no bucket":                  {text(200, `{}`), "none of the known buckets", 30 * time.Second},
		"a utilization out of range": {text(200, `{"five_hour":{"utilization":-1}}`), "out of range", 30 * time.Second},
		"a time that cannot be read": {text(200, `{"five_hour":{"utilization":1,"resets_at":"soon"}}`), "resets_at", 30 * time.Second},
		"an endless answer":          {text(200, strings.Repeat(" ", 70<<10)), "over", 30 * time.Second},
		"an answer that breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		}, "broke off", 30 * time.Second},
		"a redirect to somebody else": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, "status 302", 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			a, m := serve(t, text(200, usage))
			m.Get(t.Context(), false)
			a.becomes(tt.answer)
			r := m.Get(t.Context(), true)
			if !strings.Contains(r.Error, tt.says) || !r.Stale || r.RetryAt != coord.At(a.now.Add(tt.wait)) {
				t.Errorf("error %q, stale %v, retry in %v; want %q and %v", r.Error, r.Stale, r.RetryAt.Time().Sub(a.now), tt.says, tt.wait)
			}
			if diff := cmp.Diff(uses, r.Buckets); diff != "" {
				t.Errorf("the last answer is not served any more (-want +got):\n%s", diff)
			}
			if strings.Contains(fmt.Sprint(r), secret) {
				t.Error("the login is in the report")
			}
			a.now = a.now.Add(tt.wait - time.Second)
			if m.Get(t.Context(), true); a.asked.Load() != 2 {
				t.Errorf("asked again before its time")
			}
			a.becomes(text(200, usage))
			a.now = a.now.Add(time.Second)
			if r = m.Get(t.Context(), true); r.Error != "" || r.Stale || a.asked.Load() != 3 {
				t.Errorf("afterwards: %+v, asked %d times", r, a.asked.Load())
			}
		})
	}
}

func TestAServerThatSaysNothingIsGivenUp(t *testing.T) {
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer s.Close()
	defer close(stop)
	m, err := quota.New(quota.Options{BaseURL: s.URL, Client: &http.Client{Timeout: 50 * time.Millisecond},
		Token: func(context.Context) (string, error) { return secret, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if r := m.Get(t.Context(), true); !strings.Contains(r.Error, "cannot be reached") || strings.Contains(r.Error, s.URL) {
		t.Errorf("error %q", r.Error)
	}
}

func TestStopEndsARequest(t *testing.T) {
	out := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(out); <-r.Context().Done() }))
	defer s.Close()
	m, err := quota.New(quota.Options{BaseURL: s.URL, Token: func(context.Context) (string, error) { return secret, nil }})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan quota.Report, 1)
	go func() { ended <- m.Get(context.Background(), true) }()
	<-out
	m.Stop()
	if r := <-ended; r.Error == "" {
		t.Error("no error after Stop")
	}
}

func TestTheBaseURLMustBeSafe(t *testing.T) {
	token := func(context.Context) (string, error) { return secret, nil }
	for _, bad := range []string{"http://example.org", "ftp://127.0.0.1", "127.0.0.1:80", "http://127.0.0.1.example.org", "://"} {
		if _, err := quota.New(quota.Options{Token: token, BaseURL: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := quota.New(quota.Options{}); err == nil {
		t.Error("no credential needed")
	}
}

func TestWhereTheLoginIsFound(t *testing.T) {
	home := t.TempDir()
	env := map[string]string{"HOME": home}
	find := quota.Credential(func(key string) string { return env[key] })
	if _, err := find(t.Context()); err == nil || !strings.Contains(err.Error(), "sign in") {
		t.Errorf("without any login: %v", err)
	}
	write := func(dir, content string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, ".credentials.json"), []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(home, ".claude"), `{"claudeAiOauth":{"accessToken":"from-home","expiresAt":1}}`)
	for _, step := range []struct{ key, value, want string }{
		{"", "", "from-home"},
		{"CLAUDE_CONFIG_DIR", filepath.Join(home, "other"), "from-config"},
		{"CLAUDE_CODE_OAUTH_TOKEN", "from-env", "from-env"},
	} {
		env[step.key] = step.value
		write(filepath.Join(home, "other"), `{"claudeAiOauth":{"accessToken":"from-config"}}`)
		if got, err := find(t.Context()); err != nil || got != step.want {
			t.Errorf("%s: %q, %v; want %q", step.key, got, err, step.want)
		}
	}
	delete(env, "CLAUDE_CODE_OAUTH_TOKEN")
	write(filepath.Join(home, "other"), "sk-ant-oat-not-json")
	if _, err := find(t.Context()); err == nil || strings.Contains(err.Error(), "sk-ant") {
		t.Errorf("garbage: %v", err)
	}
}
