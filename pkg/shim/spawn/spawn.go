// Package spawn finds the hub of a home, or starts it.
//
// A hub is found by a handshake on its socket, never by a pid or a port. Who
// finds none takes the start lock, looks again, and only then starts one; so of
// any number of processes that need a hub at once one starts it and all use it.
// The lock is the kernel's and ends with its holder, whatever its end. That two
// hubs never run is not decided here but by the hub's own lock: a hub that
// comes second leaves with exit code 0, and the starter looks again.
package spawn

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/gofrs/flock"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// Limits of waiting. A hub was measured to answer 17 ms after its start; the
// limits are for a machine in trouble, and end in an error that says so.
const (
	totalLimit = 30 * time.Second       // one Ensure, when ctx allows more
	helloLimit = 5 * time.Second        // one handshake: a hub that is stopped accepts but never answers
	firstPause = 2 * time.Millisecond   // between two looks at a hub that starts
	lastPause  = 100 * time.Millisecond // the pause grows up to this
)

// Options say which hub, and how to start it.
type Options struct {
	Home      config.Home  // as config.Find gives it; prepared by Ensure when needed
	Version   string       // of the caller; "" and everything that is no semantic version never replaces a hub
	HubBinary string       // "" = coord-hub beside this program, else on PATH
	NewUse    bool         // somebody begins to work: start a hub even after coord-hub stop
	Log       *slog.Logger // nil = silence
}

// Ensure gives a client of the home's hub and what the hub says of itself. It
// starts a hub when there is none, and replaces one that is older than Version
// when the installed coord-hub is newer than that too. It may be called by many
// processes and goroutines at once, and again whenever the hub is lost.
//
// A hub takes the place of another with the flags and the data directory of
// that one, whether it was replaced or killed.
//
// The error is coord.Unavailable when no hub can be had, coord.Forbidden when
// the home or its socket is not this user's alone, and coord.Conflict when the
// user has stopped the hub and nobody has begun to work since. A hub that it has started
// outlives this process; a goroutine waits for its end, so that it leaves no
// zombie.
func Ensure(ctx context.Context, o Options) (*client.Client, client.Hello, error) {
	if o.Home.Dir() == "" {
		return nil, client.Hello{}, coord.Errorf(coord.Internal, "", "spawn: Options.Home is not set")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	ctx, cancel := context.WithTimeout(ctx, totalLimit)
	defer cancel()
	s := &starter{Options: o, client: client.Dial(o.Home.Socket())}
	hello, err := s.ensure(ctx)
	if err != nil {
		s.client.Close()
		return nil, client.Hello{}, err
	}
	return s.client, hello, nil
}

// starter is one Ensure on its way.
type starter struct {
	Options
	client *client.Client
	keep   bool             // the hub will not be replaced: use it although it is older
	before config.Discovery // of the hub that was there; the zero one when none is known
}

func (s *starter) ensure(ctx context.Context) (client.Hello, error) {
	if hello, state, err := s.look(ctx); state == ready || err != nil {
		return hello, err
	}
	if err := s.Home.Prepare(); err != nil {
		return client.Hello{}, err
	}
	if s.NewUse {
		if err := config.ClearStopped(s.Home); err != nil {
			return client.Hello{}, err
		}
	}
	lock := flock.New(s.Home.StartLock(), flock.SetPermissions(0o600))
	defer lock.Close()
	hello, found, err := s.await(ctx, lock)
	if found || err != nil {
		return hello, err
	}
	return s.startLocked(ctx)
}

// await takes the start lock. While another process has it, it may be starting
// the very hub we need: found tells that this hub is there.
func (s *starter) await(ctx context.Context, lock *flock.Flock) (hello client.Hello, found bool, err error) {
	for pause := newPause(); ; {
		locked, err := lock.TryLock()
		if err != nil {
			return hello, false, &coord.Error{Code: coord.Unavailable, What: "cannot lock " + lock.Path(), Next: "check the rights of its directory", Err: err}
		}
		if locked {
			return hello, false, nil
		}
		if err := pause.wait(ctx, nil); err != nil {
			return hello, false, s.tooLong(err, "another process has been starting one all the time")
		}
		hello, state, err := s.look(ctx)
		if ctx.Err() != nil {
			return hello, false, s.tooLong(ctx.Err(), "another process has been starting one all the time")
		}
		if state == ready || err != nil {
			return hello, state == ready, err
		}
	}
}

// startLocked brings a hub up; the start lock is held.
func (s *starter) startLocked(ctx context.Context) (client.Hello, error) {
	for pause := newPause(); ; {
		hello, state, err := s.look(ctx)
		switch {
		case state == ready || err != nil:
			return hello, err
		case state == outdated:
			if err := s.retire(ctx, hello); err != nil {
				return client.Hello{}, err
			}
			continue
		case state == absent:
			if err := s.stopped(); err != nil {
				return client.Hello{}, err
			}
			hello, found, err := s.startAsBefore(ctx)
			if found || err != nil {
				return hello, err
			}
		}
		// A hub is leaving: its socket or lock is still there.
		if err := pause.wait(ctx, nil); err != nil {
			return client.Hello{}, s.tooLong(err, "the hub that was there does not end")
		}
	}
}

// stopped says that the user wants no hub for now.
func (s *starter) stopped() error {
	at, stopped := config.StoppedByHand(s.Home)
	if !stopped {
		return nil
	}
	when := ""
	if at != 0 {
		when = " at " + at.Time().Local().Format("15:04:05")
	}
	return coord.Errorf(coord.Conflict, "run coord-hub start", "the hub was stopped by hand%s", when)
}

func (s *starter) tooLong(err error, what string) error {
	return &coord.Error{Code: coord.Unavailable, What: fmt.Sprintf("no hub for %s: %s", s.Home.Dir(), what),
		Next: "try again; if it stays so run coord-hub restart", Err: err}
}

// pause is a growing, jittered wait, so that many starters do not move in step.
type pause struct{ next time.Duration }

func newPause() *pause { return &pause{firstPause} }

// wait ends with nil when the time is over or wake is readable, else with the
// error of ctx.
func (p *pause) wait(ctx context.Context, wake <-chan struct{}) error {
	d := p.next/2 + rand.N(p.next) // #nosec G404 -- jitter, no secret
	p.next = min(p.next*3/2, lastPause)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
