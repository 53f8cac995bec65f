package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

func TestWhichRegistrationsAreOneAgent(t *testing.T) {
	claude := func(pid int, start int64, session coord.SessionID) coord.Registration {
		reg := registration("")
		reg.Client.Name, reg.PID, reg.PIDStart, reg.Session = "claude-code", pid, start, session
		return reg
	}
	for _, tt := range []struct {
		name          string
		first, second coord.Registration
		leave         bool
		same          bool
	}{
		{"a double start of Claude Code", claude(7, 70, "s"), claude(7, 70, "s"), false, true},
		{"another session of the same process", claude(7, 70, "s"), claude(7, 70, "t"), false, false},
		{"no session id", claude(7, 70, ""), claude(7, 70, ""), false, false},
		{"a reused pid", claude(7, 70, "s"), claude(7, 71, "s"), false, false},
		{"unknown start time", claude(7, 0, "s"), claude(7, 0, "s"), false, false},
		{"another client", registration(""), registration(""), false, false},
		{"a shim that comes back", claude(7, 70, "s"), claude(7, 70, "s"), true, true},
		{"a stranger after it left", claude(7, 70, "s"), claude(8, 70, "s"), true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			a := r.join(tt.first)
			if tt.leave {
				if err := r.Leave(a.ctx); err != nil {
					t.Fatal(err)
				}
			}
			if b := r.join(tt.second); (a.AgentID == b.AgentID) != tt.same {
				t.Errorf("one agent: %v, want %v", a.AgentID == b.AgentID, tt.same)
			}
		})
	}
}

func TestAKeyResumesItsAgentOnly(t *testing.T) {
	r := newRig(t)
	a := r.named("a")
	again := registration("a")
	again.Resume = a.SessionKey
	want(t, "same agent", r.join(again).AgentID, a.AgentID)
	again.Project, again.Fixed = "blog", true
	if b := r.join(again); b.AgentID == a.AgentID {
		t.Error("a key of one project was resumed in another")
	}
	stolen := registration("a")
	stolen.Resume = a.SessionKey
	got, err := r.Register(context.Background(), "somebody else", stolen)
	if err != nil || got.AgentID == a.AgentID {
		t.Errorf("another member resumed the key: %v %v", got, err)
	}
	if _, ok := r.Authenticate("not a key"); ok {
		t.Error("an invented key is known")
	}
}

func TestNamesAreUniqueAmongTheLiving(t *testing.T) {
	r := newRig(t)
	a, b := r.named("ann"), r.named("ann")
	want(t, "names", []string{a.Name, b.Name}, []string{"ann", "ann-2"})
	if err := r.Leave(a.ctx); err != nil {
		t.Fatal(err)
	}
	want(t, "free again", r.named("ann").Name, "ann")
	if r.named("").Name == "" {
		t.Error("no generated name")
	}
	want(t, "renamed", b.call("register_agent", object{"name": "bea", "modules": []string{"auth"}})["name"], "bea")
}

func TestNamesAreOneLine(t *testing.T) {
	r := newRig(t)
	reg := registration("mal\nlory\t\u200b")
	reg.Client.Name, reg.Branch = "cli\nent", "br\nanch"
	a := r.join(reg)
	row := a.call("list_agents", nil)["agents"].([]any)[0].(object)
	want(t, "registered", []any{row["name"], row["client"], row["branch"]}, []any{"mal lory", "cli ent", "br anch"})
	want(t, "renamed", a.call("register_agent", object{"name": "eve\nalice"})["name"], "eve alice")
	a.refused(coord.Invalid, "register_agent", object{"name": "\u200b\u2060"})
	a.refused(coord.Invalid, "announce_work", object{"subject": "\u200b", "target_files": []string{"x"}})
}

func TestWhenALostConnectionHasConsequences(t *testing.T) {
	for _, tt := range []struct {
		name  string
		local bool
		pid   int
		gone  bool
		after time.Duration
		want  int // agents still online
	}{
		{"unix socket, 14 s", true, 0, false, 14 * time.Second, 1},
		{"unix socket, 15 s", true, 0, false, 15 * time.Second, 0},
		{"network, 59 s", false, 0, false, 59 * time.Second, 1},
		{"network, 60 s", false, 0, false, 60 * time.Second, 0},
		{"client verified gone", true, 7, true, 0, 0},
		{"client alive", true, 7, false, 14 * time.Second, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.alive = func(p coord.Process) bool { return !tt.gone }
			reg := registration("a")
			reg.PID, reg.PIDStart = tt.pid, int64(tt.pid)*10
			got, err := r.Register(context.Background(), "me", reg)
			if err != nil {
				t.Fatal(err)
			}
			r.Connected(got.AgentID, tt.local)
			r.pass(10 * time.Minute)
			want(t, "connected", len(r.LiveProjects()), 1)
			r.Disconnected(got.AgentID, tt.local)
			r.pass(tt.after)
			want(t, "online", len(r.LiveProjects()), tt.want)
		})
	}
}

func TestABlipIsNoLeaving(t *testing.T) {
	r, a, b := consult(t)
	r.Disconnected(a.AgentID, true)
	r.pass(10 * time.Second)
	r.Connected(a.AgentID, true)
	r.pass(time.Hour)
	want(t, "a is here", len(b.call("list_agents", nil)["agents"].([]any)), 2)
}

func TestAfterAHubStartAgentsHaveHalfAMinuteToReturn(t *testing.T) {
	r, a, b := consult(t)
	r.stop()
	r.start(nil)
	r.pass(29 * time.Second)
	r.Connected(b.AgentID, true)
	want(t, "nothing is abandoned", state(a), [2]any{"open", nil})
	r.pass(time.Minute)
	want(t, "a stayed away", state(b), [2]any{"resolved", "uncontested"})
}

func TestACallBringsAnAgentBack(t *testing.T) {
	r := newRig(t)
	a := r.named("a")
	if err := r.Leave(a.ctx); err != nil {
		t.Fatal(err)
	}
	a.announce("x")
	want(t, "online", a.call("list_agents", nil)["agents"].([]any)[0].(object)["status"], "online")
}

func TestAnAgentIsForgottenAfterAMonth(t *testing.T) {
	r := newRig(t)
	a, b := r.named("a"), r.named("b")
	b.announce("x")
	if err := r.Leave(a.ctx); err != nil {
		t.Fatal(err)
	}
	known := func() []any {
		_, ok := r.Authenticate(a.SessionKey)
		return []any{ok, len(b.call("list_agents", object{"online_only": false})["agents"].([]any))}
	}
	r.pass(30*24*time.Hour - time.Second)
	want(t, "almost a month", known(), []any{true, 2})
	r.pass(time.Second)
	want(t, "a month", known(), []any{false, 1})
	_, ok := r.Authenticate(b.SessionKey)
	want(t, "b is known", ok, true)
	a.refused(coord.Unauthorized, "announce_work", object{"subject": "w", "target_files": []string{"x"}})
}

func TestSyncAcknowledgesAndFillsHoles(t *testing.T) {
	r, a, b := consult(t)
	for range 5 {
		b.call("post_to_thread", object{"thread_id": "T-1", "content": "hi"})
	}
	got := a.call("sync", object{"epoch": r.Epoch(), "limit": 3})
	want(t, "page", []any{len(got["events"].([]any)), got["remaining"]}, []any{3, 3})
	first := got["events"].([]any)[0].(object)
	want(t, "first", []any{first["kind"], first["prev"], first["epoch"]}, []any{"thread.opened", 0, r.Epoch()})
	second := got["events"].([]any)[1].(object)
	want(t, "the chain", second["prev"], first["seq"])
	got = a.call("sync", object{"epoch": r.Epoch(), "seen": second["seq"]})
	want(t, "seen", []any{got["seen"], got["head"] != second["seq"]}, []any{second["seq"], true})
	want(t, "not beyond the head", a.call("sync", object{"seen": 1 << 40})["seen"], got["head"])
	want(t, "another epoch", len(a.call("sync", object{"epoch": "old", "limit": 9})["events"].([]any)), 0)
}

func TestWaitingAtTheHub(t *testing.T) {
	r, a, b := consult(t)
	got := a.call("wait_for_message", object{"timeout_seconds": 5})
	want(t, "what was there", len(got["events"].([]any)), 1)
	done := make(chan object)
	go func() { done <- a.call("wait_for_message", object{"timeout_seconds": 30}) }()
	b.call("post_to_thread", object{"thread_id": "T-1", "content": "hi"})
	want(t, "what came", len((<-done)["events"].([]any)), 1)
	want(t, "nothing left", a.call("wait_for_message", object{"timeout_seconds": 0})["timeout"], true)
	want(t, "queue", len(a.call("get_queued_messages", nil)["events"].([]any)), 0)
	_ = r
}

// twins are two shims that Claude Code has started for one session.
func twins(r *rig) (first, second *agent) {
	reg := registration("")
	reg.Client.Name, reg.PID, reg.PIDStart, reg.Session = "claude-code", 7, 70, "s"
	return r.join(reg), r.join(reg)
}

func TestAnAgentDepartsWithItsLastSession(t *testing.T) {
	r := newRig(t)
	first, second := twins(r)
	peer := r.named("peer")
	first.announce("x.go")
	leave := func(a *agent) {
		t.Helper()
		if err := r.Leave(a.ctx); err != nil {
			t.Fatal(err)
		}
		r.Disconnected(a.AgentID, true)
	}
	leave(first)
	r.pass(time.Minute)
	want(t, "one of two has left", peer.announce("x.go")["status"], "open")
	leave(second)
	want(t, "both have left", peer.announce("x.go")["status"], "clear")
}

func TestASessionThatWentSilentDoesNotKeepItsAgent(t *testing.T) {
	r := newRig(t)
	_, second := twins(r)
	r.pass(14 * time.Second)
	second.call("sync", nil)
	r.pass(time.Second)
	if err := r.Leave(second.ctx); err != nil {
		t.Fatal(err)
	}
	want(t, "online", len(r.LiveProjects()), 0)
}
