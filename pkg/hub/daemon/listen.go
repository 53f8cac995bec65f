package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Port is a TCP port to listen on.
type Port struct {
	Number int  // 0 = any free one
	Chosen bool // somebody wants exactly this one: busy is an error, else a free one stands in
}

// socket is a unix socket that we have bound.
type socket struct {
	net.Listener
	path string
	info fs.FileInfo
}

// listenUnix binds a socket of mode 0600. What is left of a dead hub under the
// name is removed; the caller holds the lock, so a living one is no hub of ours.
func listenUnix(path string) (*socket, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot listen on " + path, Next: "check the rights of its directory", Err: err}
	}
	l.SetUnlinkOnClose(false) // only while we hold the lock; see close
	// The directory is 0700, so nobody else has got in before this.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &socket{Listener: l, path: path, info: info}, nil
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return coord.Errorf(coord.Conflict, "move it away", "%s is in the way: it is not a socket", path)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = c.Close()
		return coord.Errorf(coord.Conflict, "end that program, or try again in a few seconds", "a program answers at %s that does not hold the lock of this home", path)
	}
	return os.Remove(path)
}

// unlink removes the socket if it is still ours.
func (s *socket) unlink() error {
	if !s.bound() {
		return nil
	}
	return os.Remove(s.path)
}

func (s *socket) bound() bool { return same(s.path, s.info) }

// checkBind refuses every address that another machine could reach.
func checkBind(bind string) error {
	if ip := net.ParseIP(bind); ip == nil || !ip.IsLoopback() {
		return coord.Errorf(coord.Invalid, "bind 127.0.0.1 or ::1",
			"%q is no loopback address, and a hub for other machines needs team authentication, which this version does not have", bind)
	}
	return nil
}

// listenTCP listens on the port. Where another one will do, that of the hub
// before goes first, since a browser may still be looking at it, and a free one
// last. The listener's address tells which it is.
func listenTCP(bind string, p Port, before string) (net.Listener, error) {
	if host, port, err := net.SplitHostPort(before); err == nil && host == bind && !p.Chosen {
		if l, err := net.Listen("tcp", net.JoinHostPort(bind, port)); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(bind, strconv.Itoa(p.Number)))
	if err != nil && !p.Chosen && p.Number != 0 {
		l, err = net.Listen("tcp", net.JoinHostPort(bind, "0"))
	}
	if err != nil {
		what := fmt.Sprintf("cannot listen on port %d of %s", p.Number, bind)
		if errors.Is(err, syscall.EADDRINUSE) {
			what = fmt.Sprintf("port %d of %s is taken by another program", p.Number, bind)
		}
		return nil, &coord.Error{Code: coord.Conflict, What: what, Next: "choose another port, or leave it out to get a free one", Err: err}
	}
	// What the kernel says counts, not what we asked for.
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return nil, errors.Join(checkBind(l.Addr().String()), l.Close())
	}
	return l, nil
}
