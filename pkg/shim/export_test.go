package shim

import "io"

// WaitLimit is waitLimit, whose bounds are too long to wait for.
var WaitLimit = waitLimit

// NewLogFile makes and opens a log file.
func NewLogFile(stderr io.Writer, name string) (io.WriteCloser, error) {
	l := newLogFile(stderr, name)
	return closer{l}, l.open()
}

type closer struct{ *logFile }

func (c closer) Close() error { return c.close() }
