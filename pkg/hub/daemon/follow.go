package daemon

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// followPause is how often the end of a log is looked at.
const followPause = 100 * time.Millisecond

// FollowLog gives each line that is appended to the hub's log from now on, over
// rotations and restarts, until ctx ends; what stands there by then is still
// given. The file need not exist yet.
func FollowLog(ctx context.Context, file string, line func(string)) error {
	t := &tail{path: file}
	defer t.close()
	t.open(io.SeekEnd)
	tick := time.NewTicker(followPause)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := t.read(line); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return t.read(line)
}

// tail reads a file that grows and is replaced.
type tail struct {
	path   string
	file   *os.File // nil = there is none yet
	reader *bufio.Reader
	part   strings.Builder // of a line that is not complete yet
	last   bool            // another file has the name: what is left of this one is read once more
}

func (t *tail) open(whence int) {
	f, err := os.Open(t.path)
	if err != nil {
		return // looked for again with the next read
	}
	if _, err := f.Seek(0, whence); err != nil {
		_ = f.Close()
		return
	}
	t.close()
	t.file, t.reader, t.last = f, bufio.NewReader(f), false
}

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}

// read gives the complete lines there are. After the end of a file that is no
// longer under the name it goes on with the one that is; the end counts only
// when it was read after the renaming, since lines may come in between.
func (t *tail) read(line func(string)) error {
	for {
		if t.file == nil {
			t.open(io.SeekStart)
		}
		if t.file == nil {
			return nil
		}
		text, err := t.reader.ReadString('\n')
		t.part.WriteString(text)
		switch {
		case err == nil:
			line(strings.TrimRight(t.part.String(), "\r\n"))
			t.part.Reset()
		case !errors.Is(err, io.EOF):
			return err
		case !t.last:
			if t.last = t.replaced(); !t.last {
				return nil
			}
		default:
			t.part.Reset()
			t.open(io.SeekStart)
		}
	}
}

func (t *tail) replaced() bool {
	mine, err := t.file.Stat()
	if err != nil {
		return true
	}
	now, err := os.Stat(t.path)
	return err == nil && !os.SameFile(mine, now)
}
