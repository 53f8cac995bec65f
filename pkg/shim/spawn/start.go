package spawn

import (
	"context"
	"fmt"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/shim/launch"
)

// start runs the hub's program and waits until it answers. found is false, with
// no error, when the program left because another hub still holds the lock.
func (s *starter) start(ctx context.Context) (hello client.Hello, found bool, err error) {
	child, err := s.launch()
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

func (s *starter) launch() (*launch.Child, error) {
	binary, err := launch.Binary(s.HubBinary)
	if err != nil {
		return nil, err
	}
	child, err := launch.Start(s.Home, binary)
	if err == nil {
		s.Log.Info("started a hub", "binary", binary, "pid", child.PID)
	}
	return child, err
}
