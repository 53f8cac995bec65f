package streamable_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// batch is the news of one answer.
type batch struct {
	Events []struct {
		Seq     coord.Seq
		Kind    coord.EventKind
		Content string
		Epoch   *string
		Project *string
	}
	Remaining int
	Timeout   bool
}

func (b batch) contents() []string {
	out := []string{}
	for _, e := range b.Events {
		out = append(out, e.Content)
	}
	return out
}

// consulted gives a visitor that takes part in a thread with alice, and has read
// everything so far.
func consulted(t *testing.T) (s *site, alice context.Context, v *visitor, thread coord.ThreadID) {
	s = open(t, nil)
	alice = s.shim("alice", shop)
	v = s.visit(join{})
	call[tool.AnnounceWorkOut](v, "announce_work", object{"subject": "mine", "target_files": []string{"a.go"}})
	thread = *ask(s, alice, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "mine too", TargetFiles: []string{"a.go"}}).ThreadID
	if got := call[batch](v, "get_queued_messages", nil); len(got.Events) == 0 || got.Events[0].Kind != coord.KindThreadOpened || got.Events[0].Epoch != nil || got.Events[0].Project != nil {
		t.Fatalf("the opened thread is told as %+v", got)
	}
	return s, alice, v, thread
}

func (s *site) say(as context.Context, thread coord.ThreadID, words ...string) {
	s.t.Helper()
	for _, w := range words {
		ask(s, as, tool.PostToThread, tool.PostToThreadIn{ThreadID: thread, Content: w})
	}
}

func TestAWaitIsWokenByNews(t *testing.T) {
	s, alice, v, thread := consulted(t)
	got := make(chan batch, 1)
	go func() { got <- call[batch](v, "wait_for_message", object{"timeout_seconds": 50}) }()
	<-s.hub.listened
	s.say(alice, thread, "hello")
	b := <-got
	if diff := cmp.Diff([]string{"hello"}, b.contents()); diff != "" || b.Timeout {
		t.Errorf("timeout %v (-want +got):\n%s", b.Timeout, diff)
	}
}

func TestAWaitWithoutNewsEndsInTime(t *testing.T) {
	_, _, v, _ := consulted(t)
	if got, _ := v.try("wait_for_message", object{"timeout_seconds": 0.01}); got != `{"events":[],"remaining":0,"timeout":true}` {
		t.Errorf("got %s", got)
	}
}

func TestNewsComesOnceAndInOrder(t *testing.T) {
	s, alice, v, thread := consulted(t)
	s.say(alice, thread, "1", "2", "3")
	first := call[batch](v, "wait_for_message", object{"max": 2})
	second := call[batch](v, "get_queued_messages", nil)
	if diff := cmp.Diff([][]string{{"1", "2"}, {"3"}}, [][]string{first.contents(), second.contents()}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if first.Remaining != 1 || second.Remaining != 0 {
		t.Errorf("remaining are %d and %d, want 1 and 0", first.Remaining, second.Remaining)
	}
	if got := call[batch](v, "get_queued_messages", nil); len(got.Events) > 0 {
		t.Errorf("given again: %+v", got)
	}
}

func TestAWaitForOneThreadLeavesTheRest(t *testing.T) {
	s, alice, v, one := consulted(t)
	call[tool.AnnounceWorkOut](v, "announce_work", object{"subject": "more", "target_files": []string{"b.go"}})
	two := *ask(s, alice, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "more too", TargetFiles: []string{"b.go"}}).ThreadID
	s.say(alice, one, "of one")
	s.say(alice, two, "of two")
	got := call[batch](v, "wait_for_message", object{"thread_id": two})
	rest := call[batch](v, "get_queued_messages", nil)
	if diff := cmp.Diff([][]string{{"", "of two"}, {"of one"}}, [][]string{got.contents(), rest.contents()}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNewsWithAnAnswerIsAcknowledgedByTheNextQuestion(t *testing.T) {
	s, alice, v, thread := consulted(t)
	s.say(alice, thread, "1")
	call[batch](v, "get_queued_messages", nil)
	me := s.as(v)
	// The client may ask again before the door has noted the end of its last answer.
	for deadline := time.Now().Add(patience); ; {
		call[batch](v, "get_queued_messages", nil)
		got, err := s.hub.Call(me, tool.Sync.Name, json.RawMessage(`{}`), "")
		if err != nil {
			t.Fatal(err)
		}
		out := decode[tool.SyncOut](t, got)
		if out.Head > 0 && out.Seen == out.Head {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("seen is %d of %d", out.Seen, out.Head)
		}
	}
}

// A client that hangs up while it waits has got nothing.
func TestNewsAfterAClientHungUpIsForItsNextQuestion(t *testing.T) {
	s, alice, v, thread := consulted(t)
	ctx, hangUp := context.WithCancel(t.Context())
	request := s.request(ctx, v, `{"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait_for_message","arguments":{"timeout_seconds":50}}}`)
	gone := make(chan error, 1)
	go func() {
		resp, err := v.http.Do(request)
		if err == nil {
			_ = resp.Body.Close()
		}
		gone <- err
	}()
	<-s.hub.listened
	hangUp()
	if err := <-gone; err == nil {
		t.Fatal("the client did not hang up")
	}
	<-s.hub.stopped
	s.say(alice, thread, "hello")
	if got := call[batch](v, "wait_for_message", object{"timeout_seconds": 20}).contents(); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("got %v", got)
	}
}

// A cancellation may cross the answer: the client ignores what it then gets.
func TestNewsOfACancelledWaitIsGivenAgain(t *testing.T) {
	s, alice, v, thread := consulted(t)
	s.say(alice, thread, "hello")
	raw := s.post(v, `{"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait_for_message","arguments":{}}}`)
	if !strings.Contains(raw, "hello") {
		t.Fatalf("answered %s", raw)
	}
	s.post(v, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"w"}}`)
	if got := call[batch](v, "get_queued_messages", nil).contents(); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("got %v", got)
	}
}

func TestACancelledWaitEnds(t *testing.T) {
	s, alice, v, thread := consulted(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := v.CallTool(ctx, &mcp.CallToolParams{Name: "wait_for_message", Arguments: object{"timeout_seconds": 50}})
		ended <- err
	}()
	<-s.hub.listened
	cancel()
	if err := <-ended; err == nil {
		t.Error("a cancelled call was answered")
	}
	s.say(alice, thread, "hello")
	if got := call[batch](v, "wait_for_message", nil).contents(); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("got %v", got)
	}
}

func TestAnAnswerHoldsAtMost8KB(t *testing.T) {
	s, alice, v, thread := consulted(t)
	var want, got []string
	for i := range 8 {
		want = append(want, strings.Repeat(string(rune('a'+i)), 3000))
	}
	s.say(alice, thread, want...)
	for len(got) < len(want) {
		text, refused := v.try("get_queued_messages", nil)
		if refused || len(text) > 8<<10 {
			t.Fatalf("an answer of %d bytes, refused %v", len(text), refused)
		}
		var b batch
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			t.Fatal(err)
		}
		got = append(got, b.contents()...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// request makes a request with one message of the visitor.
func (s *site) request(ctx context.Context, v *visitor, message string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+"/mcp", strings.NewReader(message))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Session-Id", v.ID())
	return r
}

// post sends one message as the visitor and gives the body of the answer.
func (s *site) post(v *visitor, message string) string {
	s.t.Helper()
	resp, err := v.http.Do(s.request(s.t.Context(), v, message))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}
