package streamable

import (
	"context"
	"net/http"
	"sync"
)

// writer is a ResponseWriter that knows how much of what was written went out to
// a client that was there. It keeps a message until it is flushed: of a long one
// the client would else have the end, and may hang up, before we have looked.
type writer struct {
	http.ResponseWriter
	client context.Context // ends when the client hangs up
	status int             // used by the goroutine of the request only

	sending sync.Mutex // held while bytes go out, which may take long; taken before mu

	mu      sync.Mutex // guards what follows: the library writes from other goroutines than the request's
	kept    []byte
	written int // bytes
	out     int // of these
}

func (w *writer) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written += len(b)
	w.kept = append(w.kept, b...)
	return len(b), nil
}

// FlushError is what http.ResponseController calls to flush; the library does
// after each message. A client that has read the last one may hang up at once,
// so it counts that it was there before.
func (w *writer) FlushError() error {
	w.sending.Lock()
	defer w.sending.Unlock()
	there := w.client.Err() == nil
	written, err := w.send()
	if err != nil {
		return err
	}
	err = http.NewResponseController(w.ResponseWriter).Flush()
	w.mu.Lock()
	defer w.mu.Unlock()
	if there && err == nil {
		w.out = written
	}
	return err
}

// end sends what nobody has flushed, when the request is over.
func (w *writer) end() {
	w.sending.Lock()
	defer w.sending.Unlock()
	_, _ = w.send() // nobody is left who could be told
}

// send hands on what was kept, and gives how much was written until now; it runs
// under sending.
func (w *writer) send() (written int, err error) {
	w.mu.Lock()
	kept, written := w.kept, w.written
	w.kept = nil
	w.mu.Unlock()
	if len(kept) > 0 {
		_, err = w.ResponseWriter.Write(kept)
	}
	return written, err
}

// sent gives how many bytes were written, and how many of them went out.
func (w *writer) sent() (written, out int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written, w.out
}
