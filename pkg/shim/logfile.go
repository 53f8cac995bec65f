package shim

import (
	"errors"
	"io"
	"os"
	"sync"
)

// maxLog is the size in bytes at which a log file is put aside, as <name>.1.
const maxLog = 1 << 20

// logFile writes log lines to stderr and, once it is opened, to a file that all
// shims of a home share. Trouble with the file is no trouble of the shim.
type logFile struct {
	stderr io.Writer
	name   string

	mu   sync.Mutex // guards what follows, and one write at a time
	file *os.File   // nil until open, and after close
	size int64      // of file, as far as this process knows
}

func newLogFile(stderr io.Writer, name string) *logFile { return &logFile{stderr: stderr, name: name} }

// open starts writing to the file; its directory must exist.
func (l *logFile) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		return nil
	}
	return l.reopen()
}

func (l *logFile) reopen() error {
	if info, err := os.Stat(l.name); err == nil && info.Size() >= maxLog {
		if err := os.Rename(l.name, l.name+".1"); err != nil && !errors.Is(err, os.ErrNotExist) { // another shim was quicker
			return err
		}
	}
	f, err := os.OpenFile(l.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // #nosec G304 -- below the home
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write takes one log line. It never fails.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.stderr.Write(p) // the client may have closed it
	if l.file == nil {
		return len(p), nil
	}
	n, err := l.file.Write(p)
	if l.size += int64(n); l.size >= maxLog || err != nil {
		_ = l.file.Close()
		if l.file = nil; err == nil {
			_ = l.reopen()
		}
	}
	return len(p), nil
}

func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}
