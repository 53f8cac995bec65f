package hub_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// probe asks whether the agent is to be woken now, and words the kinds.
func (a *agent) probe(rung coord.Rung) string {
	a.r.t.Helper()
	out := a.call("await_wake", object{"rung": rung, "timeout_seconds": 0})
	s := ""
	for _, e := range out["events"].([]any) {
		s += fmt.Sprint(e.(object)["kind"], " ")
	}
	return s
}

// idler makes a hub with an agent that announced x, had a turn and is idle.
func idler(t *testing.T) (*rig, *agent) {
	r := newRig(t)
	a := r.named("a")
	a.call("turn", object{"event": "begin"})
	a.announce("x")
	a.call("turn", object{"event": "end"})
	return r, a
}

func (r *rig) prompted(a *agent, p hub.Prompt) {
	r.t.Helper()
	if err := r.Prompted(a.AgentID, p); err != nil {
		r.t.Fatal(err)
	}
}

func TestAnIdleAgentIsWokenByAConsultationOnItsWork(t *testing.T) {
	r, a := idler(t)
	want(t, "nothing yet", a.probe("socket"), "")
	r.named("b").announce("x")
	want(t, "woken", a.probe("socket"), "thread.opened ")
	want(t, "once", a.probe("rewake"), "")
}

func TestWhoIsNotWoken(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(r *rig, a *agent)
		limit  string
	}{
		{"idle", func(*rig, *agent) {}, ""},
		{"busy", func(_ *rig, a *agent) { a.call("turn", object{"event": "begin"}) }, "busy"},
		{"bypasses permissions", func(r *rig, a *agent) { r.prompted(a, hub.Prompt{Mode: "bypassPermissions"}) }, "bypasses permissions"},
		{"back from bypassing", func(r *rig, a *agent) {
			r.prompted(a, hub.Prompt{Mode: "bypassPermissions"})
			r.prompted(a, hub.Prompt{Mode: "default"})
		}, ""},
		{"off", func(r *rig, a *agent) { r.prompted(a, hub.Prompt{Off: true, Mode: "default"}) }, "off"},
		{"29 minutes idle", func(r *rig, _ *agent) { r.pass(29 * time.Minute) }, ""},
		{"30 minutes idle", func(r *rig, _ *agent) { r.pass(30 * time.Minute) }, "idle too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, a := idler(t)
			b := r.named("b")
			tt.before(r, a)
			want(t, "limit", r.WakeLimit(a.AgentID, coord.At(r.clock())), tt.limit)
			b.announce("x")
			woken := a.probe("socket") != ""
			want(t, "woken", woken, tt.limit == "")
		})
	}
}

func TestWithoutHooksNobodyKnowsWhetherAnAgentIsIdle(t *testing.T) {
	r := newRig(t)
	a := r.named("a")
	a.announce("x")
	r.pass(10 * time.Minute)
	r.named("b").announce("x")
	want(t, "woken", a.probe("socket"), "")
}

func TestOnlyHighNewsAboutItsOwnThingsWakes(t *testing.T) {
	p := func(name string) object { return object{"path": name, "name": "b"} }
	for _, tt := range []struct {
		kind     coord.EventKind
		thread   coord.ThreadID
		priority coord.Priority
		payload  object
		wakes    bool
	}{
		{coord.KindPathFree, "", coord.High, object{"paths": []string{"y"}}, true},
		{coord.KindFileEdited, "", coord.High, p("x"), true},
		{coord.KindFileEdited, "", coord.High, p("other"), false},
		{coord.KindBroadcast, "", coord.High, object{}, false},
		{coord.KindOverlapMerge, "", coord.Medium, p("x"), false},
		{coord.KindMessagePosted, "T-1", coord.Medium, object{}, false},
		{coord.KindThreadStatus, "T-1", coord.High, object{}, true},
		{coord.KindThreadStatus, "T-77", coord.High, object{}, false},
		{coord.KindIntrospection, "T-1", coord.Low, object{}, false},
	} {
		t.Run(fmt.Sprint(tt.kind, tt.thread, tt.payload), func(t *testing.T) {
			r, a := idler(t)
			r.named("b").announce("x")
			a.wrote("hook", 4) // the consultation itself is known
			if err := r.Progress(a.AgentID); err != nil {
				t.Fatal(err)
			}
			want(t, "quiet before", a.probe("socket"), "")
			if _, err := r.Tell(a.AgentID, tt.kind, tt.thread, tt.priority, tt.payload); err != nil {
				t.Fatal(err)
			}
			want(t, "woken", a.probe("socket") != "", tt.wakes)
		})
	}
}

// alarm wakes the agent once: a free path, or a word in a thread. It gives
// whether the agent was woken.
func (r *rig) alarm(a *agent, thread coord.ThreadID) bool {
	r.t.Helper()
	kind := coord.KindPathFree
	if thread != "" {
		kind = coord.KindThreadStatus
	}
	seq, err := r.Tell(a.AgentID, kind, thread, coord.High, object{"paths": []string{"y"}})
	if err != nil {
		r.t.Fatal(err)
	}
	events := a.call("await_wake", object{"rung": "socket", "timeout_seconds": 0})["events"].([]any)
	if len(events) == 0 {
		return false
	}
	var seqs []coord.Seq
	for _, e := range events {
		seqs = append(seqs, coord.Seq(e.(object)["seq"].(float64)))
	}
	a.wrote("socket", seqs...)
	r.prompted(a, hub.Prompt{Carried: []coord.EventID{coord.EventID(fmt.Sprint("E-", seq))}})
	a.call("turn", object{"event": "begin"})
	a.call("turn", object{"event": "end"})
	return true
}

func TestAtMostOneWakeUpAMinuteAndTenBetweenPrompts(t *testing.T) {
	r, a := idler(t)
	for i := range 10 {
		want(t, fmt.Sprint("wake-up ", i), r.alarm(a, ""), true)
		r.pass(59 * time.Second)
		if i == 0 {
			want(t, "within a minute", r.alarm(a, ""), false)
		}
		r.pass(time.Second)
	}
	want(t, "the eleventh", r.alarm(a, ""), false)
	r.prompted(a, hub.Prompt{}) // no person
	want(t, "after a prompt that nobody typed", r.alarm(a, ""), false)
	r.prompted(a, hub.Prompt{User: true})
	want(t, "after a prompt", r.alarm(a, ""), true)
}

func TestAThreadWakesSixTimesThenAPersonIsNeeded(t *testing.T) {
	r, a := idler(t)
	r.named("b").announce("x")
	want(t, "the consultation", a.probe("socket"), "thread.opened ")
	a.wrote("socket", 4)
	r.prompted(a, hub.Prompt{Carried: []coord.EventID{"E-3"}})
	for i := range 5 {
		r.pass(time.Minute)
		want(t, fmt.Sprint("wake-up ", i+2), r.alarm(a, "T-1"), true)
	}
	for range 2 {
		r.pass(time.Minute)
		want(t, "the seventh", r.alarm(a, "T-1"), false)
	}
	human := 0
	for _, k := range r.pubs.news(a.AgentID) {
		if k == coord.KindNeedsHuman {
			human++
		}
	}
	want(t, "needs_human", human, 1)
	want(t, "another matter still wakes, and brings it along", r.alarm(a, ""), true)
	want(t, "all is seen", a.receipts(), "")
	r.pass(time.Minute)
	r.prompted(a, hub.Prompt{User: true})
	want(t, "and the thread may wake again", r.alarm(a, "T-1"), true)
}

func TestExactlyOneRungWakes(t *testing.T) { synctest.Test(t, exactlyOneRungWakes) }

func exactlyOneRungWakes(t *testing.T) {
	r, a := idler(t)
	socket, rewake := a.await("socket"), a.await("rewake")
	synctest.Wait()
	r.named("b").announce("x")
	want(t, "socket", len((<-socket)["events"].([]any)), 1)
	r.pass(time.Second)
	select {
	case out := <-rewake:
		t.Fatalf("the background hook woke too: %v", out)
	default:
	}
	a.wrote("socket", 4)
	again := a.await("socket") // ready for more
	synctest.Wait()
	r.pass(time.Minute) // no prompt carries it: the socket did not work
	out := <-rewake
	want(t, "rewake", seqsOf(out["events"]), "4!")
	a.wrote("rewake", 4)
	a.call("turn", object{"event": "begin"})
	if err := r.Progress(a.AgentID); err != nil {
		t.Fatal(err)
	}
	want(t, "seen", a.receipts(), "")
	if err := r.Leave(a.ctx); err != nil {
		t.Fatal(err)
	}
	want(t, "the session ended", (<-again)["over"], true)
}

func TestANewerWaiterTakesTheOldersPlace(t *testing.T) {
	synctest.Test(t, aNewerWaiterTakesTheOldersPlace)
}

func aNewerWaiterTakesTheOldersPlace(t *testing.T) {
	r, a := idler(t)
	older := a.await("rewake")
	synctest.Wait()
	newer := a.await("rewake")
	want(t, "older", (<-older)["over"], true)
	synctest.Wait()
	r.named("b").announce("x")
	want(t, "newer", len((<-newer)["events"].([]any)), 1)
}

func TestTheEndOfATurnLetsWaitingNewsWake(t *testing.T) {
	synctest.Test(t, theEndOfATurnLetsWaitingNewsWake)
}

func theEndOfATurnLetsWaitingNewsWake(t *testing.T) {
	r, a := idler(t)
	a.call("turn", object{"event": "begin"})
	out := a.await("rewake")
	synctest.Wait()
	r.named("b").announce("x")
	r.pass(time.Second)
	select {
	case got := <-out:
		t.Fatalf("woken while busy: %v", got)
	default:
	}
	a.call("turn", object{"event": "end"})
	want(t, "woken", len((<-out)["events"].([]any)), 1)
}

// await waits for a wake-up in the background.
func (a *agent) await(rung coord.Rung) <-chan object {
	ch := make(chan object, 1)
	go func() {
		out, err := a.try("await_wake", object{"rung": rung})
		if err != nil {
			out = object{"error": err.Error(), "events": []any{}}
		}
		ch <- out
	}()
	return ch
}
