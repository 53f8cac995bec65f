package spawn

import (
	"context"
	"fmt"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/shim/launch"
)

// startAsBefore starts a hub as the one was started that is gone without a
// proper end, or was replaced. When that fails, as with a port that somebody
// else has taken since, the plain one does.
func (s *starter) startAsBefore(ctx context.Context) (client.Hello, bool, error) {
	if s.before.Instance == "" {
		if d, err := config.ReadDiscovery(s.Home); err == nil {
			s.before = d
		}
	}
	plain := s.arguments("--auto")
	if s.before.Instance == "" || s.before.Auto || len(s.before.Args) == 0 {
		return s.start(ctx, plain)
	}
	for range 2 { // the one before may hold its lock for a moment
		hello, found, err := s.start(ctx, s.arguments(s.before.Args...))
		if err == nil || ctx.Err() != nil {
			return hello, found, err
		}
		s.Log.Warn("a hub with the flags of the one before does not start", "flags", s.before.Args, "error", err)
	}
	return s.start(ctx, plain)
}

// start runs the hub's program and waits until it answers. found is false, with
// no error, when the program left because another hub still holds the lock.
func (s *starter) start(ctx context.Context, args []string) (hello client.Hello, found bool, err error) {
	child, err := s.launch(args)
	if err != nil {
		return hello, false, err
	}
	for pause := newPause(); ; {
		waitErr := pause.wait(ctx, child.Ended)
		hello, state, err := s.look(ctx)
		switch {
		case state == ready || state == outdated: // what we start is what we use
			return hello, true, nil
		case child.HasEnded():
			return hello, false, child.Failure()
		case waitErr != nil:
			return hello, false, s.tooLong(waitErr, fmt.Sprintf("the one just started (process %d) does not answer%s", child.PID, child.LastWords()))
		case err != nil:
			return hello, false, err
		}
	}
}

func (s *starter) launch(args []string) (*launch.Child, error) {
	binary, err := launch.Binary(s.HubBinary)
	if err != nil {
		return nil, err
	}
	child, err := launch.Start(s.Home, binary, args)
	if err != nil {
		return nil, err
	}
	if child.Unnoted != nil {
		s.Log.Warn("the start of a hub is not noted", "pid", child.PID, "error", child.Unnoted)
	}
	s.Log.Info("started a hub", "binary", binary, "pid", child.PID)
	return child, nil
}

func (s *starter) arguments(flags ...string) []string {
	return launch.Arguments(s.Home, s.before, flags...)
}
