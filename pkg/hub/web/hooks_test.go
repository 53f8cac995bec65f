package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/hub/web"
)

const aHook = `{"session_id":"s-1","host_id":"h-1","project":"p","workspace":"w"}`

func TestAHookReachesTheRules(t *testing.T) {
	s := open(t, nil)
	r := s.do(t, ask{method: "POST", path: "/api/hooks/claude/pre-tool", body: aHook})
	if r.status != http.StatusOK || r.body != "{}" {
		t.Errorf("status %d, %s", r.status, r.body)
	}
	want := []string{"hook claude pre-tool"}
	var got []string
	for _, c := range s.rules.seen() {
		got = append(got, c.Op)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAHookThatIsNoneIsRefused(t *testing.T) {
	s := open(t, nil)
	for name, tt := range map[string]struct {
		a      ask
		status int
	}{
		"no credential on TCP": {ask{tcp: true, method: "POST", path: "/api/hooks/claude/stop", body: aHook}, http.StatusUnauthorized},
		"one key twice":        {ask{method: "POST", path: "/api/hooks/claude/pre-tool", body: `{"session_id":"s","session_id":"t"}`}, http.StatusBadRequest},
		"a path that leaves":   {ask{method: "POST", path: "/api/hooks/claude/pre-tool", body: `{"files":[{"path":"../x","project":"p","workspace":"w"}]}`}, http.StatusBadRequest},
		"another method":       {ask{method: "GET", path: "/api/hooks/claude/stop"}, http.StatusMethodNotAllowed},
		"no event":             {ask{method: "POST", path: "/api/hooks/claude", body: aHook}, http.StatusNotFound},
		"a web page":           {ask{method: "POST", path: "/api/hooks/claude/stop", body: aHook, headers: map[string]string{"Origin": "http://localhost"}}, http.StatusForbidden},
	} {
		if r := s.do(t, tt.a); r.status != tt.status {
			t.Errorf("%s: status %d, want %d: %s", name, r.status, tt.status, r.body)
		}
	}
	if n := len(s.rules.seen()); n != 0 {
		t.Errorf("%d of them reached the rules", n)
	}
}

func TestWhatANewerHookSaysIsDropped(t *testing.T) {
	s := open(t, nil)
	body := strings.Replace(aHook, "{", `{"of_tomorrow":{"deep":[1]},"tool_input":{"content":"x"},`, 1)
	if r := s.do(t, ask{method: "POST", path: "/api/hooks/claude/pre-tool", body: body}); r.status != http.StatusOK {
		t.Errorf("status %d: %s", r.status, r.body)
	}
	if n := len(s.rules.seen()); n != 1 {
		t.Errorf("%d calls reached the rules, want 1", n)
	}
}

func TestEachSessionsHooksHaveTheirOwnAllowance(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Limits.LocalRate, o.Limits.LocalBurst = 0.001, 2 })
	hook := func(session string) int {
		return s.do(t, ask{method: "POST", path: "/api/hooks/claude/stop", body: aHook, headers: map[string]string{"Coord-Session": session}}).status
	}
	var got []int
	for _, session := range []string{"a", "a", "a", "b"} {
		got = append(got, hook(session))
	}
	if diff := cmp.Diff([]int{200, 200, 429, 200}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
