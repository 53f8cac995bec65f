package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Events is the event log as GET /api/events follows it; it is implemented by
// stream.Log.
type Events interface {
	// Head gives the life of the log and the seq of its newest event.
	Head() (coord.Epoch, coord.Seq)

	// Listen signals after new events until stop is called.
	Listen() (bell <-chan struct{}, stop func())

	// After gives at most limit events behind a seq, in order, and the seq up to
	// which nothing else of the project is left; an empty project is all.
	After(ctx context.Context, project coord.ProjectID, after coord.Seq, limit int) (events []coord.Event, upTo coord.Seq, err error)
}

// Times and sizes of a stream.
const (
	heartbeat   = 15 * time.Second
	streamPage  = 200         // events read and written at once
	streamWrite = time.Minute // a page that takes longer to go out ends the stream
	maxTail     = 5000        // events before the newest that tail may ask for
	overviewGap = time.Second // between two looks at the state, for streams that want it
	settle      = 30 * time.Millisecond
)

// following is what a request for events asks for.
type following struct {
	project coord.ProjectID
	kinds   []string // empty = all; an entry that ends in "." is a prefix
	epoch   coord.Epoch
	since   coord.Seq // -1 = from the newest on
	tail    int
	state   bool // wants the overview too, as it changes
}

func (f *following) wants(e *coord.Event) bool {
	if f.project == "" && e.Project.Trial() { // it is nobody's work
		return false
	}
	return len(f.kinds) == 0 || slices.ContainsFunc(f.kinds, func(k string) bool {
		return k == string(e.Kind) || strings.HasSuffix(k, ".") && strings.HasPrefix(string(e.Kind), k)
	})
}

// readFollowing reads the query and the header of a request for events.
func readFollowing(r *http.Request, c coord.Caller) (following, error) {
	f := following{project: c.Project, since: -1}
	for name, values := range r.URL.Query() {
		read, known := followingParams[name]
		if !known {
			return f, coord.Errorf(coord.Invalid, "use project, kinds, since, tail, epoch and state", "unknown parameter %q", shorten(name))
		}
		if len(values) > 1 {
			return f, coord.Errorf(coord.Invalid, "give it once; kinds may be several, with commas between them", "parameter %s is given twice", name)
		}
		if err := read(&f, values[0]); err != nil {
			return f, coord.Errorf(coord.Invalid, "correct it and connect again", "%s: %v", name, err)
		}
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" { // a browser that reconnects repeats the old query
		if err := readSince(&f, last); err != nil {
			return f, coord.Errorf(coord.Invalid, "leave it out, or send the id of the last event", "Last-Event-ID: %v", err)
		}
	}
	return f, nil
}

// followingParams are the parameters of GET /api/events. The project is in the
// caller already.
var followingParams = map[string]func(*following, string) error{
	"project": func(*following, string) error { return nil },
	"kinds": func(f *following, v string) error {
		for kind := range strings.SplitSeq(v, ",") {
			if kind = strings.TrimSpace(kind); kind != "" {
				f.kinds = append(f.kinds, kind)
			}
		}
		return knownKinds(f.kinds)
	},
	"since": readSince,
	"epoch": func(f *following, v string) error { f.epoch = coord.Epoch(v); return nil },
	"tail": func(f *following, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > maxTail {
			return fmt.Errorf("%q is no number from 0 to %d", shorten(v), maxTail)
		}
		f.tail = n
		return nil
	},
	"state": func(f *following, v string) (err error) {
		if f.state, err = strconv.ParseBool(v); err != nil {
			return fmt.Errorf("%q is neither true nor false", shorten(v))
		}
		return nil
	},
}

// knownKinds refuses a filter that no event can ever pass.
func knownKinds(asked []string) error {
	var all []string
	for _, k := range coord.EventKinds() {
		all = append(all, string(k))
	}
	for _, kind := range asked {
		if !slices.ContainsFunc(all, func(k string) bool { return k == kind || strings.HasSuffix(kind, ".") && strings.HasPrefix(k, kind) }) {
			return fmt.Errorf("there are no events of kind %q; the kinds are %s, and \"thread.\" is all that begin so", shorten(kind), strings.Join(all, ", "))
		}
	}
	return nil
}

func readSince(f *following, v string) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is no seq", shorten(v))
	}
	f.since = coord.Seq(n)
	return nil
}

// events streams the log. Unnamed messages are events, with their seq as id;
// the others are "hello" (first of all), "truncated" (what was asked for is no
// longer there), "state" (an overview, when asked for), "dropped" (the reader is too
// slow; it may connect again where it was) and "ended" (the session has ended).
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	if s.o.Events == nil {
		return coord.Errorf(coord.NotFound, "follow a hub that has one", "this hub serves no stream of events")
	}
	if err := s.mayFollow(r); err != nil {
		return err
	}
	caller, _ := coord.CallerFrom(r.Context())
	f, err := readFollowing(r, caller)
	if err != nil {
		return err
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return coord.Errorf(coord.Unavailable, "end one, or try again later", "the limit of %d streams is reached", cap(s.streams))
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.leaving, cancel)()
	gone, leave := s.followers.join(caller.Session)
	defer leave()
	st := &stream{web: s, events: s.o.Events, f: f, session: !caller.Operator, still: func() bool { return s.still(r, caller) }, gone: gone, out: w, control: http.NewResponseController(w)}
	if err := st.run(ctx); err != nil {
		s.log.Debug("stream ended", "err", err, "at", st.at, "request_id", coord.RequestFrom(r.Context()))
	}
	return nil
}

// mayFollow is mayAsk, and lets follow a project whose agents are forgotten
// while events of it are kept.
func (s *Server) mayFollow(r *http.Request) error {
	err := s.mayAsk(r)
	if coord.CodeOf(err) != coord.NotFound {
		return err
	}
	kept, _, failed := s.o.Events.After(r.Context(), coord.ProjectID(r.URL.Query().Get("project")), 0, 1)
	if failed != nil || len(kept) > 0 {
		return failed
	}
	return err
}

// stream is one open request for events.
type stream struct {
	web     *Server
	events  Events
	f       following
	out     http.ResponseWriter
	control *http.ResponseController
	session bool            // of an agent, which may end
	still   func() bool     // the credential is good
	gone    <-chan struct{} // closed when the session has left
	buf     bytes.Buffer
	epoch   coord.Epoch
	at      coord.Seq // everything up to here has been sent, or is not asked for
	goal    coord.Seq // the head as it connected: until there it replays, and may be any number behind
	shown   []byte    // the last overview that was sent
}

func (st *stream) run(ctx context.Context) error {
	bell, stop := st.events.Listen()
	defer stop()
	if err := st.begin(ctx); err != nil {
		return err
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	look := st.looks()
	defer look.Stop()
	for {
		if over, err := st.catchUp(ctx); over || err != nil {
			return err
		}
		if err := st.state(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-bell:
			st.rest(ctx)
		case <-st.gone:
		case <-look.C:
		case <-beat.C:
			fmt.Fprintf(&st.buf, ": still here\nid: %d\n\n", st.at) // an id alone moves a browser's Last-Event-ID on
			if err := st.flush(); err != nil {
				return err
			}
		}
	}
}

// looks ticks as often as the state, or whether the session has ended, is looked
// at without an event; for a stream that wants neither, never.
func (st *stream) looks() *time.Ticker {
	if st.f.state || st.session {
		return time.NewTicker(overviewGap)
	}
	t := time.NewTicker(time.Hour)
	t.Stop()
	return t
}

// rest lets a burst of events become one page and one overview.
func (st *stream) rest(ctx context.Context) {
	if !st.f.state {
		return
	}
	t := time.NewTimer(settle)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// begin sends the headers, hello, and what there is to say about where the
// stream starts.
func (st *stream) begin(ctx context.Context) error {
	epoch, head := st.events.Head()
	st.epoch = epoch
	st.at, st.goal = head, head
	other := st.foreign(epoch, head)
	switch {
	case other != nil || st.f.since < 0 && st.f.tail > 0:
		st.at = max(head-coord.Seq(st.f.tail), 0)
	case st.f.since >= 0:
		st.at = st.f.since
	}
	h := st.out.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	_ = st.control.SetReadDeadline(time.Time{}) // both always work on our connections; without them the stream ends early
	st.out.WriteHeader(http.StatusOK)
	st.buf.WriteString("retry: 1000\n")
	st.named("hello", hello{Epoch: epoch, Head: head, From: st.at, Routes: apiRoutes()})
	if other != nil {
		other.From = st.at
		st.named("truncated", other)
	} else if err := st.checkGap(ctx, head); err != nil {
		return err
	}
	return st.flush()
}

// foreign tells when the reader has followed another log than this one; nil = it
// has not, as far as one can see.
func (st *stream) foreign(epoch coord.Epoch, head coord.Seq) *truncated {
	switch {
	case st.f.epoch != "" && st.f.epoch != epoch:
		return &truncated{Reason: "epoch", Message: "the data of the hub was restored since; this is the log from there", Asked: st.f.since}
	case st.f.since > head:
		return &truncated{Reason: "ahead", Message: fmt.Sprintf("event %d has not happened yet, the newest is %d: this is not the log you followed, or it was restored", st.f.since, head), Asked: st.f.since}
	default:
		return nil
	}
}

type hello struct {
	Epoch coord.Epoch `json:"epoch"`
	Head  coord.Seq   `json:"head"`
	From  coord.Seq   `json:"from"` // what follows comes after this

	Routes []string `json:"routes"` // that this hub has, like "GET /api/agents", so that a page asks for no other
}

func apiRoutes() []string {
	var out []string
	for _, r := range table() {
		if strings.HasPrefix(r.Pattern, "/api/") {
			out = append(out, r.Method+" "+r.Pattern)
		}
	}
	return out
}

type truncated struct {
	Reason  string    `json:"reason"` // "epoch": the log was restored; "ahead": so it seems, since it has not come that far; "retention": older events are no longer kept
	Message string    `json:"message"`
	Asked   coord.Seq `json:"asked"`
	From    coord.Seq `json:"from"`
}

type dropped struct {
	Reason string    `json:"reason"`
	At     coord.Seq `json:"at"` // resume here
	Head   coord.Seq `json:"head"`
}

// ended says that the credential of the stream is no longer good.
type ended struct {
	Reason string `json:"reason"`
}

// checkGap tells when the event after the asked one is no longer kept. Numbers
// of kept events leave no hole, whatever the project.
func (st *stream) checkGap(ctx context.Context, head coord.Seq) error {
	if st.f.since < 0 || st.at >= head {
		return nil
	}
	first, _, err := st.events.After(ctx, "", st.at, 1)
	if err != nil {
		return err
	}
	if len(first) == 0 || first[0].Seq > st.at+1 {
		from := head
		if len(first) > 0 {
			from = first[0].Seq - 1
		}
		st.named("truncated", truncated{Reason: "retention", Message: fmt.Sprintf("events up to %d are no longer kept", from), Asked: st.at, From: from})
		st.at = from
	}
	return nil
}

// catchUp sends pages until the stream is at the head. A reader that has had its
// replay and has fallen too far behind is dropped: it can come back where it was.
// One whose session has ended sees nothing more.
func (st *stream) catchUp(ctx context.Context) (over bool, err error) {
	for {
		if st.hasEnded() {
			st.named("ended", ended{Reason: "the session has ended"})
			return true, st.flush()
		}
		_, head := st.events.Head()
		if st.at >= head {
			return false, nil
		}
		if lag := int(head - st.at); st.at >= st.goal && lag > st.web.o.Limits.StreamLag {
			st.named("dropped", dropped{Reason: fmt.Sprintf("%d events behind", lag), At: st.at, Head: head})
			return true, st.flush()
		}
		events, upTo, err := st.events.After(ctx, st.f.project, st.at, streamPage)
		if err != nil {
			return false, err
		}
		for i := range events {
			if st.f.wants(&events[i]) {
				fmt.Fprintf(&st.buf, "id: %d\ndata: ", events[i].Seq)
				st.buf.Write(events[i].Wire(st.epoch))
				st.buf.WriteString("\n\n")
			}
		}
		st.at = upTo
		if err := st.flush(); err != nil {
			return false, err
		}
	}
}

// hasEnded reports whether the session of the stream has left, or was revoked.
func (st *stream) hasEnded() bool {
	select {
	case <-st.gone:
		return true
	default:
		return !st.still()
	}
}

// state sends the overview when it has changed.
func (st *stream) state(ctx context.Context) error {
	if !st.f.state {
		return nil
	}
	raw, err := st.web.o.Rules.Call(ctx, tool.Overview.Name, json.RawMessage(`{"steady":true}`), "")
	if err != nil {
		return err
	}
	if bytes.Equal(raw, st.shown) {
		return nil
	}
	st.shown = raw
	st.named("state", raw)
	return st.flush()
}

// named adds a message that is no event of the log.
func (st *stream) named(name string, v any) {
	raw, ok := v.(json.RawMessage)
	if !ok {
		raw, _ = json.Marshal(v) // structs of texts and numbers
	}
	fmt.Fprintf(&st.buf, "event: %s\ndata: %s\n\n", name, raw)
}

// flush writes what has been added, in bounded time.
func (st *stream) flush() error {
	if st.buf.Len() == 0 {
		return nil
	}
	_ = st.control.SetWriteDeadline(time.Now().Add(streamWrite))
	_, err := st.out.Write(st.buf.Bytes())
	st.buf.Reset()
	if err != nil {
		return err
	}
	return st.control.Flush()
}
