package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// The log takes at most maxLogFiles files of maxLogSize: hub.log, hub.log.1, …
const (
	maxLogSize  = 10 << 20 // bytes
	maxLogFiles = 3
)

// rotator is an io.Writer into a file that is renamed when it is full. It opens
// the file with the first write, so a hub that finds another one at work leaves
// the log alone. Each Write goes into one file whole.
type rotator struct {
	path string
	max  int64 // bytes

	mu   sync.Mutex
	file *os.File // nil = not open; guarded by mu
	size int64    // of file; guarded by mu
}

// Write appends p. What cannot be written is lost: a full disk must not stop
// the hub.
func (r *rotator) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && r.size+int64(len(p)) > r.max {
		r.rotate()
	}
	if r.file == nil {
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	n, err := r.file.Write(p)
	r.size += int64(n)
	return n, err
}

// open runs under mu.
func (r *rotator) open() error {
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600) // #nosec G304 -- below the home
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.file, r.size = f, info.Size()
	return nil
}

// rotate makes room under the name, dropping the oldest file; it runs under mu.
// A rename that fails leaves a log that is longer than it should be.
func (r *rotator) rotate() {
	_ = r.file.Close()
	r.file = nil
	for i := maxLogFiles - 1; i > 0; i-- {
		_ = os.Rename(logFile(r.path, i-1), logFile(r.path, i))
	}
}

// Close ends the log; a later Write opens it anew.
func (r *rotator) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// logFile names the log's files, newest first.
func logFile(path string, i int) string {
	if i == 0 {
		return filepath.Clean(path)
	}
	return fmt.Sprintf("%s.%d", path, i)
}
