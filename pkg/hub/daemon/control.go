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
)

// ErrNotRunning is in the chain of an error that says that a home has no hub.
var ErrNotRunning = errors.New("no hub is running")

// Status is what a hub says of itself and of the work it coordinates.
type Status = web.Status

// Facts is the part of a Status about the process.
type Facts = web.Facts

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

// explain words the lack of an answer for somebody at a terminal.
func explain(home config.Home, err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.As(err, &op) && op.Op == "dial":
		return notRunning(home, err)
	case coord.CodeOf(err) == coord.Unavailable:
		return &coord.Error{Code: coord.Unavailable, What: "the hub of " + home.Dir() + " does not answer", Next: "run coord-hub restart, which ends it if need be; see coord-hub logs", Err: err}
	}
	return err
}

func notRunning(home config.Home, err error) error {
	return &coord.Error{Code: coord.Unavailable, What: "no hub is running for " + home.Dir(), Next: "start one with coord-hub start",
		Err: errors.Join(ErrNotRunning, err)}
}
