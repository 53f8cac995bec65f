package shim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/shim"
)

// news is the answer of the two tools that hand over events.
type news struct {
	Events    []json.RawMessage `json:"events"`
	Remaining int               `json:"remaining"`
	Timeout   bool              `json:"timeout"`
}

func (n news) seqs(t *testing.T) []coord.Seq {
	t.Helper()
	out := []coord.Seq{}
	for _, e := range n.Events {
		out = append(out, decode[struct{ Seq coord.Seq }](t, e).Seq)
	}
	return out
}

// read makes a call for news.
func (c *client) read(id int, tool, args string) news {
	c.t.Helper()
	return c.news(c.ask(toolCall(id, tool, args)))
}

func (c *client) news(m message) news {
	c.t.Helper()
	text, isError := c.text(m)
	if isError {
		c.t.Fatalf("no news but an error: %s", text)
	}
	return decode[news](c.t, json.RawMessage(text))
}

func (c *client) wantNews(n news, remaining int, want ...coord.Seq) {
	c.t.Helper()
	if want == nil {
		want = []coord.Seq{}
	}
	if diff := cmp.Diff(want, n.seqs(c.t)); diff != "" || n.Remaining != remaining {
		c.t.Fatalf("remaining %d, want %d; events (-want +got):\n%s", n.Remaining, remaining, diff)
	}
}

func TestAnEventIsShownWithoutWhatOnlyMachinesNeed(t *testing.T) {
	h, peer := serving(t, nil)
	h.post(7, "T-1", `{"message_id":"M-1","name":"bob \"é\"","content":"9007199254740993","n":9007199254740993}`)
	n := peer.read(1, "wait_for_message", `{}`)
	want := `{"seq":7,"id":"E-7","kind":"message.posted","agent_id":"ag-2","thread_id":"T-1","ts":1700000000000,"priority":"medium",` +
		`"message_id":"M-1","name":"bob \"é\"","content":"9007199254740993","n":9007199254740993}`
	if diff := cmp.Diff(want, string(n.Events[0])); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestNewsComesInBatches(t *testing.T) {
	h, peer := serving(t, nil)
	for s := coord.Seq(1); s <= 60; s++ {
		h.post(s, "T-1", `{}`)
	}
	n := peer.read(1, "get_queued_messages", `{}`)
	if len(n.Events) != 50 || n.Remaining != 10 {
		t.Fatalf("%d events and %d remaining, want 50 and 10", len(n.Events), n.Remaining)
	}
	peer.wantNews(peer.read(2, "wait_for_message", `{"max":2}`), 8, 51, 52)
	peer.wantNews(peer.read(3, "get_queued_messages", `{"max":3}`), 5, 53, 54, 55)
	for s := coord.Seq(61); s <= 90; s++ {
		h.post(s, "T-1", `{}`)
	}
	peer.wantNews(peer.read(4, "get_queued_messages", `{"max":1}`), 34, 56)
	if n := peer.read(5, "wait_for_message", `{}`); len(n.Events) != 20 || n.Remaining != 14 {
		t.Errorf("%d events and %d remaining, want 20 and 14", len(n.Events), n.Remaining)
	}
}

func TestOneAnswerBearsOnlySoMuch(t *testing.T) {
	h, peer := serving(t, nil)
	for s := coord.Seq(1); s <= 10; s++ {
		h.post(s, "T-1", fmt.Sprintf(`{"content":%q}`, strings.Repeat("x", 3000)))
	}
	h.post(11, "T-1", fmt.Sprintf(`{"content":%q}`, strings.Repeat("x", 7900)))
	var got []coord.Seq
	for id := 1; len(got) < 11; id++ {
		text, _ := peer.call(id, "get_queued_messages", `{}`)
		if len(text) > 8<<10 {
			t.Errorf("an answer of %d bytes", len(text))
		}
		n := decode[news](t, json.RawMessage(text))
		if len(n.Events) == 0 {
			t.Fatalf("nothing after %v", got)
		}
		got = append(got, n.seqs(t)...)
		if n.Remaining != 11-len(got) {
			t.Errorf("%d remain after %v", n.Remaining, got)
		}
	}
	if diff := cmp.Diff([]coord.Seq{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAWaitEndsWithTheNews(t *testing.T) {
	h, peer := serving(t, nil)
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":50}`))
	peer.wantSilence()
	h.post(1, "T-1", `{}`)
	peer.wantNews(peer.news(peer.answer()), 0, 1)
}

func TestAWaitForOneThreadLeavesTheRest(t *testing.T) {
	h, peer := serving(t, nil)
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":50,"thread_id":"T-2"}`))
	h.post(1, "T-1", `{}`)
	h.post(2, "T-2", `{}`)
	h.post(3, "T-1", `{}`)
	peer.wantNews(peer.news(peer.answer()), 0, 2)
	peer.wantNews(peer.read(2, "get_queued_messages", `{}`), 0, 1, 3)
}

func TestAWaitEndsInTime(t *testing.T) {
	_, peer := serving(t, nil)
	n := peer.read(1, "wait_for_message", `{"timeout_seconds":0.05}`)
	if !n.Timeout || n.Events == nil || len(n.Events) != 0 {
		t.Errorf("got %+v, want a timeout and an empty list", n)
	}
	if n := peer.read(2, "get_queued_messages", `{}`); n.Timeout || n.Events == nil {
		t.Errorf("got %+v, want an empty list", n)
	}
}

func TestWaitsAreCappedByClient(t *testing.T) {
	claude, other := coord.ClientInfo{Name: "claude-code"}, coord.ClientInfo{Name: "codex-mcp-client"}
	for _, c := range []struct {
		seconds *float64
		client  coord.ClientInfo
		want    time.Duration
	}{
		{nil, claude, 30 * time.Second},
		{nil, other, 30 * time.Second},
		{new(0.5), other, 500 * time.Millisecond},
		{new(99.0), claude, 99 * time.Second},
		{new(3600.0), claude, 100 * time.Second},
		{new(3600.0), other, 50 * time.Second},
	} {
		if got := shim.WaitLimit(c.seconds, c.client); got != c.want {
			t.Errorf("%v for %s waits %v, want %v", c.seconds, c.client.Name, got, c.want)
		}
	}
}

func TestAWaitGivesSignsOfLife(t *testing.T) {
	h, peer := serving(t, func(o *shim.Options) { o.Progress = 20 * time.Millisecond })
	peer.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait_for_message","arguments":{"timeout_seconds":40},"_meta":{"progressToken":"tok"}}}`)
	last := 0.0
	for range 3 {
		m := peer.next()
		p := decode[struct {
			ProgressToken   string
			Progress, Total float64
		}](t, m.Params)
		if m.Method != "notifications/progress" || p.ProgressToken != "tok" || p.Progress <= last || p.Total != 40 {
			t.Fatalf("got %s %s, want progress above %v", m.Method, m.Params, last)
		}
		last = p.Progress
	}
	h.post(1, "T-1", `{}`)
	peer.wantNews(peer.news(peer.answer()), 0, 1)
}

func TestAWaitWithoutATokenIsSilent(t *testing.T) {
	h, peer := serving(t, func(o *shim.Options) { o.Progress = time.Millisecond })
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":40}`))
	peer.wantSilence()
	h.post(1, "T-1", `{}`)
	if m := peer.next(); string(m.ID) != "1" {
		t.Errorf("got %s %s", m.Method, m.ID)
	}
}

func TestACancelledWaitLeavesTheNewsToTheNext(t *testing.T) {
	h, peer := serving(t, nil)
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":50}`))
	peer.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	h.post(1, "T-1", `{}`)
	peer.wantNews(peer.read(2, "wait_for_message", `{"timeout_seconds":50}`), 0, 1)
}

// A cancellation may cross the answer at any point. A client that ignores what
// it has cancelled must still get every event, in order.
func TestNoCancellationLosesNews(t *testing.T) {
	h, peer := serving(t, nil)
	var got []coord.Seq
	const rounds = 300
	for i := 1; i <= rounds; i++ {
		peer.send(toolCall(i, "wait_for_message", `{"timeout_seconds":50}`))
		h.post(coord.Seq(i), "T-1", `{}`)
		peer.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, i))
		if i%3 != 0 {
			continue
		}
		peer.send(toolCall(rounds+i, "get_queued_messages", `{"max":200}`))
		for {
			m := peer.answer()
			if string(m.ID) == fmt.Sprint(rounds+i) {
				got = append(got, peer.news(m).seqs(t)...)
				break
			}
		}
	}
	for i, s := range got {
		if s != coord.Seq(i+1) {
			t.Fatalf("event %d is %d", i+1, s)
		}
	}
	if len(got) != rounds {
		t.Errorf("%d of %d events", len(got), rounds)
	}
}

func TestWhatWasHandedOverIsAcknowledged(t *testing.T) {
	h, peer := serving(t, nil)
	h.post(1, "T-1", `{}`)
	h.post(2, "T-1", `{}`)
	h.post(3, "T-1", `{}`)
	peer.read(1, "get_queued_messages", `{"max":2}`)
	if got := <-h.acks; got != 2 {
		t.Errorf("acknowledged %d, want 2", got)
	}
}

func TestWhatCouldNotBeWrittenIsNotAcknowledged(t *testing.T) {
	h, peer := serving(t, nil)
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":50}`))
	peer.wantSilence()
	_ = peer.out.Close() // the client reads no more
	h.post(1, "T-1", `{}`)
	peer.wantEnd()
	h.with(func() {
		if h.seen != 0 || h.left != 1 {
			t.Errorf("acknowledged %d and left %d times, want 0 and once", h.seen, h.left)
		}
	})
}

func TestQueuedNewsIsThereWithoutAHub(t *testing.T) {
	h, peer := serving(t, func(o *shim.Options) { o.Patience = 50 * time.Millisecond })
	h.post(1, "T-1", `{}`)
	h.post(2, "T-1", `{}`)
	peer.wantNews(peer.read(1, "get_queued_messages", `{"max":1}`), 1, 1)
	h.stop()
	peer.wantNews(peer.read(2, "get_queued_messages", `{}`), 0, 2)
	peer.wantRefused(3, "get_queued_messages", `{}`, "hub")
	peer.wantRefused(4, "wait_for_message", `{}`, "hub")
}

func TestAWaitOutlivesTheHub(t *testing.T) {
	h, peer := serving(t, nil)
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":50}`))
	peer.wantSilence()
	h.stop()
	h.with(func() { h.instance = "i-2" })
	h.listen()
	<-h.subscribed
	h.post(1, "T-1", `{}`)
	peer.wantNews(peer.news(peer.answer()), 0, 1)
}
