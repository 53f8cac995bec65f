package web_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
)

func TestTheMCPDoorGetsTheCaller(t *testing.T) {
	s := open(t, nil)
	s.do(t, ask{tcp: true, method: "POST", path: "/mcp?project=shop", body: "{}", headers: bearer(token)})
	s.do(t, ask{tcp: true, method: "DELETE", path: "/mcp", headers: bearer(string(key))})
	want := []call{{Op: "POST mcp", Caller: coord.Caller{Member: "mia", Operator: true, Project: "shop"}}, {Op: "DELETE mcp", Caller: alice}}
	if diff := cmp.Diff(want, s.rules.seen()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWithoutAnMCPDoorThereIsNoSuchRoute(t *testing.T) {
	s := open(t, func(o *web.Options) { o.MCP, o.MQTT = nil, nil })
	for _, path := range []string{"/mcp", "/mqtt"} {
		if got := s.do(t, ask{method: "GET", path: path}); got.status != 404 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// Clients of one user all show the same token; one that is too quick must not
// shut the others out.
func TestEachMCPSessionHasAnAllowanceOfItsOwn(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Limits.Rate, o.Limits.Burst = 0.001, 2 })
	post := func(session string) int {
		headers := bearer(token)
		headers["Mcp-Session-Id"] = session
		return s.do(t, ask{tcp: true, method: "POST", path: "/mcp", body: "{}", headers: headers}).status
	}
	var got []int
	for _, session := range []string{"known", "known", "known", "invented", "also invented", "once more"} {
		got = append(got, post(session))
	}
	if diff := cmp.Diff([]int{200, 200, 429, 200, 200, 429}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
