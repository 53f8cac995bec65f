package streamable

import (
	"context"
	"net/http"
	"sync"
)

// writer is a ResponseWriter that knows how much of what was written went out to
// a client that was there.
type writer struct {
	http.ResponseWriter
	client context.Context // ends when the client hangs up
	status int             // used by the goroutine of the request only

	mu      sync.Mutex // the library writes from other goroutines than the request's
	written int        // bytes; guarded by mu
	out     int        // of these; guarded by mu
}

func (w *writer) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written += n
	return n, err
}

// FlushError is what http.ResponseController calls to flush; the library does
// after each message. A client that has read the last one may hang up at once,
// so it counts that it was there before.
func (w *writer) FlushError() error {
	there := w.client.Err() == nil
	err := http.NewResponseController(w.ResponseWriter).Flush()
	w.mu.Lock()
	defer w.mu.Unlock()
	if there && err == nil {
		w.out = w.written
	}
	return err
}

// sent gives how many bytes were written, and how many of them went out.
func (w *writer) sent() (written, out int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written, w.out
}
