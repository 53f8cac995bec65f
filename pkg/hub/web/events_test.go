package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
	"github.com/coordhq/coord/pkg/tool"
)

// eventLog is an event log in memory. From is the seq before the oldest event it
// still has.
type eventLog struct {
	mu     sync.Mutex // guards the rest
	epoch  coord.Epoch
	from   coord.Seq
	events []coord.Event
	bells  map[chan struct{}]bool
}

func newLog() *eventLog { return &eventLog{epoch: "e-1", bells: map[chan struct{}]bool{}} }

// add appends n events: odd ones of shop, even ones of bank.
func (l *eventLog) add(n int, payload string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		e := coord.Event{Seq: l.head() + 1, Kind: coord.KindFileEdited, Project: "bank", Payload: json.RawMessage(payload)}
		if e.Seq%2 == 1 {
			e.Project, e.Kind = "shop", coord.KindThreadOpened
		}
		l.events = append(l.events, e)
	}
	for bell := range l.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}

// of appends an event of a project.
func (l *eventLog) of(project coord.ProjectID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, coord.Event{Seq: l.head() + 1, Kind: coord.KindFileEdited, Project: project, Payload: json.RawMessage(`{}`)})
}

// forget drops the oldest n events, as retention does.
func (l *eventLog) forget(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events, l.from = l.events[n:], l.from+coord.Seq(n)
}

func (l *eventLog) head() coord.Seq { return l.from + coord.Seq(len(l.events)) }

func (l *eventLog) Head() (coord.Epoch, coord.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch, l.head()
}

func (l *eventLog) Listen() (<-chan struct{}, func()) {
	bell := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bells[bell] = true
	return bell, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.bells, bell)
	}
}

func (l *eventLog) After(_ context.Context, project coord.ProjectID, after coord.Seq, limit int) ([]coord.Event, coord.Seq, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []coord.Event
	for _, e := range l.events[min(max(after-l.from, 0), coord.Seq(len(l.events))):] {
		if e.Seq > after && (project == "" || e.Project == project) {
			if out = append(out, e); len(out) == limit {
				return out, e.Seq, nil
			}
		}
	}
	return out, max(l.head(), after), nil
}

// message is one message of a stream.
type message struct{ ID, Name, Data string }

// listener reads a stream message by message.
type listener struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// follow opens a stream. It ends with the test.
func (s *site) follow(t *testing.T, query string, headers map[string]string) *listener {
	t.Helper()
	conn := s.dial(t, false)
	t.Cleanup(func() { _ = conn.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/api/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("GET /api/events%s: %d %s", query, resp.StatusCode, body)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	return &listener{t: t, conn: conn, in: bufio.NewReader(resp.Body)}
}

// next gives the next message; ok is false at the end of the stream.
func (l *listener) next() (m message, ok bool) {
	l.t.Helper()
	_ = l.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		line, err := l.in.ReadString('\n')
		if err != nil {
			if line != "" || err != io.EOF {
				l.t.Logf("the stream breaks off: %v", err)
			}
			return m, false
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		switch {
		case line == "\n" && (m.Data != ""):
			return m, true
		case line == "\n":
			m = message{}
		case field == "id":
			m.ID = value
		case field == "event":
			m.Name = value
		case field == "data":
			m.Data = value
		}
	}
}

// seqs reads n events and gives their seqs; other messages end the test.
func (l *listener) seqs(n int) (out []coord.Seq) {
	l.t.Helper()
	for range n {
		m, ok := l.next()
		if !ok || m.Name != "" {
			l.t.Fatalf("instead of an event there is %+v, %t", m, ok)
		}
		seq, err := strconv.ParseInt(m.ID, 10, 64)
		if err != nil {
			l.t.Fatal(err)
		}
		_, d, err := coord.ParseWire([]byte(m.Data))
		if err != nil || d.Seq != coord.Seq(seq) {
			l.t.Fatalf("id %d does not name the event %s: %v", seq, m.Data, err)
		}
		out = append(out, coord.Seq(seq))
	}
	return out
}

// named reads a message of that name into v.
func named[T any](l *listener, name string) (v T) {
	l.t.Helper()
	m, ok := l.next()
	if !ok || m.Name != name {
		l.t.Fatalf("instead of %s there is %+v, %t", name, m, ok)
	}
	if err := json.Unmarshal([]byte(m.Data), &v); err != nil {
		l.t.Fatal(err)
	}
	return v
}

type greeting struct {
	Epoch      coord.Epoch
	Head, From coord.Seq
}

func streaming(t *testing.T, change func(*web.Options)) (*site, *eventLog) {
	t.Helper()
	log := newLog()
	return open(t, func(o *web.Options) {
		o.Events = log
		if change != nil {
			change(o)
		}
	}), log
}

func TestAStreamBeginsWhereItIsAskedTo(t *testing.T) {
	s, log := streaming(t, nil)
	log.add(10, `{"path":"a"}`)
	for name, c := range map[string]struct {
		query   string
		headers map[string]string
		want    []coord.Seq
	}{
		"from now on":           {"", nil, []coord.Seq{11, 12}},
		"since":                 {"?since=8", nil, []coord.Seq{9, 10, 11, 12}},
		"the beginning":         {"?since=0", nil, []coord.Seq{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"the last event's id":   {"?since=1", map[string]string{"Last-Event-ID": "9"}, []coord.Seq{10, 11, 12}},
		"a few before":          {"?tail=2", nil, []coord.Seq{9, 10, 11, 12}},
		"more than there are":   {"?tail=2000&epoch=e-1", nil, []coord.Seq{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"one project":           {"?since=7&project=shop", nil, []coord.Seq{9, 11}},
		"one kind":              {"?since=7&kinds=file.edited", nil, []coord.Seq{8, 10, 12}},
		"kinds by prefix":       {"?since=7&kinds=message.,thread.", nil, []coord.Seq{9, 11}},
		"a session's own":       {"?since=7", bearer(string(key)), []coord.Seq{9, 11}},
		"its own project named": {"?since=7&project=shop", bearer(string(key)), []coord.Seq{9, 11}},
	} {
		t.Run(name, func(t *testing.T) {
			log := newLog()
			s := open(t, func(o *web.Options) { o.Events = log })
			log.add(10, `{"path":"a"}`)
			headers := bearer(token)
			for k, v := range c.headers {
				headers[k] = v
			}
			l := s.follow(t, c.query, headers)
			if g := named[greeting](l, "hello"); g.Epoch != "e-1" || g.Head != 10 {
				t.Errorf("hello says %+v", g)
			}
			log.add(2, `{"path":"b"}`)
			if diff := cmp.Diff(c.want, l.seqs(len(c.want))); diff != "" {
				t.Error(diff)
			}
		})
	}
	for query, status := range map[string]int{"?since=x": 400, "?since=-1": 400, "?tail=100000": 400, "?nothing=1": 400, "?state=perhaps": 400} {
		if got := s.do(t, ask{method: "GET", path: "/api/events" + query}); got.status != status {
			t.Errorf("%s: %d %s, want %d", query, got.status, got.body, status)
		}
	}
	for query, words := range map[string]string{"?state=perhaps": `state: "perhaps" is neither true nor false;`, "?tail=1&tail=2": "parameter tail is given twice;"} {
		if got := s.do(t, ask{method: "GET", path: "/api/events" + query}); got.status != 400 || !strings.Contains(got.err.Message, words) {
			t.Errorf("%s: %d %s, want it to say %s", query, got.status, got.body, words)
		}
	}
	for _, kinds := range []string{"bogus", "thread.opened,bogus", "thread", "bogus."} {
		got := s.do(t, ask{method: "GET", path: "/api/events?kinds=" + kinds})
		if got.status != 400 || !strings.Contains(got.err.Message, "message.posted, needs_human") {
			t.Errorf("kinds=%s: %d %s, want 400 and the kinds there are", kinds, got.status, got.body)
		}
	}
	if got := s.do(t, ask{method: "GET", path: "/api/events?project=bakn"}); got.status != 404 || !strings.Contains(got.err.Message, `"bakn"`) {
		t.Errorf("a project that there is not: %d %s", got.status, got.body)
	}
	if got := s.do(t, ask{method: "GET", path: "/api/events?project=bank", headers: bearer(string(key))}); got.status != 403 {
		t.Errorf("a session that asks for another project: %d", got.status)
	}
}

// What somebody does to try the hub is in the stream of its own project only.
func TestATrialIsNotInTheStreamOfAll(t *testing.T) {
	s, log := streaming(t, nil)
	trial := coord.TrialProject("x")
	log.of(trial)
	log.of("shop")
	log.of(trial)
	log.of("bank")
	for query, want := range map[string][]coord.Seq{"?since=0": {2, 4}, "?since=0&project=" + string(trial): {1, 3}} {
		l := s.follow(t, query, bearer(token))
		named[greeting](l, "hello")
		if got := l.seqs(2); !cmp.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

// Events can be kept longer than the agents that made them.
func TestAProjectWhoseAgentsAreForgottenIsFollowed(t *testing.T) {
	s, log := streaming(t, nil)
	log.of("attic") // which the rules do not know
	l := s.follow(t, "?since=0&project=attic", bearer(token))
	named[greeting](l, "hello")
	l.seqs(1)
}

func TestAStreamSaysWhatIsNoLongerThere(t *testing.T) {
	type notice struct {
		Reason      string
		Asked, From coord.Seq
	}
	words := map[string]string{"retention": "events up to 5 are no longer kept", "epoch": "was restored", "ahead": "event 99 has not happened yet, the newest is 10"}
	for name, c := range map[string]struct {
		query string
		want  *notice
		first coord.Seq
	}{
		"swept":         {"?since=2", &notice{"retention", 2, 5}, 6},
		"not swept":     {"?since=5", nil, 6},
		"another life":  {"?since=8&epoch=e-0&tail=2", &notice{"epoch", 8, 8}, 9},
		"the future":    {"?since=99", &notice{"ahead", 99, 10}, 11},
		"the same life": {"?since=8&epoch=e-1", nil, 9},
	} {
		t.Run(name, func(t *testing.T) {
			s, log := streaming(t, nil)
			log.add(10, `{}`)
			log.forget(5)
			l := s.follow(t, c.query, bearer(token))
			named[greeting](l, "hello")
			if c.want != nil {
				said := named[struct {
					notice
					Message string
				}](l, "truncated")
				if diff := cmp.Diff(*c.want, said.notice); diff != "" || !strings.Contains(said.Message, words[said.Reason]) {
					t.Errorf("%s; said %q", diff, said.Message)
				}
			}
			log.add(1, `{}`)
			if first := l.seqs(1)[0]; first != c.first {
				t.Errorf("goes on with %d, want %d", first, c.first)
			}
		})
	}
}

// A reader that stands still costs nobody anything: it is dropped once it is too
// far behind, is told where it was, and misses nothing when it comes back.
func TestASlowReaderIsDroppedAndComesBack(t *testing.T) {
	const lag = 400
	s, log := streaming(t, func(o *web.Options) { o.Limits.StreamLag = lag })
	log.add(1, `{}`)
	l := s.follow(t, "?since=0", bearer(token))
	named[greeting](l, "hello")
	got := l.seqs(1)
	payload := fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 4000))
	const all = 4_000 // far more bytes than the buffers of a connection hold
	for range all / 100 {
		start := time.Now()
		log.add(100, payload)
		if took := time.Since(start); took > time.Second {
			t.Fatalf("publishing waits %v for a reader that stands still", took)
		}
	}
	for {
		m, ok := l.next()
		if !ok {
			t.Fatal("the stream ends without a notice")
		}
		if m.Name == "dropped" {
			t.Logf("dropped with %s", m.Data)
			break
		}
		seq, _ := strconv.Atoi(m.ID)
		got = append(got, coord.Seq(seq))
	}
	if _, more := l.next(); more {
		t.Error("a dropped stream goes on")
	}
	at := got[len(got)-1]
	back := s.follow(t, "", map[string]string{"Authorization": "Bearer " + token, "Last-Event-ID": strconv.FormatInt(int64(at), 10)})
	named[greeting](back, "hello")
	got = append(got, back.seqs(all+1-len(got))...)
	for i, seq := range got {
		if seq != coord.Seq(i+1) {
			t.Fatalf("event %d is %d: one is missing or told twice", i+1, seq)
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	s, _ := streaming(t, func(o *web.Options) { o.Limits.Streams = 2 })
	first := s.follow(t, "", bearer(token))
	named[greeting](first, "hello")
	named[greeting](s.follow(t, "", bearer(token)), "hello")
	got := s.do(t, ask{method: "GET", path: "/api/events"})
	if got.status != 503 || !strings.Contains(got.err.Message, "2 streams") {
		t.Errorf("the third: %d %s", got.status, got.body)
	}
}

func TestAStreamEndsWithTheServer(t *testing.T) {
	s, _ := streaming(t, nil)
	l := s.follow(t, "", bearer(token))
	named[greeting](l, "hello")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.server.Stop(ctx); err != nil {
		t.Errorf("stopping with an open stream: %v", err)
	}
	if m, ok := l.next(); ok {
		t.Errorf("after the end there is %+v", m)
	}
}

// A stream that wants the state gets it first and then only when it has changed.
func TestTheStateIsPushedWhenItChanges(t *testing.T) {
	var mu sync.Mutex
	state, asked := `{"n":1}`, 0
	s, log := streaming(t, nil)
	s.rules.on = func(_ context.Context, op string) (json.RawMessage, error) {
		mu.Lock()
		defer mu.Unlock()
		if op != tool.Overview.Name {
			return nil, coord.Errorf(coord.Internal, "", "asked for %s", op)
		}
		asked++
		return json.RawMessage(state), nil
	}
	l := s.follow(t, "?state=1", bearer(token))
	named[greeting](l, "hello")
	if v := named[struct{ N int }](l, "state"); v.N != 1 {
		t.Errorf("the first state is %+v", v)
	}
	log.add(1, `{}`)
	l.seqs(1) // no state comes with an event that changes none
	mu.Lock()
	state = `{"n":2}`
	mu.Unlock()
	if v := named[struct{ N int }](l, "state"); v.N != 2 {
		t.Errorf("the second state is %+v", v)
	}
}

// A session that leaves, or is revoked, takes its stream with it: at once with the
// next event, which it does not see, and within a second without one.
func TestAStreamEndsWithItsSession(t *testing.T) {
	for _, next := range []int{0, 1} {
		s, log := streaming(t, nil)
		log.add(1, `{}`)
		l := s.follow(t, "?since=0", bearer(string(key)))
		operator := s.follow(t, "?since=0", bearer(token))
		named[greeting](l, "hello")
		l.seqs(1)
		named[greeting](operator, "hello")
		s.rules.ended.Store(true)
		log.add(2*next, `{}`)
		named[struct{ Reason string }](l, "ended")
		if m, ok := l.next(); ok {
			t.Errorf("after the end there is %+v", m)
		}
		operator.seqs(1 + 2*next)
	}
}
