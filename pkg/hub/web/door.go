package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/client/peer"
	"github.com/coordhq/coord/pkg/coord"
)

// door is one listener with its own http.Server. As a net.Listener it lets in
// only connections that may speak at all: of our own uid on a unix socket, and
// no more than the limits allow.
type door struct {
	net.Listener
	web    *Server
	log    *slog.Logger
	local  bool
	hosts  []string // allowed values of Host on TCP
	server *http.Server
	closed func() error // closes the listener, once

	mu        sync.Mutex
	conns     map[*conn]http.ConnState // guarded by mu
	strangers int                      // of conns, without a credential so far; guarded by mu
}

func newDoor(s *Server, l net.Listener, local bool) *door {
	d := &door{Listener: l, web: s, log: s.log, local: local, closed: sync.OnceValue(l.Close), conns: map[*conn]http.ConnState{}}
	idle := localIdleTimeout
	if !local {
		d.hosts = hostsOf(l.Addr())
		idle = idleTimeout
	}
	d.server = &http.Server{
		Handler:                      s.handler,
		ReadHeaderTimeout:            headerTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idle,
		MaxHeaderBytes:               maxHeader,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnContext:                  func(ctx context.Context, c net.Conn) context.Context { return withConn(ctx, c.(*conn)) },
		ConnState:                    d.changed,
	}
	return d
}

// hostsOf lists the names a browser or tool may have used to reach a loopback
// address; any other Host is a name that somebody pointed at us.
func hostsOf(a net.Addr) []string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return nil
	}
	port := strconv.Itoa(tcp.Port)
	return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("localhost", port), net.JoinHostPort("::1", port)}
}

// Accept gives the next connection that may speak.
func (d *door) Accept() (net.Conn, error) {
	for {
		raw, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if d.local && !d.own(raw) {
			_ = raw.Close()
			continue
		}
		c := &conn{Conn: raw, door: d}
		if full := d.admit(c); full != "" {
			d.turnAway(raw, full)
			continue
		}
		return c, nil
	}
}

// Close closes the listener; both net/http and stop do.
func (d *door) Close() error { return d.closed() }

// own asks the kernel who connected. The socket's mode is the first wall; this
// one holds when it has been loosened.
func (d *door) own(c net.Conn) bool {
	uid, err := peer.PeerUID(c)
	if err != nil || uid != d.web.o.OwnUID {
		d.log.Warn("connection of another user refused", "uid", uid, "err", err)
		return false
	}
	return true
}

// admit counts the connection in, or names the limit that is reached.
func (d *door) admit(c *conn) (full string) {
	l := d.web.o.Limits
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.local && len(d.conns) >= l.LocalConnections:
		return fmt.Sprintf("%d connections on the unix socket", l.LocalConnections)
	case !d.local && len(d.conns) >= l.Connections:
		return fmt.Sprintf("%d connections on TCP", l.Connections)
	case !d.local && d.strangers >= l.Strangers:
		return fmt.Sprintf("%d connections without a credential", l.Strangers)
	}
	c.stranger = !d.local
	if c.stranger {
		d.strangers++
	}
	d.conns[c] = http.StateNew
	return ""
}

// turnAway says why and closes. A fresh socket has room for these bytes; the
// deadline is for the case that it has not, since nobody is accepted meanwhile.
func (d *door) turnAway(c net.Conn, full string) {
	d.log.Warn("connection refused", "limit", full)
	body := `{"code":"unavailable","message":"the limit of ` + full + ` is reached; try again later","request_id":""}`
	_ = c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	_ = c.Close()
}

// changed is told by net/http what a connection does.
func (d *door) changed(nc net.Conn, state http.ConnState) {
	if owed := d.note(nc.(*conn), state); owed != nil {
		d.gone(owed)
	}
}

// note keeps the state of a connection. It gives what a hook has left unwritten
// when its connection is closed.
func (d *door) note(c *conn, state http.ConnState) (owed *coord.HookReceipt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch _, open := d.conns[c]; {
	case !open:
	case state == http.StateClosed || state == http.StateHijacked:
		d.forget(c)
		return c.owed
	default:
		d.conns[c] = state
	}
	return nil
}

// forget counts the connection out; it runs under mu.
func (d *door) forget(c *conn) {
	if _, open := d.conns[c]; !open {
		return
	}
	delete(d.conns, c)
	if c.stranger {
		c.stranger = false
		d.strangers--
	}
}

func (d *door) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// stop closes the listener and the connections that have asked nothing yet,
// which net/http would wait for, and then waits for the requests at work.
func (d *door) stop(ctx context.Context) error {
	_ = d.Close() // Shutdown gives its error
	for _, c := range d.silent() {
		_ = c.Close()
	}
	if err := d.server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests at %s were cut: %w", d.Addr(), err), d.server.Close())
	}
	return nil
}

func (d *door) silent() []*conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*conn
	for c, state := range d.conns {
		if state == http.StateNew {
			out = append(out, c)
		}
	}
	return out
}

// conn is one connection of a door.
type conn struct {
	net.Conn
	door     *door
	stranger bool               // no request has shown a credential yet; guarded by door.mu
	owed     *coord.HookReceipt // what a hook is to report as written; nil = nothing; guarded by door.mu
}

// known notes that a request of this connection has shown a credential.
func (c *conn) known() {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	if c.stranger {
		c.stranger = false
		c.door.strangers--
	}
}

func (c *conn) isStranger() bool {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	return c.stranger
}

type connKey struct{}

func withConn(ctx context.Context, c *conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf gives the connection of a request; net/http has put it there.
func connOf(r *http.Request) *conn { return r.Context().Value(connKey{}).(*conn) }
