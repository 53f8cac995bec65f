package topic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

var (
	session  = coord.Caller{Agent: "ag-me", Project: "p"}
	operator = coord.Caller{Project: "p", Operator: true}
)

func TestMayRead(t *testing.T) {
	tests := []struct {
		filter            topic.Filter
		session, operator bool
	}{
		{"coordinator/agents/ag-me/inbox", true, false},
		{"coordinator/agents/ag-me/#", true, false},
		{"coordinator/agents/ag-me/+", true, false},
		{"coordinator/agents/ag-me", true, false},
		{"coordinator/agents/+/status", true, true},
		{"coordinator/agents/ag-you/status", true, true},
		{"coordinator/agents/ag-you/out", true, true},
		{"coordinator/consultations/#", true, true},
		{"coordinator/consultations/new", true, true},
		{"coordinator/consultations/+/messages", true, true},
		{"coordinator/consultations/T-1/#", true, true},
		{"coordinator/files/+", true, true},
		{"coordinator/broadcast", true, true},
		{"coordinator/quota/update", true, true},

		{"coordinator/agents/ag-you/inbox", false, false},
		{"coordinator/agents/ag-you/#", false, false},
		{"coordinator/agents/ag-me2/inbox", false, false},
		{"coordinator/agents/ag-m/inbox", false, false},
		{"coordinator/agents/+/inbox", false, false},
		{"coordinator/agents/+/+", false, false},
		{"coordinator/agents/+/#", false, false},
		{"coordinator/agents/#", false, false},
		{"coordinator/+/ag-you/inbox", false, false},
		{"coordinator/+/broadcast", false, false},
		{"coordinator/#", false, false},
		{"+/agents/ag-you/inbox", false, false},
		{"+/broadcast", false, false},
		{"#", false, false},
		{"+", false, false},
		{"", false, false},
		{"Coordinator/broadcast", false, false},
		{"coordinator/broadcastx", false, false},
		{"/coordinator/broadcast", false, false},
		{"$SYS/#", false, false},
		{"$share/g/coordinator/broadcast", false, false},
		{"$SHARE/g/coordinator/broadcast", false, false},
		{"coordinator/files/#/x", false, false},
		{"coordinator/files/a+", false, false},
		{"coordinator/files/a#", false, false},
		{"coordinator/files/\x00", false, false},
		{topic.Filter("coordinator/files/" + strings.Repeat("x", 70_000)), false, false},
	}
	for _, tt := range tests {
		if got := topic.For(session).MayRead(tt.filter); got != tt.session {
			t.Errorf("session: MayRead(%.60q) = %t", tt.filter, got)
		}
		if got := topic.For(operator).MayRead(tt.filter); got != tt.operator {
			t.Errorf("operator: MayRead(%.60q) = %t", tt.filter, got)
		}
	}
}

func TestMayWrite(t *testing.T) {
	tests := []struct {
		name              topic.Name
		session, operator bool
	}{
		{"coordinator/broadcast", true, true},
		{"coordinator/agents/ag-me/out", true, false},
		{"coordinator/agents/ag-you/out", false, false},
		{"coordinator/agents/+/out", false, false},
		{"coordinator/agents/ag-me/inbox", false, false},
		{"coordinator/agents/ag-me/status", false, false},
		{"coordinator/agents/ag-me/out/x", false, false},
		{"coordinator/consultations/new", false, false},
		{"coordinator/consultations/T-1/status", false, false},
		{"coordinator/files/edited", false, false},
		{"coordinator/quota/update", false, false},
		{"coordinator/broadcast/x", false, false},
		{"coordinator/#", false, false},
		{"", false, false},
		{"$SYS/broker/version", false, false},
	}
	for _, tt := range tests {
		if got := topic.For(session).MayWrite(tt.name); got != tt.session {
			t.Errorf("session: MayWrite(%q) = %t", tt.name, got)
		}
		if got := topic.For(operator).MayWrite(tt.name); got != tt.operator {
			t.Errorf("operator: MayWrite(%q) = %t", tt.name, got)
		}
	}
}

func TestCallersThatAreGrantedNothing(t *testing.T) {
	callers := map[string]coord.Caller{
		"nobody":           {},
		"no project":       {Agent: "ag-me"},
		"not an operator":  {Project: "p"},
		"operator nowhere": {Operator: true},
	}
	for name, c := range callers {
		t.Run(name, func(t *testing.T) {
			g := topic.For(c)
			if len(g.Filters()) > 0 || g.MayRead("coordinator/broadcast") || g.MayWrite("coordinator/broadcast") {
				t.Errorf("granted %v", g.Filters())
			}
		})
	}
}

func TestAnAgentIDWithWildcardsWidensNothing(t *testing.T) {
	for _, id := range []coord.AgentID{"+", "#", "a/b", "+/inbox"} {
		g := topic.For(coord.Caller{Agent: id, Project: "p"})
		if diff := cmp.Diff(topic.For(operator).Filters(), g.Filters()); diff != "" {
			t.Errorf("agent %q (-operator +got):\n%s", id, diff)
		}
	}
}

// The levels are few so that random filters and topics meet often.
var (
	someLevel = rapid.SampledFrom([]string{"coordinator", "agents", "ag-me", "ag-you", "inbox", "status", "out",
		"consultations", "T-1", "files", "broadcast", "quota", "$SYS", "$share", "p", ""})
	someName = rapid.Custom(func(t *rapid.T) topic.Name {
		tail := rapid.SliceOfN(someLevel, 0, 4).Draw(t, "levels")
		if rapid.IntRange(0, 9).Draw(t, "inside") > 0 {
			tail = append([]string{"coordinator"}, tail...)
		}
		return topic.Name(strings.Join(tail, "/"))
	})
)

// filterFor blurs a name into a filter that matches it.
func filterFor(t *rapid.T, n topic.Name) topic.Filter {
	levels := strings.Split(string(n), "/")
	for i := range levels {
		switch rapid.IntRange(0, 5).Draw(t, "blur") {
		case 0:
			return topic.Filter(strings.Join(append(levels[:i], "#"), "/"))
		case 1, 2:
			levels[i] = "+"
		}
	}
	return topic.Filter(strings.Join(levels, "/"))
}

// forbidden says in its own words what a caller must never receive.
func forbidden(c coord.Caller, n topic.Name) bool {
	levels := strings.Split(string(n), "/")
	if levels[0] != "coordinator" || len(levels) < 2 {
		return true
	}
	if levels[1] != "agents" {
		return levels[1] != "consultations" && levels[1] != "files" && levels[1] != "broadcast" && levels[1] != "quota"
	}
	if len(levels) > 2 && c.Agent != "" && levels[2] == string(c.Agent) {
		return false
	}
	return len(levels) != 4 || levels[3] != "status" && levels[3] != "out"
}

// attempt is a filter and a topic that it matches.
type attempt struct {
	name   topic.Name
	filter topic.Filter
}

var someAttempt = rapid.Custom(func(t *rapid.T) attempt {
	name := someName.Draw(t, "name")
	return attempt{name, filterFor(t, name)}
})

func TestNoGrantedFilterMatchesAForbiddenTopic(t *testing.T) {
	tried, granted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for _, a := range rapid.SliceOfN(someAttempt, 100, 100).Draw(t, "attempts") {
			if a.name == "" || !matches(string(a.filter), string(a.name)) {
				continue
			}
			for _, c := range []coord.Caller{session, operator} {
				tried++
				if !topic.For(c).MayRead(a.filter) {
					continue
				}
				granted++
				if forbidden(c, a.name) {
					t.Fatalf("%q was granted and matches %q", a.filter, a.name)
				}
			}
		}
	})
	if granted < tried/100 {
		t.Errorf("only %d of %d filters were granted: the property was hardly tried", granted, tried)
	}
}

func TestARefusedFilterMatchesSomethingForbidden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom([]coord.Caller{session, operator}).Draw(t, "caller")
		filter := filterFor(t, someName.Draw(t, "name"))
		if !filter.Valid() || topic.For(c).MayRead(filter) {
			return
		}
		witness := strings.NewReplacer("+", "zz", "#", "zz").Replace(string(filter))
		if !forbidden(c, topic.Name(witness)) {
			t.Fatalf("%q was refused, though it matches only what is allowed, like %q", filter, witness)
		}
	})
}

// matches is MQTT matching once more, written to be obvious.
func matches(filter, name string) bool {
	f, n := strings.Split(filter, "/"), strings.Split(name, "/")
	if f[len(f)-1] == "#" {
		f = f[:len(f)-1]
		return len(n) >= len(f) && same(f, n[:len(f)])
	}
	return len(n) == len(f) && same(f, n)
}

func same(filter, name []string) bool {
	for i := range filter {
		if filter[i] != "+" && filter[i] != name[i] {
			return false
		}
	}
	return true
}

func TestMatchesAgreesWithTheObvious(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := someName.Draw(t, "name")
		filter := filterFor(t, someName.Draw(t, "other"))
		if name == "" || !filter.Valid() {
			return
		}
		if got, want := filter.Matches(name), matches(string(filter), string(name)); got != want {
			t.Fatalf("%q.Matches(%q) = %t", filter, name, got)
		}
	})
}

func TestGrantedFiltersAreAllGranted(t *testing.T) {
	g := topic.For(session)
	want := []topic.Filter{"coordinator/consultations/#", "coordinator/agents/+/status", "coordinator/agents/+/out",
		"coordinator/files/#", "coordinator/broadcast/#", "coordinator/quota/#", "coordinator/agents/ag-me/#"}
	if diff := cmp.Diff(want, g.Filters()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, f := range g.Filters() {
		if !g.MayRead(f) {
			t.Errorf("%q is listed and refused", f)
		}
	}
}
