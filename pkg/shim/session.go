package shim

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/shim/feed"
)

// Pauses between attempts to get a session while there is none.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = time.Second
)

// session keeps this client registered at a hub, whatever happens to the hub.
// One goroutine, run, makes links; everybody else uses the current one and
// tells when it is lost.
type session struct {
	*Shim // it belongs to
	keys  *keys
	begun func()        // closes ready
	ready chan struct{} // closed by begin
	again chan struct{} // capacity 1: the link is lost

	mu    sync.Mutex // guards what follows
	info  coord.ClientInfo
	link  *link         // nil while there is none
	open  bool          // calls may use the link: the feed listens on it
	tried chan struct{} // closed when an attempt has ended, then replaced
	err   error         // of the last attempt
	ended int           // attempts on end at which the started hub left with the same exit status
	down  time.Time     // since when there is no link
}

func newSession(s *Shim) *session {
	out := &session{Shim: s, keys: newKeys(), ready: make(chan struct{}), again: make(chan struct{}, 1), tried: make(chan struct{})}
	out.begun = sync.OnceFunc(func() { close(out.ready) })
	return out
}

// begin lets the session start, with what the client says of itself. Only the
// first call counts.
func (s *session) begin(info coord.ClientInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down.IsZero() {
		s.info, s.down = info, time.Now()
	}
	s.begun()
}

// run makes a link whenever there is none, until ctx ends. The feed is attached
// before callers see the link, so that what they read is what the hub has.
func (s *session) run(ctx context.Context, attach func(context.Context, feed.Session)) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return
	}
	var last *link
	first := true
	for pause := firstRetry; ctx.Err() == nil; {
		if s.linked() {
			s.sleep(ctx, 0)
			continue
		}
		l, err := s.establish(ctx, last, first)
		first = false
		if err == nil {
			last = l
			s.told.begin(l.me.Epoch)
			s.tune(l)
			attach(ctx, feed.Session{Agent: l.me.AgentID, Key: l.me.SessionKey, Project: l.space.Project, Epoch: l.me.Epoch, Seen: l.me.Seen})
		} else if ctx.Err() == nil {
			s.log.Warn("no session at the hub", "error", err)
		}
		if s.publish(err) {
			pause = firstRetry
			continue
		}
		s.sleep(ctx, pause)
		pause = min(2*pause, lastRetry)
	}
}

func (s *session) linked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// sleep waits until the link is lost, or the pause is over; 0 is no limit.
func (s *session) sleep(ctx context.Context, pause time.Duration) {
	var over <-chan time.Time
	if pause > 0 {
		over = time.After(pause)
	}
	select {
	case <-s.again:
	case <-over:
	case <-ctx.Done():
	}
}

// tune lets the feed use a link, before calls may.
func (s *session) tune(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = l
}

// linkNow gives the link there is, nil when there is none.
func (s *session) linkNow() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// publish ends an attempt, and opens its link to calls. It reports whether there
// is one: the feed may have found it broken meanwhile.
func (s *session) publish(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = s.link != nil
	if err != nil || s.open {
		s.ended = endedAgain(s.ended, s.err, err)
		s.err = err
	}
	close(s.tried)
	s.tried = make(chan struct{})
	return s.open
}

// endedAgain counts the attempts on end at which the hub that was started left
// with one and the same exit status: what keeps it from serving stays.
func endedAgain(before int, last, err error) int {
	var a, b *exec.ExitError
	switch {
	case !errors.As(err, &b):
		return 0
	case !errors.As(last, &a) || a.Error() != b.Error():
		return 1
	}
	return before + 1
}

// patientEnds is how many such attempts a call waits for.
const patientEnds = 2

// lost says that a link does not work any more.
func (s *session) lost(l *link, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != l {
		return // known already
	}
	s.log.Info("the hub is lost", "instance", l.instance, "error", err)
	if coord.CodeOf(err) == coord.Unauthorized {
		err = nil // the hub is there and has forgotten us: no reason to give up before the next attempt
	}
	s.link, s.open, s.err, s.down = nil, false, err, time.Now()
	select {
	case s.again <- struct{}{}:
	default:
	}
}

// current gives the link. While there is none it waits for one, as long as the
// shim has patience; when it had none for longer than that already, or the hub
// that is started ends each time, it waits for one more attempt only. The error tells a model what to do.
func (s *session) current(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	for attempts := 0; ; attempts++ {
		s.mu.Lock()
		l, open, err, tried, down, ended := s.link, s.open, s.err, s.tried, s.down, s.ended
		s.mu.Unlock()
		if open {
			return l, nil
		}
		hopeless := coord.CodeOf(err) != coord.Unavailable || time.Since(down) > s.o.Patience || ended >= patientEnds
		if attempts > 0 && err != nil && hopeless {
			return nil, s.absent(err)
		}
		select {
		case <-tried:
		case <-ctx.Done():
			return nil, s.absent(err)
		}
	}
}

// absent words the lack of a link. A hub that is there and cannot store says so
// itself.
func (s *session) absent(cause error) error {
	if coord.CodeOf(cause) == coord.Storage {
		return cause
	}
	what := "the coord hub cannot be reached"
	if cause != nil {
		what += " (" + cause.Error() + ")"
	}
	return &coord.Error{Code: coord.Unavailable, What: what, Err: cause,
		Next: "nothing was done; go on with care, other agents cannot see you, and try again later"}
}
