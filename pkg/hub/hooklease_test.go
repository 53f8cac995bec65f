package hub_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// hooked is a session of the shop that is known by its hooks alone.
type hooked struct {
	r    *rig
	name string
	pid  int
	find func(coord.Doubt) coord.Finding // what its hooks find when they look; nil = git does not answer
}

func (s *hooked) hook(event coord.HookEvent, in coord.HookCall) coord.HookAnswer {
	s.r.t.Helper()
	in.Session, in.Label, in.PID, in.PIDStart = coord.SessionID(s.name), s.name, s.pid, int64(10*s.pid)
	in.Host, in.Project, in.Workspace = "host-1", "shop", "host-1:/shop"
	raw, err := s.r.Hook(coord.WithCaller(context.Background(), coord.Caller{Member: "me"}), "claude", event, in)
	if err != nil {
		s.r.t.Fatal(err)
	}
	var answer coord.HookAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		s.r.t.Fatal(err)
	}
	if len(answer.Check) == 0 {
		return answer
	}
	for _, d := range answer.Check {
		f := coord.Finding{Doubt: d}
		if s.find != nil {
			f = s.find(d)
		}
		in.Checked = append(in.Checked, f)
	}
	return s.hook(event, in)
}

// on is a tool call of the session on files.
func (s *hooked) on(event coord.HookEvent, names ...string) coord.HookAnswer {
	s.r.t.Helper()
	in := coord.HookCall{Tool: coord.EditTool, ToolUse: s.name}
	for _, name := range names {
		p, err := coord.ParsePath(name)
		if err != nil {
			s.r.t.Fatal(err)
		}
		in.Files = append(in.Files, coord.HookFile{Path: p, Project: "shop", Workspace: "host-1:/shop"})
	}
	return s.hook(event, in)
}

func (s *hooked) edits(name string) {
	s.r.t.Helper()
	s.on(coord.HookBeforeTool, name)
	s.on(coord.HookAfterTool, name)
}

func newHooked(t *testing.T) (r *rig, alice, bob *hooked) {
	t.Helper()
	r = newRig(t)
	alice, bob = &hooked{r: r, name: "alice", pid: 7}, &hooked{r: r, name: "bob", pid: 8}
	for _, s := range []*hooked{alice, bob} {
		s.hook(coord.HookSessionStart, coord.HookCall{Source: "startup"})
		s.hook(coord.HookPrompt, coord.HookCall{})
	}
	return r, alice, bob
}

func TestAnEditThatIsNotDoneRenewsNoLease(t *testing.T) {
	for name, tt := range map[string]struct {
		again   func(alice *hooked) // six minutes after the first edit
		refused bool                // bob, six minutes later
	}{
		"denied: her next hook is of something else": {func(a *hooked) { a.on(coord.HookBeforeTool, "a.go"); a.on(coord.HookAfterTool) }, false},
		"denied twice": {func(a *hooked) {
			a.on(coord.HookBeforeTool, "a.go")
			a.on(coord.HookBeforeTool, "a.go")
			a.on(coord.HookAfterTool)
		}, false},
		"failed":                     {func(a *hooked) { a.on(coord.HookBeforeTool, "a.go"); a.on(coord.HookToolFailed, "a.go") }, false},
		"done":                       {func(a *hooked) { a.edits("a.go"); a.on(coord.HookAfterTool) }, true},
		"under way":                  {func(a *hooked) { a.on(coord.HookBeforeTool, "a.go") }, true},
		"done, then the next denied": {func(a *hooked) { a.edits("a.go"); a.on(coord.HookBeforeTool, "a.go"); a.on(coord.HookAfterTool) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, alice, bob := newHooked(t)
			alice.edits("a.go")
			r.pass(6 * time.Minute)
			tt.again(alice)
			r.pass(6 * time.Minute)
			want(t, "refused", bob.on(coord.HookBeforeTool, "a.go").Refused, tt.refused)
		})
	}
}

func TestALeftLeaseStaysLeftWhenAnEditOfItsHolderIsNotDone(t *testing.T) {
	_, alice, bob := newHooked(t)
	alice.edits("a.go")
	alice.hook(coord.HookStop, coord.HookCall{})
	alice.hook(coord.HookPrompt, coord.HookCall{})
	alice.on(coord.HookBeforeTool, "a.go")
	want(t, "refused while she may write", bob.on(coord.HookBeforeTool, "a.go").Refused, true)
	alice.on(coord.HookAfterTool) // of something else: her user has said no
	want(t, "refused", bob.on(coord.HookBeforeTool, "a.go").Refused, false)
}

func TestALeaseDoesNotEndByACommitWhileItsHolderIsAboutToWrite(t *testing.T) {
	for name, tt := range map[string]struct {
		event   coord.HookEvent // of alice, after the commit
		refused bool
	}{
		"about to write":     {coord.HookBeforeTool, true},
		"did so":             {coord.HookAfterTool, true}, // touched after it was looked at
		"at something other": {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			r, alice, bob := newHooked(t)
			alice.edits("a.go")
			r.pass(time.Second)
			if tt.event == coord.HookBeforeTool {
				alice.on(tt.event, "a.go")
			}
			bob.find = func(d coord.Doubt) coord.Finding {
				if tt.event == coord.HookAfterTool {
					r.pass(time.Second)
					alice.edits("a.go")
				}
				return coord.Finding{Doubt: d, Known: true, Committed: true}
			}
			want(t, "refused", bob.on(coord.HookBeforeTool, "a.go").Refused, tt.refused)
		})
	}
}
