package statusline_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/statusline"
	"github.com/coordhq/coord/pkg/tool"
)

func TestWords(t *testing.T) {
	path := func(name string) coord.Path {
		p, err := coord.ParsePath(name)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for want, in := range map[string]tool.StatusLineOut{
		"":                        {Peers: 3},
		"coord: nobody else here": {Known: true},
		"coord: 1 peer":           {Known: true, Peers: 1},
		"coord: 3 peers, 2 working · answer T-1, T-2 +1 · waiting for user.ts · 2 waiting for you · quota 42%": {Known: true, Peers: 3, Working: 2,
			Answer: []coord.ThreadID{"T-1", "T-2", "T-3"}, Wants: []coord.Path{path("src/user.ts")}, Wanted: 2, Quota: &tool.QuotaStatus{UtilizationPct: 41.9}},
		"coord: 2 peers · waiting in T-7":    {Known: true, Peers: 2, Waits: "T-7"},
		"coord: 1 peer · waiting for a[31mb": {Known: true, Peers: 1, Wants: []coord.Path{path("x/a\x1b[31mb")}},
	} {
		if got := statusline.Words(in, false); got != want {
			t.Errorf("%+v is worded %q, want %q", in, got, want)
		}
		if got := statusline.Words(in, true); strings.Contains(got, "\x1b") != (len(in.Answer)+len(in.Wants) > 0 || in.Waits != "") {
			t.Errorf("colours of %q", got)
		}
	}
}

// Without a hub, or with anything but the client's JSON, nothing is printed and
// no hub is started.
func TestTroubleIsSilent(t *testing.T) {
	home := t.TempDir() + "/home"
	for _, in := range []string{"", "{", "[]", `{"session_id":7}`, `{"session_id":"s"}`} {
		var out bytes.Buffer
		err := statusline.Run(t.Context(), statusline.Options{Stdin: strings.NewReader(in), Stdout: &out,
			Getenv: func(key string) string { return map[string]string{"COORDINATOR_HOME": home, "HOME": home}[key] }})
		if err == nil || out.Len() > 0 {
			t.Errorf("%q: error %v, printed %q", in, err, out.String())
		}
	}
}
