package peer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/coordhq/coord/pkg/coord"
)

// Connect opens a connection to a socket of this user's hub. Whoever else
// listens there learns nothing: the connection is closed before anything is
// written. The error is coord.Unavailable when nobody listens, coord.Forbidden
// when it is not this user's hub. All programs of ours connect with it.
func Connect(ctx context.Context, socket string) (net.Conn, error) {
	if err := checkSocket(socket); err != nil {
		return nil, err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, nobody(socket, err)
	}
	uid, err := PeerUID(c)
	if err != nil {
		_ = c.Close()
		return nil, &coord.Error{Code: coord.Forbidden, What: "cannot tell who listens at " + socket, Next: "run coord-hub doctor", Err: err}
	}
	if uid != os.Geteuid() {
		_ = c.Close()
		return nil, foreign(socket, fmt.Sprintf("a process of user %d listens at %s", uid, socket))
	}
	return c, nil
}

// nobody words the ordinary case: there is no hub.
func nobody(socket string, err error) error {
	return &coord.Error{Code: coord.Unavailable, What: "no hub answers at " + socket, Next: "try again", Err: err}
}

func checkSocket(socket string) error {
	info, err := os.Lstat(socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nobody(socket, err)
	case err != nil:
		return &coord.Error{Code: coord.Forbidden, What: "cannot look at " + socket, Next: "check the rights of its directory", Err: err}
	case info.Mode().Type() != fs.ModeSocket:
		return foreign(socket, socket+" is not a socket")
	case !ownedByUs(info):
		return foreign(socket, socket+" belongs to another user")
	}
	return nil
}

func foreign(socket, what string) error {
	return coord.Errorf(coord.Forbidden, "remove "+socket+", or set COORDINATOR_HOME to a directory of your own", "%s", what)
}
