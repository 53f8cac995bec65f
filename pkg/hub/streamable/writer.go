package streamable

import (
	"net/http"
	"sync"
)

// writer is a ResponseWriter that knows whether what was written went out.
type writer struct {
	http.ResponseWriter
	status int // used by the goroutine of the request only

	mu     sync.Mutex // the library writes from other goroutines than the request's
	bytes  int        // guarded by mu
	failed bool       // guarded by mu
}

func (w *writer) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.note(n, err)
	return n, err
}

// FlushError is what http.ResponseController calls to flush.
func (w *writer) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	w.note(0, err)
	return err
}

func (w *writer) note(n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes += n
	w.failed = w.failed || err != nil
}

func (w *writer) written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

func (w *writer) sound() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.failed
}
