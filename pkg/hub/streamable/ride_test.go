package streamable_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// carrier is any answer, with the news that rides along in it.
type carrier struct {
	News struct {
		batch
		Unread int
	}
}

// ridden calls a tool until news rides along. The client may ask again before the
// door has noted that its last answer went out.
func ridden(v *visitor, name string, args object) (c carrier) {
	v.t.Helper()
	for deadline := time.Now().Add(patience); len(c.News.Events) == 0; {
		text, refused := v.try(name, args)
		if c = decode[carrier](v.t, []byte(text)); refused || len(text) > 8<<10 || time.Now().After(deadline) {
			v.t.Fatalf("no news, or %d bytes, or refused: %s", len(text), text)
		}
	}
	return c
}

func TestNewsRidesAlongInTheAnswerOfAnyCall(t *testing.T) {
	s, alice, v, thread := consulted(t)
	for name, args := range map[string]object{"coordinator_status": nil, "register_agent": {"name": "cursor"}, "list_agents": nil} {
		s.say(alice, thread, "before "+name)
		got := ridden(v, name, args).News
		if diff := cmp.Diff([]string{"before " + name}, got.contents()); diff != "" || got.Unread != 0 {
			t.Errorf("%s: %d more unread, and (-want +got):\n%s", name, got.Unread, diff)
		}
		if again := call[carrier](v, name, args).News.contents(); len(again) > 0 {
			t.Errorf("the next %s carries %v", name, again)
		}
	}
	if left := call[batch](v, "get_queued_messages", nil).contents(); len(left) > 0 {
		t.Errorf("asked for news, it is given %v", left)
	}
	s.say(alice, thread, "for later")
	v.refused("get_thread", object{"thread_id": "T-99"}, "T-99")
	if got := call[batch](v, "get_queued_messages", nil).contents(); !slices.Equal(got, []string{"for later"}) {
		t.Errorf("after a refusal: %v", got)
	}
}

func TestAnAnswerWithNewsHoldsAtMost8KB(t *testing.T) {
	s, alice, v, thread := consulted(t)
	var want, got []string
	for i := range 12 {
		want = append(want, strings.Repeat(string(rune('a'+i)), 900))
	}
	s.say(alice, thread, want...)
	for len(got) < len(want) {
		c := ridden(v, "coordinator_status", nil)
		if got = append(got, c.News.contents()...); c.News.Unread != len(want)-len(got) {
			t.Errorf("%d are said to be unread after %d of %d", c.News.Unread, len(got), len(want))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What rode along in an answer is handed over when that has gone out, and seen
// when the client has come back.
func TestNewsThatRodeAlongIsSeenWithTheNextCall(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		b.news(id)
		me := agentIn(t, b.call(id, "coordinator_status", `{}`).String()) // which carries the news
		as := coord.WithCaller(t.Context(), coord.Caller{Agent: me, Project: shop, Member: member})
		unseen := func() coord.Seq {
			raw, err := b.hub.Call(as, tool.Sync.Name, json.RawMessage(`{}`), "")
			if err != nil {
				t.Fatal(err)
			}
			out := decode[tool.SyncOut](t, raw)
			return out.Head - out.Seen
		}
		if unseen() == 0 {
			t.Error("it counts as seen before the client has come back")
		}
		b.call(id, "coordinator_status", `{}`)
		if left := unseen(); left > 0 {
			t.Errorf("the client has come back, and the last %d events are not seen", left)
		}
	})
}

// The client goes away before the answer is out, or ignores it.
func TestNewsThatRodeAlongInVainIsGivenAgain(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		b.news(id)
		w := &lost{recorder{ResponseRecorder: httptest.NewRecorder()}}
		b.send(b.t.Context(), w, http.MethodPost, id, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"coordinator_status","arguments":{}}}`)
		if !strings.Contains(w.String(), "thread.opened") {
			t.Fatalf("the first answer carries nothing: %s", w)
		}
		if w := b.call(id, "coordinator_status", `{}`); !strings.Contains(w.String(), "thread.opened") || !strings.Contains(w.String(), `\"again\":true`) { // id 1
			t.Errorf("the next answer is %s", w)
		}
		b.do(b.t.Context(), http.MethodPost, id, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
		synctest.Wait()
		if w := b.call(id, "coordinator_status", `{}`); !strings.Contains(w.String(), "thread.opened") {
			t.Errorf("after a cancellation the next answer is %s", w)
		}
		if w := b.call(id, "coordinator_status", `{}`); strings.Contains(w.String(), "thread.opened") {
			t.Errorf("and the one after it too: %s", w)
		}
	})
}
