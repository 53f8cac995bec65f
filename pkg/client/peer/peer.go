// Package peer tells who is at the other end of a unix socket, by asking the
// kernel. Hub and clients both use it before they say anything.
package peer

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// ErrUnknown is wrapped by the error of [PeerUID] when the kernel was not or
// could not be asked: not a unix socket, or a platform without such a call.
var ErrUnknown = errors.New("peer unknown")

// PeerUID gives the user id of the process that connected to, or listens at,
// the other end of c, as it was at that moment. c must be a unix socket.
func PeerUID(c net.Conn) (uid int, err error) {
	unixConn, ok := c.(*net.UnixConn)
	if !ok {
		return -1, fmt.Errorf("%w: %T is not a unix socket", ErrUnknown, c)
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("peer uid: %w", err)
	}
	return ask(raw)
}

// ask runs the platform's call on the descriptor.
func ask(raw syscall.RawConn) (uid int, err error) {
	uid = -1
	if ctlErr := raw.Control(func(fd uintptr) { uid, err = uidOf(int(fd)) }); ctlErr != nil {
		return -1, fmt.Errorf("peer uid: %w", ctlErr)
	}
	return uid, err
}
