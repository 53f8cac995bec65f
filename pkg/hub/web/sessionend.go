package web

import (
	"sync"

	"github.com/coordhq/coord/pkg/coord"
)

// followers are the sessions that have a stream open, so that one that leaves
// takes its streams along: its key stays good for coming back.
type followers struct {
	mu   sync.Mutex // guards open
	open map[coord.KeyHash]map[chan struct{}]bool
}

// join notes a stream of a session; gone is closed when the session leaves. The
// stream calls leave at its end.
func (f *followers) join(session coord.KeyHash) (gone <-chan struct{}, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[coord.KeyHash]map[chan struct{}]bool{}
	}
	if f.open[session] == nil {
		f.open[session] = map[chan struct{}]bool{}
	}
	c := make(chan struct{})
	f.open[session][c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.open[session], c)
		if len(f.open[session]) == 0 {
			delete(f.open, session)
		}
	}
}

// end ends the streams of a session that has left.
func (f *followers) end(session coord.KeyHash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open[session] {
		close(c)
	}
	delete(f.open, session)
}
