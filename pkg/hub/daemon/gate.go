package daemon

import (
	"sync"
	"time"
)

// gate counts the requests at work and knows whether the hub still takes new
// ones. Both stand under one mutex: a hub never closes with a request inside
// that it has let in, and never lets one in after it has closed.
type gate struct {
	mu     sync.Mutex
	inside int       // guarded by mu
	last   time.Time // of the last sign of use; guarded by mu
	closed bool      // guarded by mu
}

func newGate() *gate { return &gate{last: time.Now()} }

// enter lets a request in; leave must follow. Once the gate is closed serving
// is false and leave nil.
func (g *gate) enter() (leave func(), serving bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, false
	}
	g.inside++
	return g.leave, true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.last = time.Now()
}

// close lets nobody in any more.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func (g *gate) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// closeIfIdle closes the gate when nothing has been at work for the time given:
// no request inside and no connection of the broker.
func (g *gate) closeIfIdle(limit time.Duration, connections func() int) (closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside > 0 || connections() > 0 {
		g.last = time.Now()
	}
	if time.Since(g.last) >= limit {
		g.closed = true
	}
	return g.closed
}
