package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// HoldStart keeps everybody else from starting a hub in the home until release
// is called: sessions, and other terminals. In a home that nobody has used yet
// there is nothing to hold; Prepare it first to be alone.
func HoldStart(ctx context.Context, home config.Home) (release func(), err error) {
	if _, err := os.Lstat(home.RunDir()); errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	l := flock.New(home.StartLock(), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockPause); err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot get " + l.Path() + ", another process is starting a hub", Next: "try again in a few seconds", Err: errors.Join(err, l.Close())}
	}
	return func() { _ = l.Close() }, nil
}
