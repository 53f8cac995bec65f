package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// ErrTaken is in the chain of the error with which Start ends when another hub
// holds the lock of the home.
var ErrTaken = errors.New("another hub holds the lock")

// lockWait is how long a hub waits for one that is starting or leaving, before
// it gives up. One that is up is not waited for.
const (
	lockWait  = 5 * time.Second
	lockPause = 20 * time.Millisecond
)

// lock is the exclusive flock on the home's lock file. The kernel drops it with
// the process, so there is no such thing as a stale one.
type lock struct {
	file *flock.Flock
	info fs.FileInfo
}

// acquire takes the lock, or tells who has it.
func acquire(ctx context.Context, home config.Home) (*lock, error) {
	for deadline := time.Now().Add(lockWait); ; {
		l, err := tryLock(home.LockFile())
		if err != nil {
			return nil, err
		}
		if l != nil {
			if err := alone(ctx, home, l); err != nil {
				return nil, err
			}
			return l, nil
		}
		if h, up := holder(ctx, home); up || time.Now().After(deadline) {
			return nil, taken(home, h)
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// alone refuses, and lets the lock go, when a hub with another database serves
// the home: two cannot share its sockets.
func alone(ctx context.Context, home config.Home, l *lock) error {
	h, up := holder(ctx, home)
	if !up || h.Home != home.Dir() || h.DataDir == home.DataDir() {
		return nil
	}
	return errors.Join(&coord.Error{Code: coord.Conflict, Err: ErrTaken, Next: "stop that one first (coord-hub stop), or give this one a home of its own (COORDINATOR_HOME)",
		What: fmt.Sprintf("a hub (pid %d) with the data directory %s already serves the home %s", h.PID, h.DataDir, home.Dir())}, l.release())
}

// tryLock gives nil when another process has the lock.
func tryLock(name string) (*lock, error) {
	f := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW), flock.SetPermissions(0o600))
	locked, err := f.TryLock()
	if err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot lock " + name, Next: "check that it is a file of your own, and the rights of " + filepath.Dir(name), Err: err}
	}
	if !locked {
		return nil, f.Close()
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &lock{file: f, info: info}, nil
}

// held reports whether the locked file is still the one under the name. It is
// not after somebody has removed it or the whole home.
func (l *lock) held() bool { return same(l.file.Path(), l.info) }

func (l *lock) release() error { return l.file.Close() }

// same reports whether the file under the name is still this one.
func same(name string, info fs.FileInfo) bool {
	now, err := os.Lstat(name)
	return err == nil && os.SameFile(now, info)
}

// holder asks who the hub of the home is; up is false while it is starting or
// leaving.
func holder(ctx context.Context, home config.Home) (h client.Hello, up bool) {
	c := client.Dial(home.Socket())
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	h, err := c.Hello(ctx)
	return h, err == nil && !h.Draining
}

func taken(home config.Home, h client.Hello) error {
	e := coord.Errorf(coord.Conflict, "use it, or run coord-hub restart", "a hub (pid %d, version %s) already serves the home %s", h.PID, h.Version, home.Dir())
	if h.PID == 0 {
		e = coord.Errorf(coord.Conflict, "look for a coord-hub process that hangs, or serves the same data directory", "another hub holds %s and does not answer at %s", home.LockFile(), home.Socket())
	}
	e.Err = ErrTaken
	return e
}
