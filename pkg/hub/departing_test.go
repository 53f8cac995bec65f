package hub_test

import (
	"testing"
	"time"
)

// A client that was stopped for a while, with what it was at.
func lost(t *testing.T) (r *rig, alice, bob *agent) {
	t.Helper()
	r, alice, bob = consult(t)
	want(t, "lease", alice.acquire("mine.go"), true)
	r.Disconnected(alice.AgentID, true)
	r.pass(time.Minute)
	want(t, "others see", statusOf(bob, alice), "offline")
	return r, alice, bob
}

func statusOf(reader, who *agent) any {
	for _, a := range reader.call("list_agents", object{"online_only": false})["agents"].([]any) {
		if a.(object)["id"] == string(who.AgentID) {
			return a.(object)["status"]
		}
	}
	return "unknown"
}

func TestAnAgentThatWakesUpIsBackAndHearsWhatEnded(t *testing.T) {
	for name, wake := range map[string]func(*rig, *agent){
		"by its connection": func(r *rig, a *agent) { r.Connected(a.AgentID, true) },
		"by its heartbeat":  func(_ *rig, a *agent) { a.call("sync", object{}) },
	} {
		t.Run(name, func(t *testing.T) {
			r, alice, bob := lost(t)
			wake(r, alice)
			want(t, "others see", statusOf(bob, alice), "online")
			r.pass(14 * time.Second)
			want(t, "others still see", statusOf(bob, alice), "online")

			events := alice.call("sync", object{"epoch": r.Epoch(), "limit": 50})["events"].([]any)
			word := events[len(events)-1].(object)
			want(t, "word", []any{word["kind"], word["closed"], word["left"]}, []any{"agent.lost", []string{"A-1", "T-1"}, []string{"mine.go"}})
		})
	}
}

func TestWhoSaysGoodbyeGetsNoWordOfItsOwnEnd(t *testing.T) {
	r, alice, _ := consult(t)
	before := len(r.pubs.news(alice.AgentID))
	if err := r.Leave(alice.ctx); err != nil {
		t.Fatal(err)
	}
	want(t, "news", len(r.pubs.news(alice.AgentID)), before)
}
