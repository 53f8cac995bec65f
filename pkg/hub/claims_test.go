package hub

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/coord"
)

// pool is work stealing written down as plainly as possible: who has the task,
// how often it was given back, and how it ended.
type pool struct {
	assigned coord.AgentID
	holder   coord.AgentID
	returned int
	over     string
}

// play gives whether the deed is allowed.
func (p *pool) play(act string, who coord.AgentID) bool {
	switch {
	case act == "leave":
		if p.holder == who {
			p.holder = ""
		}
		return true
	case p.over != "":
		return false
	case act == "claim":
		if p.holder != "" || (p.assigned != "" && p.assigned != who) {
			return false
		}
		p.holder = who
		return true
	case p.holder != who || who == "":
		return false
	}
	p.holder = ""
	if act == "complete" {
		p.over = "resolved/completed"
	} else if p.returned++; p.returned == 2 {
		p.over = "poisoned"
	}
	return true
}

// byID names an agent by its id.
func byID(id coord.AgentID) string { return string(id) }

func TestClaimsBehaveLikeTheModel(t *testing.T) {
	who := rapid.SampledFrom([]coord.AgentID{"owner", "w1", "w2"})
	played := 0
	for played < checks {
		rapid.Check(t, func(t *rapid.T) {
			played++
			th := coord.Thread{ID: "T-1", Initiator: "owner", KeepOpen: true, Status: coord.ThreadOpen, Round: 1,
				AssignedTo: rapid.SampledFrom([]coord.AgentID{"", "", "w1"}).Draw(t, "assigned")}
			m := &pool{assigned: th.AssignedTo}
			for range rapid.IntRange(1, 15).Draw(t, "steps") {
				act, by := rapid.SampledFrom([]string{"claim", "claim", "unclaim", "complete", "leave"}).Draw(t, "act"), who.Draw(t, "who")
				before := fmt.Sprint(th)
				var next coord.Thread
				var err error
				switch act {
				case "claim":
					next, err = claimWork(th, by, byID)
				case "unclaim":
					next, err = unclaimWork(th, by, byID, "why", 5)
				case "complete":
					next, err = completeWork(th, by, byID, "done", 5)
				default:
					next = dropAgent(th, by, 5)
				}
				if fmt.Sprint(th) != before {
					t.Fatalf("%s by %s changed its argument", act, by)
				}
				if allowed := m.play(act, by); allowed != (err == nil) {
					t.Fatalf("%s by %s: %v, the model allows it: %v", act, by, err, allowed)
				}
				if err == nil {
					th = next
				}
				holder := th.Claimer
				if !th.Status.Live() {
					holder = ""
				}
				if said(th) != m.over || holder != m.holder || th.Unclaims != m.returned || (th.Status == coord.ThreadClaimed) != (m.holder != "") {
					t.Fatalf("after %s by %s: %q held by %q, given back %d times; the model says %+v", act, by, said(th), holder, th.Unclaims, m)
				}
			}
		})
	}
}

func TestWhereTwoTasksMeet(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b []string
		want bool
	}{
		{"one file", []string{"x"}, []string{"y", "x"}, true},
		{"two files", []string{"x"}, []string{"y"}, false},
		{"a file in a directory", []string{"src/a.go"}, []string{"src/"}, true},
		{"a file beside a directory", []string{"srcs/a.go"}, []string{"src/"}, false},
		{"a file in a glob", []string{"src/a.go"}, []string{"**/*.go"}, true},
		{"directories inside each other", []string{"src/"}, []string{"src/api/"}, true},
		{"globs that could meet", []string{"src/*"}, []string{"**/*.go"}, true},
		{"globs that cannot", []string{"src/*.ts"}, []string{"src/*.go"}, false},
		{"nothing", nil, []string{"x"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newIndex(false)
			task := func(targets []string) *coord.Announcement {
				a := &coord.Announcement{State: coord.Active}
				for _, s := range targets {
					target, err := coord.ParseTarget(s)
					if err != nil {
						t.Fatal(err)
					}
					a.Targets = append(a.Targets, target)
				}
				return a
			}
			a, b := task(tt.a), task(tt.b)
			if got := []bool{x.meeting(a, b) != "", x.meeting(b, a) != ""}; !slices.Equal(got, []bool{tt.want, tt.want}) {
				t.Errorf("they meet: %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("patterns by the names they stand for", func(t *testing.T) {
		x := newIndex(false)
		stand := func(pattern string, names ...string) *coord.Announcement {
			target, _ := coord.ParseTarget(pattern)
			target.Expanded, _ = paths(names)
			return &coord.Announcement{State: coord.Active, Targets: []coord.Target{target}}
		}
		if where := x.meeting(stand("src/*", "src/a"), stand("**/b", "src/b")); where != "" {
			t.Errorf("two patterns without a common name meet in %s", where)
		}
		if where := x.meeting(stand("src/*", "src/a"), stand("**/a", "src/a", "a")); where != "src/a" {
			t.Errorf("two patterns with a common name meet in %q", where)
		}
	})
}
