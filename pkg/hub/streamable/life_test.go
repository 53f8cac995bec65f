package streamable_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/streamable"
	"github.com/coordhq/coord/pkg/tool"
)

// bubble is a hub and its door under synctest, spoken to without a network.
type bubble struct {
	t    *testing.T
	hub  *hub.Hub
	door *streamable.Handler
}

// inBubble runs a test in which time passes only when everybody waits.
func inBubble(t *testing.T, change func(*streamable.Options), test func(*bubble)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, hub: newHub(t)}
		b.door = newHandler(t, b.hub, change)
		test(b)
	})
}

// recorder is a ResponseWriter that may be read while it is written to.
type recorder struct {
	mu sync.Mutex
	*httptest.ResponseRecorder
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ResponseRecorder.Write(b)
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Body.String()
}

// do sends a request as the user; the first of a session when id is "".
func (b *bubble) do(ctx context.Context, method, id, body string) *recorder {
	w := &recorder{ResponseRecorder: httptest.NewRecorder()}
	b.send(ctx, w, method, id, body)
	return w
}

func (b *bubble) send(ctx context.Context, w http.ResponseWriter, method, id, body string) {
	r := httptest.NewRequestWithContext(coord.WithCaller(ctx, coord.Caller{Member: member, Operator: true}), method, "/mcp?project="+string(shop), strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if id != "" {
		r.Header.Set("Mcp-Session-Id", id)
	}
	b.door.ServeHTTP(w, r)
}

const hello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bob","version":"1"}}}`

// initialize starts a session that has no agent yet.
func (b *bubble) initialize() (id string) {
	b.t.Helper()
	w := b.do(b.t.Context(), http.MethodPost, "", hello)
	id = w.Header().Get("Mcp-Session-Id")
	if w.Code != http.StatusOK || id == "" {
		b.t.Fatalf("initialize: %d %s", w.Code, w)
	}
	if w := b.do(b.t.Context(), http.MethodPost, id, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); w.Code != http.StatusAccepted {
		b.t.Fatalf("initialized: %d %s", w.Code, w)
	}
	return id
}

// call makes a tool call and gives the whole answer.
func (b *bubble) call(id, name, args string) *recorder {
	return b.do(b.t.Context(), http.MethodPost, id,
		fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"progressToken":"p"}}}`, name, args))
}

// joined starts a session with an agent.
func (b *bubble) joined() (id string) {
	b.t.Helper()
	id = b.initialize()
	if w := b.call(id, "register_agent", `{"name":"bob"}`); !strings.Contains(w.String(), `bob`) {
		b.t.Fatalf("register_agent: %d %s", w.Code, w)
	}
	return id
}

// stream opens a stream; close ends it.
func (b *bubble) stream(id string) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		b.do(ctx, http.MethodGet, id, "")
		close(done)
	}()
	synctest.Wait()
	return func() { cancel(); <-done }
}

// wantPresent says whether the agent counts as present now.
func (b *bubble) wantPresent(want bool) {
	b.t.Helper()
	time.Sleep(2 * time.Second) // the hub looks once a second
	synctest.Wait()
	if got := len(b.hub.LiveProjects()) > 0; got != want {
		b.t.Errorf("present is %v, want %v", got, want)
	}
}

func TestAnAgentIsPresentForFiveMinutesAfterItsLastCall(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		time.Sleep(4 * time.Minute)
		b.call(id, "coordinator_status", `{}`)
		time.Sleep(5*time.Minute - 5*time.Second)
		b.wantPresent(true)
		time.Sleep(5 * time.Second)
		b.wantPresent(false)
	})
}

func TestAnAgentIsPresentWhileItsStreamIsOpen(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		end := b.stream(id)
		time.Sleep(2 * time.Hour)
		b.wantPresent(true)
		end()
		time.Sleep(55 * time.Second)
		b.wantPresent(true)
		time.Sleep(5 * time.Second)
		b.wantPresent(false)
	})
}

func TestAStreamFromBeforeTheFirstCallCounts(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.initialize()
		end := b.stream(id)
		defer end()
		b.call(id, "register_agent", `{"name":"bob"}`)
		time.Sleep(10 * time.Minute)
		b.wantPresent(true)
	})
}

func TestAClosedStreamDoesNotShortenTheFiveMinutes(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		b.stream(id)()
		time.Sleep(4 * time.Minute)
		b.wantPresent(true)
	})
}

func TestAnAgentComesBackWithItsNextCall(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		before := b.call(id, "coordinator_status", `{}`).String()
		time.Sleep(10 * time.Minute)
		b.wantPresent(false)
		after := b.call(id, "coordinator_status", `{}`).String()
		b.wantPresent(true)
		if a, z := agentIn(b.t, before), agentIn(b.t, after); a != z {
			b.t.Errorf("it was %q and came back as %q", a, z)
		}
	})
}

func TestASessionEndsAfterThirtyMinutesWithoutARequest(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		time.Sleep(29 * time.Minute)
		if w := b.do(b.t.Context(), http.MethodPost, id, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); w.Code != http.StatusOK {
			b.t.Fatalf("ping after 29 minutes: %d %s", w.Code, w)
		}
		time.Sleep(30*time.Minute - time.Second)
		if n := b.door.Sessions(); n != 1 {
			b.t.Errorf("%d sessions just before the time is over", n)
		}
		time.Sleep(2 * time.Second)
		if n := b.door.Sessions(); n != 0 {
			b.t.Errorf("%d sessions after it", n)
		}
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			if w := b.do(b.t.Context(), method, id, `{"jsonrpc":"2.0","id":1,"method":"ping"}`); w.Code != http.StatusNotFound {
				b.t.Errorf("%s: %d %s, want 404", method, w.Code, w)
			}
		}
	})
}

func TestASessionWithAnOpenStreamDoesNotEnd(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		end := b.stream(id)
		time.Sleep(24 * time.Hour)
		end()
		if w := b.call(id, "coordinator_status", `{}`); w.Code != http.StatusOK {
			b.t.Errorf("%d %s", w.Code, w)
		}
	})
}

func TestASessionWithoutAnAgentEndsToo(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.initialize()
		time.Sleep(31 * time.Minute)
		if n := b.door.Sessions(); n != 0 {
			b.t.Errorf("%d sessions are left", n)
		}
	})
}

// What never introduces itself leaves nothing behind.
func TestARequestWithoutASessionOpensNone(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		for _, body := range []string{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, `nonsense`, ``} {
			b.do(b.t.Context(), http.MethodPost, "", body)
		}
		if n := b.door.Sessions(); n != 0 {
			b.t.Errorf("%d sessions", n)
		}
	})
}

func TestAWaitGivesSignsOfLifeAndEndsAfterFiftySeconds(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id, began := b.joined(), time.Now()
		w := b.call(id, "wait_for_message", `{"timeout_seconds":3600}`)
		if took := time.Since(began); took != 50*time.Second {
			b.t.Errorf("it took %v, want 50 s", took)
		}
		var messages []string
		for line := range strings.Lines(w.String()) {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				messages = append(messages, strings.TrimSpace(data))
			}
		}
		want := []string{}
		for _, n := range []int{10, 20, 30, 40} {
			want = append(want, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","message":"waiting for news","progress":%d,"total":50}}`, n))
		}
		want = append(want, `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"events\":[],\"remaining\":0,\"timeout\":true}"}]}}`)
		if diff := cmp.Diff(want, messages); diff != "" {
			b.t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestOverTheLimitTheLongestIdleSessionGivesWay(t *testing.T) {
	inBubble(t, func(o *streamable.Options) { o.Sessions = 2 }, func(b *bubble) {
		first := b.joined()
		time.Sleep(time.Second)
		second := b.joined()
		time.Sleep(time.Second)
		b.call(first, "coordinator_status", `{}`)
		third := b.joined()
		synctest.Wait()
		got := map[string]int{}
		for name, id := range map[string]string{"first": first, "second": second, "third": third} {
			got[name] = b.call(id, "coordinator_status", `{}`).Code
		}
		if diff := cmp.Diff(map[string]int{"first": 200, "second": 404, "third": 200}, got); diff != "" {
			b.t.Errorf("(-want +got):\n%s", diff)
		}
		ends := []func(){b.stream(first), b.stream(third)}
		if w := b.do(b.t.Context(), http.MethodPost, "", hello); !strings.Contains(w.String(), "limit of 2 MCP sessions") {
			b.t.Errorf("all are busy, and another one is told %s", w)
		}
		for _, end := range ends {
			end()
		}
	})
}

func TestStopEndsStreamsAndWaits(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		id := b.joined()
		end := b.stream(id)
		waited := make(chan *recorder)
		go func() { waited <- b.call(id, "wait_for_message", `{"timeout_seconds":50}`) }()
		synctest.Wait()
		began := time.Now()
		if err := b.door.Stop(b.t.Context()); err != nil {
			b.t.Error(err)
		}
		<-waited
		end()
		if took := time.Since(began); took > 0 {
			b.t.Errorf("it took %v", took)
		}
		if len(b.hub.LiveProjects()) == 0 {
			b.t.Error("the agent left; it may come back to the next hub")
		}
		if w := b.do(b.t.Context(), http.MethodPost, "", hello); !strings.Contains(w.String(), "leaving") {
			b.t.Errorf("afterwards a client is told %s", w)
		}
	})
}

// slow is a hub that takes a second for a goodbye, and holds up the reading of an
// inbox on demand.
type slow struct {
	*hub.Hub
	reading chan chan struct{} // nil = never
	held    *atomic.Bool       // from when on it holds it up
}

func (s slow) Leave(ctx context.Context) error {
	time.Sleep(time.Second)
	return s.Hub.Leave(ctx)
}

func (s slow) Call(ctx context.Context, op string, args json.RawMessage, key string) (json.RawMessage, error) {
	if op == tool.Sync.Name && s.reading != nil && s.held.Load() {
		release := make(chan struct{})
		s.reading <- release
		<-release
		ctx = context.WithoutCancel(ctx)
	}
	return s.Hub.Call(ctx, op, args, key)
}

func TestDELETECutsWaitsShortAndIsAnsweredWhenTheAgentHasLeft(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.door = newHandler(b.t, slow{Hub: b.hub}, nil)
		id := b.joined()
		waited := make(chan *recorder)
		go func() { waited <- b.call(id, "wait_for_message", `{"timeout_seconds":50}`) }()
		synctest.Wait()
		began := time.Now()
		go func() {
			if w := <-waited; strings.Contains(w.String(), "timeout") {
				b.t.Errorf("the wait ended with %s", w)
			}
		}()
		if w := b.do(b.t.Context(), http.MethodDelete, id, ""); w.Code != http.StatusNoContent {
			b.t.Errorf("%d %s", w.Code, w)
		}
		if took := time.Since(began); took != time.Second {
			b.t.Errorf("DELETE took %v, want the second of the goodbye", took)
		}
		if len(b.hub.LiveProjects()) > 0 {
			b.t.Error("the agent is still there")
		}
	})
}

// The client is gone before its inbox was read: what is found is for the next
// question.
func TestNewsThatIsFoundTooLateIsGivenAgain(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		reading, held := make(chan chan struct{}), &atomic.Bool{}
		b.door = newHandler(b.t, slow{b.hub, reading, held}, nil)
		id := b.joined()
		b.news(id)
		held.Store(true)
		ctx, hangUp := context.WithCancel(b.t.Context())
		gone := make(chan struct{})
		go func() {
			b.do(ctx, http.MethodPost, id, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_queued_messages","arguments":{}}}`)
			close(gone)
		}()
		release := <-reading
		hangUp()
		<-gone
		close(release)
		synctest.Wait()
		go func() { close(<-reading) }()
		if w := b.call(id, "get_queued_messages", `{}`); !strings.Contains(w.String(), "thread.opened") {
			b.t.Errorf("the next question is answered %s", w)
		}
	})
}

// A cancellation overtakes the reading of the inbox: the client ignores what is
// found.
func TestNewsThatIsFoundAfterACancellationIsGivenAgain(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		reading, held := make(chan chan struct{}), &atomic.Bool{}
		b.door = newHandler(b.t, slow{b.hub, reading, held}, nil)
		id := b.joined()
		b.news(id)
		held.Store(true)
		done := make(chan struct{})
		go func() {
			b.call(id, "get_queued_messages", `{}`) // id 1
			close(done)
		}()
		release := <-reading
		b.do(b.t.Context(), http.MethodPost, id, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
		synctest.Wait()
		close(release)
		<-done
		go func() { close(<-reading) }()
		if w := b.call(id, "get_queued_messages", `{}`); !strings.Contains(w.String(), "thread.opened") {
			b.t.Errorf("the next question is answered %s", w)
		}
	})
}

// lost is the connection to a client that goes away while it is answered.
type lost struct{ recorder }

func (*lost) FlushError() error { return io.ErrClosedPipe }

// leaving is a hub whose client hangs up as soon as its inbox has been read.
type leaving struct {
	*hub.Hub
	hangUp *func() // nil function = it stays
}

func (l leaving) Call(ctx context.Context, op string, args json.RawMessage, key string) (json.RawMessage, error) {
	answer, err := l.Hub.Call(ctx, op, args, key)
	if op == tool.Sync.Name && *l.hangUp != nil {
		(*l.hangUp)()
	}
	return answer, err
}

func TestNewsThatDidNotGoOutIsGivenAgain(t *testing.T) {
	for name, broken := range map[string]bool{"the connection is broken": true, "the client hung up before": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bubble) {
				var leave func()
				b.door = newHandler(b.t, leaving{b.hub, &leave}, nil)
				id := b.joined()
				b.news(id)
				ctx, hangUp := context.WithCancel(b.t.Context())
				defer hangUp()
				w := &recorder{ResponseRecorder: httptest.NewRecorder()}
				var client http.ResponseWriter = &lost{recorder{ResponseRecorder: w.ResponseRecorder}}
				if !broken {
					client, leave = w, hangUp
				}
				b.send(ctx, client, http.MethodPost, id, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_queued_messages","arguments":{}}}`)
				synctest.Wait()
				leave = nil
				if w := b.call(id, "get_queued_messages", `{}`); !strings.Contains(w.String(), "thread.opened") {
					b.t.Errorf("the next question is answered %s", w)
				}
				if w := b.call(id, "get_queued_messages", `{}`); strings.Contains(w.String(), "thread.opened") {
					b.t.Errorf("and the one after it too: %s", w)
				}
			})
		})
	}
}

func TestAWaitEndsWhenTheClientHangsUp(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		h := rules{b.hub, make(chan struct{}, 1), make(chan struct{}, 1)}
		b.door = newHandler(b.t, h, nil)
		id := b.joined()
		ctx, hangUp := context.WithCancel(b.t.Context())
		go b.do(ctx, http.MethodPost, id, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"wait_for_message","arguments":{}}}`)
		<-h.listened
		began := time.Now()
		hangUp()
		<-h.stopped
		if took := time.Since(began); took > 0 {
			b.t.Errorf("it went on for %v", took)
		}
	})
}

// news has a peer do what the agent of a session hears of.
func (b *bubble) news(id string) {
	b.t.Helper()
	b.call(id, "announce_work", `{"subject":"s","target_files":["a.go"]}`)
	r, err := b.hub.Register(b.t.Context(), member, coord.Registration{Project: shop, Workspace: "host-1:/src/shop", Host: host, Label: "alice"})
	if err != nil {
		b.t.Fatal(err)
	}
	caller, _ := b.hub.Authenticate(r.SessionKey)
	if _, err := b.hub.Call(coord.WithCaller(b.t.Context(), caller), tool.AnnounceWork.Name, json.RawMessage(`{"subject":"t","target_files":["a.go"]}`), ""); err != nil {
		b.t.Fatal(err)
	}
}

// agentIn finds the caller's own agent in an answer of coordinator_status.
func agentIn(t *testing.T, body string) coord.AgentID {
	t.Helper()
	_, data, _ := strings.Cut(body, "data: ")
	line, _, _ := bytes.Cut([]byte(data), []byte("\n"))
	text := decode[struct {
		Result struct{ Content []struct{ Text string } }
	}](t, line).Result.Content[0].Text
	return decode[tool.CoordinatorStatusOut](t, []byte(text)).Me.ID
}
