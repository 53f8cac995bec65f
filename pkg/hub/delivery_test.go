package hub_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// tell puts n messages into the agent's inbox.
func (a *agent) tell(n int, p coord.Priority) {
	a.r.t.Helper()
	for i := range n {
		if _, err := a.r.Tell(a.AgentID, coord.KindMessagePosted, "", p, object{"content": fmt.Sprint(i)}); err != nil {
			a.r.t.Fatal(err)
		}
	}
}

// offered asks for news and words it: seqs, an "again" marked by "!".
func (a *agent) offered(rung coord.Rung, extra object) string {
	a.r.t.Helper()
	args := object{"rung": rung}
	for k, v := range extra {
		args[k] = v
	}
	return seqsOf(a.call("offer", args)["events"])
}

func seqsOf(events any) string {
	var out []string
	for _, e := range events.([]any) {
		s := fmt.Sprint(e.(object)["seq"])
		if e.(object)["again"] == true {
			s += "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func (a *agent) wrote(rung coord.Rung, seqs ...coord.Seq) {
	a.r.t.Helper()
	a.call("written", object{"rung": rung, "seqs": seqs})
}

// receipts words the state of what the agent has not seen.
func (a *agent) receipts() string {
	var out []string
	for _, r := range a.r.Receipts(a.AgentID) {
		out = append(out, fmt.Sprintf("%d:%s", r.Seq, r.State))
	}
	return strings.Join(out, " ")
}

// silent makes a hub with one agent whose next event has seq 2.
func silent(t *testing.T) (*rig, *agent) {
	r := newRig(t)
	return r, r.named("a") // its arrival is event 1
}

func TestAnOfferIsMadeOnceUntilItLapses(t *testing.T) {
	r, a := silent(t)
	a.tell(3, coord.Medium)
	want(t, "first", a.offered("hook", object{"max": 2}), "2 3")
	want(t, "while that is out, not even what follows", a.offered("result", nil), "")
	r.pass(29 * time.Second)
	want(t, "still out", a.offered("result", nil), "")
	r.pass(time.Second)
	want(t, "again", a.offered("result", nil), "2! 3! 4")
}

func TestWhatWasWrittenIsNotOfferedAgainAndSeenWithTheNextCall(t *testing.T) {
	r, a := silent(t)
	a.tell(2, coord.Medium)
	want(t, "offer", a.offered("hook", nil), "2 3")
	if err := r.Progress(a.AgentID); err != nil {
		t.Fatal(err)
	}
	want(t, "an offer alone is not seen", a.receipts(), "2:offered 3:offered")
	a.wrote("hook", 2, 3)
	want(t, "written", a.receipts(), "2:written 3:written")
	a.tell(1, coord.Medium)
	r.pass(time.Hour)
	want(t, "only what is new", a.offered("hook", nil), "4")
	if err := r.Progress(a.AgentID); err != nil {
		t.Fatal(err)
	}
	want(t, "seen", a.receipts(), "4:offered")
}

func TestAFailedOfferIsMadeAgainAtOnce(t *testing.T) {
	_, a := silent(t)
	a.tell(2, coord.Medium)
	a.offered("hook", nil)
	a.call("written", object{"rung": "hook", "seqs": []int{2, 3}, "failed": true})
	want(t, "offer", a.offered("result", nil), "2! 3!")
}

func TestNewsIsSeenWhenTheCallsInFlightHaveEnded(t *testing.T) {
	r, a := silent(t)
	a.tell(1, coord.Medium)
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	step(r.InFlight(a.AgentID, "one", true))
	step(r.InFlight(a.AgentID, "two", true))
	a.offered("hook", nil)
	a.wrote("hook", 2)
	step(r.InFlight(a.AgentID, "one", false))
	step(r.Progress(a.AgentID))
	want(t, "one of two ended", a.receipts(), "2:written")
	step(r.InFlight(a.AgentID, "three", true))
	step(r.InFlight(a.AgentID, "two", false))
	step(r.Progress(a.AgentID))
	want(t, "both ended", a.receipts(), "")
}

func TestTheEndOfATurnEndsTheCallsInFlight(t *testing.T) {
	r, a := silent(t)
	a.tell(1, coord.Medium)
	if err := r.InFlight(a.AgentID, "interrupted", true); err != nil {
		t.Fatal(err)
	}
	a.offered("hook", nil)
	a.wrote("hook", 2)
	a.call("turn", object{"event": "end"})
	if err := r.Progress(a.AgentID); err != nil {
		t.Fatal(err)
	}
	want(t, "receipts", a.receipts(), "")
}

func TestARungSpeaksUpOnlyForNewsOfItsWeight(t *testing.T) {
	for _, tt := range []struct {
		rung          coord.Rung
		low, mid, top string
	}{
		{coord.RungResult, "2", "2", "2"}, {coord.RungPrompt, "2", "2", "2"}, {coord.RungPoll, "2", "2", "2"},
		{coord.RungHook, "", "2", "2"}, {coord.RungStop, "", "", "2"}, {coord.RungChannel, "", "", "2"},
	} {
		for p, expected := range map[coord.Priority]string{coord.Low: tt.low, coord.Medium: tt.mid, coord.High: tt.top} {
			r, a := silent(t)
			if _, err := r.Tell(a.AgentID, coord.KindBroadcast, "", p, object{}); err != nil {
				t.Fatal(err)
			}
			want(t, fmt.Sprint(tt.rung, " for ", p), a.offered(tt.rung, nil), expected)
		}
	}
}

func TestOrderIsKeptWhenAnUrgentEventComesLast(t *testing.T) {
	_, a := silent(t)
	a.tell(3, coord.Low)
	want(t, "nothing yet", a.offered("stop", nil), "")
	a.tell(1, coord.High)
	want(t, "all of it", a.offered("stop", nil), "2 3 4 5")
}

func TestAnOfferKeepsToItsBytesAndThread(t *testing.T) {
	r, a := silent(t)
	for i, thread := range []coord.ThreadID{"T-1", "T-2", "T-1"} {
		if _, err := r.Tell(a.AgentID, coord.KindMessagePosted, thread, coord.Medium, object{"content": strings.Repeat("x", 1000*(i+1))}); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "of a thread", a.offered("poll", object{"thread_id": "T-2"}), "3")
	a.wrote("poll", 3)
	want(t, "the first always fits", a.offered("poll", object{"bytes": 500}), "2")
	a.wrote("poll", 2)
	want(t, "the rest", a.offered("poll", object{"progress": true}), "4")
}

func TestReceiptsOutliveTheHub(t *testing.T) {
	r, a := silent(t)
	a.tell(4, coord.Medium)
	a.offered("hook", object{"max": 1})
	a.wrote("hook", 2)
	a.offered("poll", object{"max": 1})
	r.stop()
	r.start(nil)
	want(t, "receipts", a.receipts(), "2:written 3:offered 4:queued 5:queued")
	r.pass(30 * time.Second)
	want(t, "what nobody confirmed comes again", a.offered("hook", nil), "3! 4 5")
}

func TestWhatAHookHadInHandIsOfferedAgainByTheNextHub(t *testing.T) {
	r, a := silent(t)
	a.tell(2, coord.Medium)
	want(t, "offer", a.offered("hook", object{"max": 1}), "2")
	r.stop()
	r.start(nil)
	want(t, "the hook cannot report to this hub", a.offered("prompt", nil), "2! 3")
}

func TestAnOfferThatWasLostOnItsWayIsMadeAgainAtOnce(t *testing.T) {
	_, a := silent(t)
	a.tell(2, coord.Medium)
	want(t, "offer", a.offered("result", nil), "2 3")
	want(t, "to a caller that may have it", a.offered("poll", nil), "")
	want(t, "to one that has nothing", a.offered("poll", object{"settled": true}), "2! 3!")
	a.wrote("poll", 2, 3)
	a.tell(1, coord.Medium)
	want(t, "a hook's offer", a.offered("hook", nil), "4")
	want(t, "which is not the shim's", a.offered("poll", object{"settled": true}), "")
}

func TestAFullInboxExpiresItsOldestAndSaysSo(t *testing.T) {
	r, a := silent(t)
	a.tell(1005, coord.Medium)
	first := a.call("offer", object{"rung": "poll", "max": 2})["events"].([]any)
	want(t, "marker", first[0].(object)["kind"], "resync")
	want(t, "from", first[0].(object)["from"], 2)
	want(t, "to", first[0].(object)["to"], 6)
	want(t, "then", first[1].(object)["seq"], 7)
	r.stop()
	r.start(nil)
	want(t, "after a restart", strings.HasPrefix(a.receipts(), "6:queued 7:offered 8:queued"), true)
}

func TestAcknowledgingThroughSyncIsSeen(t *testing.T) {
	_, a := silent(t)
	a.tell(3, coord.Medium)
	a.call("sync", object{"seen": 2})
	want(t, "handed over", a.receipts(), "2:written 3:queued 4:queued")
	a.call("sync", object{"seen": 3, "read": true})
	want(t, "read", a.receipts(), "4:queued")
	want(t, "offer", a.offered("result", nil), "4")
}

func TestStandingTellsWhatIsHeldWantedAndAsked(t *testing.T) {
	r := newRig(t)
	a, b := r.named("a"), r.named("b")
	a.announce("x")
	b.announce("x")
	a.call("acquire", object{"file_paths": []string{"x"}})
	b.call("acquire", object{"file_paths": []string{"x"}})
	of := func(a *agent) string {
		s, err := r.Standing(a.AgentID)
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	want(t, "holder", of(a), `{"name":"a","leases":[{"path":"x","with":"b"}],"left":[],"waits":[],"work":["work"],"threads":[{"id":"T-1","subject":"work","status":"open","waiting":true}]}`)
	want(t, "waiter", of(b), `{"name":"b","leases":[],"left":[],"waits":[{"path":"x","with":"a"}],"work":["work"],"threads":[{"id":"T-1","subject":"work","status":"open"}]}`)
	a.call("edited", object{"file_paths": []string{"x"}})
	a.call("turn", object{"event": "end"})
	if s := of(a); !strings.Contains(s, `"leases":[],"left":[{"path":"x","with":"b"}]`) {
		t.Errorf("after the holder's turn: %s, want that the lease is left", s)
	}
}
