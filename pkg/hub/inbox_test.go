package hub_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

func TestNewsStaysUnreadUntilTheNextCallForIt(t *testing.T) {
	r, a, b := consult(t)
	seen := func() any { return a.call("sync", object{})["seen"] }
	first := a.call("wait_for_message", object{"timeout_seconds": 0})["events"].([]any)
	want(t, "events", len(first), 1)
	want(t, "seen before the next call", seen(), 0)

	r.stop() // and the answer is lost
	r.start(nil)
	again := a.call("wait_for_message", object{"timeout_seconds": 0})["events"].([]any)
	want(t, "the same again", again[0].(object)["seq"], first[0].(object)["seq"])

	a.announce("db.go")
	b.announce("db.go")
	want(t, "another thread's", len(a.call("wait_for_message", object{"timeout_seconds": 0, "thread_id": "T-2"})["events"].([]any)), 1)
	want(t, "seen with the next call", seen(), again[0].(object)["seq"])
	b.call("post_to_thread", object{"thread_id": "T-1", "content": "hi"})
	want(t, "what is new, and what was asked for alone", len(a.call("get_queued_messages", nil)["events"].([]any)), 2)
	want(t, "nothing left", len(a.call("get_queued_messages", nil)["events"].([]any)), 0)
}

func TestABatchOfNewsKeepsToTheBudget(t *testing.T) {
	_, a, b := consult(t)
	for range 5 {
		b.call("post_to_thread", object{"thread_id": "T-1", "content": strings.Repeat("漢", 4000)})
	}
	n := 0
	for range 6 {
		raw := answer(t, a, "get_queued_messages", object{"max": 200})
		if len(raw) > maxAnswer {
			t.Errorf("%d bytes", len(raw))
		}
		n += strings.Count(string(raw), `"kind":"`+string(coord.KindMessagePosted))
	}
	want(t, "posts", n, 5)
}
