package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// strike ends everything that runs and removes everything that was made, or
// leaves the files when keep is set. It works after an interruption too.
func (s *scene) strike(keep bool) error {
	err := s.exit()
	if s.home.Dir() == "" {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	home, findErr := s.find() // anew: the sessions may have chosen another place for the sockets
	err = errors.Join(err, findErr, stopHubs(home))
	if keep {
		return err
	}
	return errors.Join(err, os.RemoveAll(home.RunDir()), os.RemoveAll(s.dir))
}

// stopHubs asks the hub to stop, and makes those stop that have not come up
// yet; nobody is left who could start another. It kills what does not stop.
func stopHubs(home config.Home) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // also after the story's own context has ended
	defer cancel()
	all := config.ReadLaunched(home)
	if d, err := config.ReadDiscovery(home); err == nil {
		all = append(all, coord.Process{PID: d.PID, Start: d.PIDStart})
		c := client.Dial(d.Socket)
		defer c.Close()
		_ = c.Stop(ctx, "the demo is over") // what matters is whether the process ends
	}
	slices.SortFunc(all, func(a, b coord.Process) int { return a.PID - b.PID })
	var errs []error
	for _, hub := range slices.Compact(all) {
		errs = append(errs, end(ctx, hub))
	}
	return errors.Join(errs...)
}

// end waits for the end of a hub: it was asked, or is told now by a signal,
// which it obeys from its first moment on.
func end(ctx context.Context, hub coord.Process) error {
	if hub.PID <= 0 || hub.Start == 0 {
		return nil
	}
	if process.Alive(hub) {
		_ = syscall.Kill(hub.PID, syscall.SIGTERM) // an error: it has just ended
	}
	for process.Alive(hub) {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			_ = syscall.Kill(hub.PID, syscall.SIGKILL)
			return fmt.Errorf("the hub, process %d, did not stop when asked to and was killed", hub.PID)
		}
	}
	return nil
}
