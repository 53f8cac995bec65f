package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
	"github.com/coordhq/coord/pkg/process"
)

// ErrNotRunning is in the chain of an error that says that a home has no hub.
var ErrNotRunning = errors.New("no hub is running")

// Status is what a hub says of itself and of the work it coordinates.
type Status = web.Status

// askLimit bounds one question to a hub; only one that is stopped or stuck
// takes that long.
const askLimit = 5 * time.Second

// Ask asks the hub of a home for its status.
func Ask(ctx context.Context, home config.Home) (Status, error) {
	c := client.Dial(home.Socket())
	defer c.Close()
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	raw, err := c.Status(limited)
	if err != nil {
		return Status{}, explain(home, err)
	}
	var s Status
	if err := json.Unmarshal(raw, &s); err != nil {
		return Status{}, &coord.Error{Code: coord.Internal, What: "the status of the hub cannot be read", Next: "run coord-hub restart, the hub may be of another version", Err: err}
	}
	return s, nil
}

// Link asks the hub of a home for a link to its dashboard.
func Link(ctx context.Context, home config.Home) (client.Link, error) {
	c := client.Dial(home.Socket())
	defer c.Close()
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	l, err := c.Dashboard(limited)
	if err != nil {
		return l, explain(home, err)
	}
	return l, nil
}

// StopHub asks the hub of a home to leave and waits until its process has
// ended, or ctx has. It goes by the socket and signals nobody.
func StopHub(ctx context.Context, home config.Home, reason string) (client.Hello, error) {
	c := client.Dial(home.Socket())
	defer c.Close()
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	hello, err := c.Hello(limited)
	if err != nil {
		return hello, explain(home, err)
	}
	hub := coord.Process{PID: hello.PID}
	if start, err := process.StartTime(hello.PID); err == nil {
		hub.Start = start
	}
	if err := c.Stop(limited, reason); err != nil && coord.CodeOf(err) != coord.Unavailable { // unavailable: it is leaving already
		return hello, err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for process.Alive(hub) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return hello, coord.Errorf(coord.Unavailable, "see coord-hub logs, or end the process by hand", "the hub (pid %d) was asked to stop and has not ended", hello.PID)
		}
	}
	return hello, nil
}

// explain words the lack of an answer for somebody at a terminal.
func explain(home config.Home, err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.As(err, &op) && op.Op == "dial":
		return &coord.Error{Code: coord.Unavailable, What: "no hub is running for " + home.Dir(), Next: "start one with coord-hub start",
			Err: errors.Join(ErrNotRunning, err)}
	case coord.CodeOf(err) == coord.Unavailable:
		return &coord.Error{Code: coord.Unavailable, What: "the hub of " + home.Dir() + " does not answer", Next: "see coord-hub logs; if it hangs, end its process", Err: err}
	}
	return err
}
