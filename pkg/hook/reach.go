package hook

import (
	"context"
	"time"

	"github.com/gofrs/flock"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/shim/launch"
)

// look is the pause between two looks at a hub that starts.
const look = 3 * time.Millisecond

// reach connects to the hub of a home, and starts one when nobody is there. It
// waits no longer than ctx; a hub that it has started goes on all the same. One
// that the user has stopped stays stopped.
func reach(ctx context.Context, home config.Home, binary, client string) (*line, error) {
	l, err := dial(ctx, home.Socket(), client)
	if coord.CodeOf(err) != coord.Unavailable {
		return l, err
	}
	if _, stopped := config.StoppedByHand(home); stopped {
		return nil, coord.Errorf(coord.Conflict, "run coord-hub start", "the hub was stopped by hand")
	}
	lock := flock.New(home.StartLock(), flock.SetPermissions(0o600))
	defer lock.Close()
	locked, lockErr := lock.TryLock() // who does not get it waits for the one that starts a hub
	if lockErr != nil {
		return nil, err
	}
	if locked {
		if l, err := dial(ctx, home.Socket(), client); coord.CodeOf(err) != coord.Unavailable {
			return l, err
		}
		program, err := launch.Binary(binary)
		if err != nil {
			return nil, err
		}
		if _, err := launch.Start(home, program, arguments(home)); err != nil {
			return nil, err
		}
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, &coord.Error{Code: coord.Unavailable, What: "no hub answers yet", Next: "run coord-hub status", Err: ctx.Err()}
		}
		if l, err := dial(ctx, home.Socket(), client); coord.CodeOf(err) != coord.Unavailable {
			return l, err
		}
	}
}

// arguments start a hub as the one was started that is gone without a proper
// end; any other starts by itself.
func arguments(home config.Home) []string {
	before, err := config.ReadDiscovery(home)
	if err != nil || before.Instance == "" || before.Auto || len(before.Args) == 0 {
		return launch.Arguments(home, before, "--auto")
	}
	return launch.Arguments(home, before, before.Args...)
}
