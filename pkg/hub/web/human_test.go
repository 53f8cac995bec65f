package web_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
)

func TestThePersonsActsReachTheRules(t *testing.T) {
	s := open(t, nil)
	person := coord.Caller{Member: "mia", Operator: true}
	var want []call
	for _, c := range []struct {
		method, path, body string
		want               call
	}{
		{"POST", "/api/release", `{"project":"shop","path":"x.go"}`, call{Op: "release path", Args: "x.go"}},
		{"DELETE", "/api/leases/L-3", "", call{Op: "release lease", Args: "L-3"}},
		{"POST", "/api/threads/T-4/messages", `{"content":"hi"}`, call{Op: "human post", Args: "T-4 hi"}},
		{"POST", "/api/threads/T-4/close", `{"summary":"done"}`, call{Op: "human close", Args: "T-4 done"}},
	} {
		got := s.do(t, ask{method: c.method, path: c.path, body: c.body, headers: map[string]string{"Idempotency-Key": "k"}})
		if got.status != 200 {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.status, got.body)
		}
		c.want.Caller, c.want.Key = person, "k"
		want = append(want, c.want)
	}
	if diff := cmp.Diff(want, s.rules.seen()); diff != "" {
		t.Error(diff)
	}
}

func TestAHubWithoutPersonsActsSaysSo(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Human = nil })
	if got := s.do(t, ask{method: "DELETE", path: "/api/leases/L-3"}); got.status != 404 || got.err.Code != coord.NotFound {
		t.Errorf("%d %s", got.status, got.body)
	}
}
