package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// BackupInfo says what a backup holds.
type BackupInfo = sqlite.Copy

// Backup copies the database of a home, whose hub may be at work, into a new
// file. An empty name gives it one in the directory backups of the home.
func Backup(ctx context.Context, home config.Home, out string) (BackupInfo, error) {
	if out == "" {
		dir := filepath.Join(home.Dir(), "backups")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return BackupInfo{}, &coord.Error{Code: coord.Unavailable, What: "cannot make " + dir, Next: "check its rights, or use --output", Err: err}
		}
		out = filepath.Join(dir, "coordinator-"+time.Now().UTC().Format("20060102-150405.000")+".db")
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return BackupInfo{}, fmt.Errorf("backup: %w", err)
	}
	return sqlite.Backup(ctx, home.Database(), out)
}

// Restored says what Restore has done.
type Restored struct {
	BackupInfo
	Kept    string `json:"kept,omitempty"` // where the database is that was there before
	Stopped bool   `json:"stopped"`        // a hub was running, and has been stopped for it
}

// MaxAside is how many databases of before a restore are kept.
const MaxAside = sqlite.MaxAside

// KeptAside is what restores have kept of the databases that were there before.
type KeptAside struct {
	Files []string `json:"files"` // the newest first
	Bytes int64    `json:"bytes"`
}

// Aside looks for what restores have kept beside the database of a running hub.
func Aside(s Status, home config.Home) (out KeptAside, err error) {
	out.Files, err = sqlite.Aside(filepath.Join(s.Daemon.DataDir, filepath.Base(home.Database())))
	for _, name := range out.Files {
		if info, err := os.Stat(name); err == nil {
			out.Bytes += info.Size()
		}
	}
	return out, err
}

const (
	restoreTries = 3                // hubs that Restore stops; a second one was started by hand in between
	restoreWait  = 30 * time.Second // for somebody else who starts or stops a hub
)

// Restore puts a backup in the place of the home's database. It verifies the
// backup before it touches anything, stops a running hub, and keeps the old
// database aside. Sessions that are open wait until it is done, and then start
// the hub again.
func Restore(ctx context.Context, home config.Home, backup string) (out Restored, err error) {
	if err := sqlite.Restorable(ctx, backup, home.Database()); err != nil {
		return out, err
	}
	if err := home.Prepare(); err != nil {
		return out, err
	}
	limited, cancel := context.WithTimeout(ctx, restoreWait)
	defer cancel()
	release, err := HoldStart(limited, home) // else a session starts the hub again in between
	if err != nil {
		return out, err
	}
	defer release()
	l, stopped, err := lockStopped(ctx, home)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	out.Stopped = stopped
	out.BackupInfo, out.Kept, err = sqlite.Restore(ctx, backup, home.Database())
	return out, err
}

// lockStopped takes the lock of a home whose hub it has stopped. The caller
// holds the start lock.
func lockStopped(ctx context.Context, home config.Home) (l *lock, stopped bool, err error) {
	for range restoreTries {
		if l, err = acquire(ctx, home); err == nil || !errors.Is(err, ErrTaken) {
			return l, stopped, err
		}
		if _, err := StopHub(ctx, home, "restore"); err != nil && !errors.Is(err, ErrNotRunning) {
			return nil, stopped, err
		}
		stopped = true
	}
	return nil, stopped, coord.Errorf(coord.Conflict, "see who runs coord-hub serve, then try again", "the hub is started by hand again each time it is stopped for the restore")
}
