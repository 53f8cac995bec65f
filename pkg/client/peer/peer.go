// Package peer tells who is at the other end of a unix socket, by asking the
// kernel. Hub and clients both use it before they say anything.
package peer

import (
	"errors"
	"fmt"
	"net"
)

// ErrUnknown is wrapped by the error of [PeerUID] when the kernel was not or
// could not be asked: not a unix socket, or a platform without such a call.
var ErrUnknown = errors.New("peer unknown")

// PeerUID gives the user id of the process that connected to, or listens at,
// the other end of c, as it was at that moment. c must be a unix socket.
func PeerUID(c net.Conn) (uid int, err error) {
	return ask(c, "peer uid", uidOf)
}

// PeerPID gives the process id of the other end of c, as it was when the
// connection was made, or when it began to listen. c must be a unix socket.
func PeerPID(c net.Conn) (pid int, err error) {
	return ask(c, "peer pid", pidOf)
}

// ask runs the platform's call on the descriptor.
func ask(c net.Conn, what string, call func(fd int) (int, error)) (id int, err error) {
	unixConn, ok := c.(*net.UnixConn)
	if !ok {
		return -1, fmt.Errorf("%w: %T is not a unix socket", ErrUnknown, c)
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("%s: %w", what, err)
	}
	id = -1
	if ctlErr := raw.Control(func(fd uintptr) { id, err = call(int(fd)) }); ctlErr != nil {
		return -1, fmt.Errorf("%s: %w", what, ctlErr)
	}
	return id, err
}
