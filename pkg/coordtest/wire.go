package coordtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
)

// wireToken opens the HTTP door of a wire stage.
const wireToken = "token-of-the-stage"

// wire is a hub in the process whose agents speak HTTP with it, through the
// real routes and guards, on connections in memory: so time can be moved.
type wire struct {
	*InProcess
	door   httpDoor
	server *web.Server
	served chan error
}

func openWire(t testing.TB) (Stage, error) {
	w := &wire{InProcess: NewInProcess(t)}
	if err := w.serve(); err != nil {
		return nil, err
	}
	t.Cleanup(w.hangUp)
	return w, nil
}

// serve puts the doors before the present hub.
func (w *wire) serve() (err error) {
	w.server, err = web.New(web.Options{
		Rules: w.hub, Hello: func() client.Hello { return client.Hello{Instance: "wire"} }, Token: wireToken, Member: "tester",
		Limits: web.Limits{Rate: 10_000, Burst: 10_000}, // time stands still between calls
	})
	if err != nil {
		return err
	}
	l := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	w.door = newHTTPDoor(l.Addr().String(), wireToken, l.dial)
	w.served = make(chan error, 1)
	go func() { w.served <- w.server.Serve(l, false) }()
	return nil
}

func (w *wire) hangUp() {
	if err := w.server.Stop(context.Background()); err != nil {
		w.t.Errorf("stop the server: %v", err)
	}
	if err := <-w.served; err != nil {
		w.t.Errorf("serve: %v", err)
	}
}

func (w *wire) Join(name string, as Role) error {
	r, err := w.door.register(as.registration())
	if err != nil {
		return err
	}
	w.enter(name, as, r)
	return nil
}

func (w *wire) Call(name, op string, args json.RawMessage) (json.RawMessage, error) {
	return w.door.call(w.actors[name], op, args)
}

func (w *wire) Leave(name string) error { return w.door.leave(w.actors[name]) }

func (w *wire) Next(name string) (coord.Event, bool, error) { return w.actors.next(name, w.Call) }

func (w *wire) Restart() error {
	w.hangUp()
	if err := w.InProcess.Restart(); err != nil {
		return err
	}
	return w.serve()
}

// memory is a listener whose connections are pipes in memory.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case m.conns <- far:
		return near, nil
	case <-m.closed:
		return nil, fmt.Errorf("dial: %w", net.ErrClosed)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

// Addr is a loopback address, since doors answer to no other name.
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3100} }
