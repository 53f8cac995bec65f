package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"time"
)

// counts are the connections there are now.
type counts struct {
	unix, tcp       int
	unauthenticated int // of tcp
	open            int // CONNECT accepted, of all
}

// accept takes connections until the listener is closed. An error that is not
// the end (too many open files) is waited out: giving up would leave a hub that
// looks healthy and hears nothing.
func (b *Broker) accept(l net.Listener, local bool) {
	const longest = time.Second
	pause := 5 * time.Millisecond
	for {
		nc, err := l.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			b.admit(nc, local)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		b.log.Warn("accept failed", "address", l.Addr().String(), "error", err, "retry_in", pause)
		select {
		case <-b.stop:
			return
		case <-time.After(pause):
			pause = min(2*pause, longest)
		}
	}
}

// admit checks who is there and whether there is room, and serves the
// connection on a goroutine of its own. A refused one is closed without a word.
func (b *Broker) admit(nc net.Conn, local bool) {
	if err := b.checkPeer(nc, local); err != nil {
		b.refuse(nc, local, err)
		return
	}
	c := &conn{Conn: nc, local: local, writeDeadline: b.opt.WriteDeadline, replaying: make(chan struct{}, 1)}
	if err := b.enter(c); err != nil {
		b.refuse(nc, local, err)
		return
	}
	go b.serve(c)
}

func (b *Broker) refuse(nc net.Conn, local bool, err error) {
	b.refusals.Do(func() { b.log.Warn("connection refused", "local", local, "error", err) })
	_ = nc.Close()
}

func (b *Broker) checkPeer(nc net.Conn, local bool) error {
	if !local {
		return nil
	}
	uid, err := b.opt.PeerUID(nc)
	if err != nil {
		return err
	}
	if own := os.Getuid(); uid != own {
		return fmt.Errorf("peer has uid %d, want %d", uid, own)
	}
	return nil
}

// enter counts the connection in, or says which limit it would break.
func (b *Broker) enter(c *conn) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	limits := b.opt.Limits
	switch {
	case b.stopping:
		return errors.New("broker is stopping")
	case c.local && b.counts.unix >= limits.Unix:
		return fmt.Errorf("limit of %d connections on unix sockets reached", limits.Unix)
	case !c.local && b.counts.tcp >= limits.TCP:
		return fmt.Errorf("limit of %d TCP connections reached", limits.TCP)
	case !c.local && b.counts.unauthenticated >= limits.Unauthenticated:
		return fmt.Errorf("limit of %d unauthenticated TCP connections reached", limits.Unauthenticated)
	}
	if c.local {
		b.counts.unix++
	} else {
		b.counts.tcp++
		b.counts.unauthenticated++
	}
	b.serial++
	c.serial = b.serial
	c.sessions = b.sessions
	b.conns[c] = struct{}{}
	b.work.Add(1)
	return nil
}

// serve runs one connection from its CONNECT to its end.
func (b *Broker) serve(c *conn) {
	defer b.work.Done()
	defer b.leave(c)
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("connection closed: the MQTT library panicked on its input", "panic", p,
				"agent", c.caller.Agent, "remote", c.RemoteAddr().String(), "stack", string(debug.Stack()))
		}
	}()
	if err := c.SetReadDeadline(time.Now().Add(b.opt.ConnectDeadline)); err != nil {
		return
	}
	err := b.server.EstablishConnection("", c)
	b.log.Debug("connection ended", "agent", c.caller.Agent, "project", c.caller.Project, "local", c.local, "error", err)
}

// open registers a connection whose CONNECT was accepted: it replaces an older
// one with the same client id of the same owner.
func (b *Broker) open(c *conn) {
	b.mu.Lock()
	older := b.names[c.holder]
	b.names[c.holder] = c
	c.open = true
	b.counts.open++
	if !c.local {
		b.counts.unauthenticated--
	}
	b.mu.Unlock()

	if older != nil {
		_ = older.Close()
	}
	// A credential withdrawn since it was checked: Kick may have run before this
	// connection could be found by it, so ask again now that it can.
	if !c.stillValid() {
		_ = c.Close()
		return
	}
	if c.caller.Agent != "" {
		c.told = true
		c.sessions.Connected(c.caller.Agent, c.local)
	}
	b.log.Debug("connection accepted", "agent", c.caller.Agent, "project", c.caller.Project, "local", c.local, "client_id", c.holder.client)
}

// leave undoes enter and open, whichever way the connection ended.
func (b *Broker) leave(c *conn) {
	_ = c.Close()
	b.mu.Lock()
	delete(b.conns, c)
	if b.names[c.holder] == c {
		delete(b.names, c.holder)
	}
	switch {
	case c.local:
		b.counts.unix--
	case c.open:
		b.counts.tcp--
	default:
		b.counts.tcp--
		b.counts.unauthenticated--
	}
	if c.open {
		b.counts.open--
	}
	b.mu.Unlock()

	// Every session ends with its connection. The library would keep the client and
	// its subscriptions when CONNECT asked for that, when it panicked, or when it
	// could not write the CONNACK.
	if cl, ok := b.server.Clients.Get(c.id()); ok {
		b.server.UnsubscribeClient(cl)
		b.server.Clients.Delete(c.id())
	}
	if c.told {
		c.sessions.Disconnected(c.caller.Agent, c.local)
	}
}
