package hub_test

import (
	"context"
	"testing"
	"time"
)

func TestAVisitorIsPresentAsLongAsItIsKept(t *testing.T) {
	r := newRig(t)
	got, err := r.Register(context.Background(), "me", registration("a"))
	if err != nil {
		t.Fatal(err)
	}
	r.Keep(got.AgentID, 5*time.Minute)
	r.Keep(got.AgentID, time.Second) // takes nothing away
	r.pass(5*time.Minute - time.Second)
	want(t, "while kept", len(r.LiveProjects()), 1)
	r.pass(time.Second)
	want(t, "afterwards", len(r.LiveProjects()), 0)
}

func TestAListenerIsWokenByWhatIsForItsAgent(t *testing.T) {
	r := newRig(t)
	alice, bob, eve := r.named("alice"), r.named("bob"), r.named("eve")
	bell, stop := r.Listen(alice.AgentID)
	other, stopOther := r.Listen(eve.AgentID)
	defer stopOther()
	alice.announce("a.go")
	bob.announce("a.go") // concerns alice
	select {
	case <-bell:
	case <-time.After(10 * time.Second):
		t.Fatal("the thread was opened and alice was not woken")
	}
	stop()
	bob.call("post_to_thread", object{"thread_id": "T-1", "content": "hello"})
	if len(bell) > 0 {
		t.Error("woken after it stopped to listen")
	}
	if len(other) > 0 {
		t.Error("eve is woken by what is not for her")
	}
}
