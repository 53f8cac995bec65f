package web_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/quota"
	"github.com/coordhq/coord/pkg/hub/web"
	"github.com/coordhq/coord/pkg/tool"
)

// meter notes whether a measurement was asked for.
type meter chan bool

func (m meter) Get(_ context.Context, now bool) quota.Report {
	m <- now
	return quota.Report{Enabled: true, Buckets: []coord.QuotaUse{{Bucket: coord.QuotaFiveHour, Utilization: 40}}, History: []quota.Sample{}}
}

func TestTheQuotaIsServedAndRefreshed(t *testing.T) {
	const off = `{"enabled":false,"buckets":[],"history":[]}`
	if got := open(t, nil).do(t, ask{method: "GET", path: "/api/quota"}); got.status != 200 || got.body != off {
		t.Errorf("without a meter: %d %s, want %s", got.status, got.body, off)
	}
	m := make(meter, 1)
	s := open(t, func(o *web.Options) { o.Quota = m })
	for _, tt := range []struct {
		method, path, body string
		now                bool
	}{{"GET", "/api/quota", "", false}, {"POST", "/api/quota/refresh", "{}", true}, {"POST", "/api/quota/refresh", "", true}} {
		got := s.do(t, ask{method: tt.method, path: tt.path, body: tt.body})
		if want := `{"enabled":true,"buckets":[{"bucket":"five_hour","utilization_pct":40}],"history":[]}`; got.body != want {
			t.Errorf("%s: %d %s, want %s", tt.path, got.status, got.body, want)
		}
		if now := <-m; now != tt.now {
			t.Errorf("%s: measured anew %v, want %v", tt.path, now, tt.now)
		}
	}
}

func TestTokensAreRecordedAndPriced(t *testing.T) {
	s := open(t, func(o *web.Options) {
		o.Prices = config.Prices{"claude-opus": {Input: 10, Output: 50, CacheRead: 1, CacheCreation: 12.5}}
	})
	body := `{"uses":[{"model":"claude-opus-5","input":1}]}`
	s.do(t, ask{method: "POST", path: "/api/tokens", body: body, headers: map[string]string{"Authorization": "Bearer " + string(key), "Idempotency-Key": "k1"}})
	want := []call{{Op: tool.RecordTokens.Name, Caller: alice, Args: body, Key: "k1"}}
	if diff := cmp.Diff(want, s.rules.seen()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	s.rules.on = func(context.Context, string) (json.RawMessage, error) {
		return json.Marshal(tool.TokensUsedOut{Totals: []tool.TokenTotal{
			{Model: "claude-opus-5", Input: 100_000, Output: 10_000, CacheRead: 1_000_000, CacheCreation: 40_000}, {Model: "other", Input: 5}}})
	}
	var out struct {
		Totals []struct {
			Model string
			Cost  *float64 `json:"cost_usd"`
		}
	}
	got := s.do(t, ask{method: "GET", path: "/api/tokens?agent=ag-1&cursor=3"})
	if err := json.Unmarshal([]byte(got.body), &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Totals) != 2 || out.Totals[0].Cost == nil || *out.Totals[0].Cost != 3 || out.Totals[1].Cost != nil {
		t.Errorf("costs: %s; want 3 dollars, and none for a model without a price", got.body)
	}
	if args := s.rules.seen()[1].Args; args != `{"agent":"ag-1","cursor":"3","limit":200}` {
		t.Errorf("asked with %s", args)
	}
}
