package daemon

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// Ending is what it took to end a hub.
type Ending string

// The endings, the gentlest first.
const (
	EndedWhenAsked Ending = "asked"      // over its socket; all that was begun is finished
	EndedBySignal  Ending = "terminated" // it did not answer; SIGTERM, and it left in order
	EndedByKill    Ending = "killed"     // SIGKILL; what was acknowledged is in the database
)

// Stopped tells of a hub that has ended.
type Stopped struct {
	PID int    `json:"pid"`
	How Ending `json:"how"`
}

// Limits of an end. A hub at work bounds each of its own steps.
const (
	leaveLimit = 20 * time.Second // after it was asked
	termLimit  = 3 * time.Second  // after SIGTERM
	killLimit  = 5 * time.Second  // after SIGKILL, for the kernel
	endPause   = 10 * time.Millisecond
)

// StopHub ends the hub of a home and waits until its process is gone. It asks
// over the socket; a hub that does not answer, or does not leave, is ended by
// signals, provided that hub.json names its process beyond doubt and the lock
// shows that it lives. The error has ErrNotRunning in its chain when there is
// no hub.
func StopHub(ctx context.Context, home config.Home, reason string) (Stopped, error) {
	c := client.Dial(home.Socket())
	defer c.Close()
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	hello, err := c.Hello(limited)
	if err != nil {
		return force(ctx, home, explain(home, err))
	}
	hub := coord.Process{PID: hello.PID}
	if start, err := process.StartTime(hello.PID); err == nil {
		hub.Start = start
	}
	if err := c.Stop(limited, reason); err != nil && coord.CodeOf(err) != coord.Unavailable { // unavailable: it is leaving already
		return Stopped{}, err
	}
	if goneWithin(ctx, hub, leaveLimit) {
		return Stopped{hub.PID, EndedWhenAsked}, nil
	}
	return force(ctx, home, coord.Errorf(coord.Unavailable, "see coord-hub logs, or end the process by hand", "the hub (pid %d) was asked to stop and has not ended", hello.PID))
}

// force ends by signals the hub that cannot be asked; why is the error when
// there is none that may be ended so.
func force(ctx context.Context, home config.Home, why error) (Stopped, error) {
	if coord.CodeOf(why) != coord.Unavailable {
		return Stopped{}, why
	}
	d, err := config.ReadDiscovery(home)
	if !locked(home.WithData(d.DataDir)) {
		return Stopped{}, notRunning(home, why)
	}
	hub := coord.Process{PID: d.PID, Start: d.PIDStart}
	if err != nil || d.PID <= 0 || d.PIDStart == 0 || !process.Alive(hub) {
		return Stopped{}, why
	}
	if errors.Is(why, ErrNotRunning) && goneWithin(ctx, hub, leaveLimit) { // its sockets are closed already: it is leaving
		return Stopped{hub.PID, EndedWhenAsked}, nil
	}
	for _, try := range []struct {
		signals []syscall.Signal
		limit   time.Duration
		how     Ending
	}{
		{[]syscall.Signal{syscall.SIGTERM, syscall.SIGCONT}, termLimit, EndedBySignal}, // a process that was halted hears nothing else
		{[]syscall.Signal{syscall.SIGKILL}, killLimit, EndedByKill},
	} {
		for _, s := range try.signals {
			if err := syscall.Kill(hub.PID, s); err != nil && !errors.Is(err, syscall.ESRCH) {
				return Stopped{}, &coord.Error{Code: coord.Unavailable, What: why.Error(), Err: err}
			}
		}
		if goneWithin(ctx, hub, try.limit) {
			return Stopped{hub.PID, try.how}, forget(home, d)
		}
	}
	return Stopped{}, coord.Errorf(coord.Unavailable, "end it by hand", "the hub (pid %d) does not end, not even by SIGKILL", hub.PID)
}

// locked reports whether somebody holds the lock of a hub. Only the holder has
// ever written hub.json, and keeps the lock for as long as it lives.
func locked(home config.Home) bool {
	if _, err := os.Lstat(home.LockFile()); err != nil {
		return false
	}
	l, err := tryLock(home.LockFile())
	if l != nil {
		_ = l.release()
	}
	return l == nil && err == nil
}

// forget removes the hub.json of a hub that could not do so itself.
func forget(home config.Home, d config.Discovery) error {
	if now, err := config.ReadDiscovery(home); err != nil || now.Instance != d.Instance {
		return nil
	}
	return os.Remove(home.Discovery())
}

func goneWithin(ctx context.Context, p coord.Process, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(endPause)
	defer tick.Stop()
	for process.Alive(p) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
