package shim

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine is the longest message that is read, in bytes without its newline.
const maxLine = 4 << 20

// tailKept is how much is kept of the end of a line that is too long: the
// JSON-RPC id of many clients stands there.
const tailKept = 256

// line is one line of input.
type line struct {
	text []byte // without the newline; of a line that is too long the first maxLine bytes
	tail []byte // the last bytes of a line that is too long; else nil
	size int    // of the whole line
}

func (l line) tooLong() bool { return l.tail != nil }

// lineReader splits a stream into lines in bounded memory.
type lineReader struct{ r *bufio.Reader }

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReaderSize(r, 64<<10)} }

// next gives the next line; what stands before the end of the stream is a line
// even without a newline. The error is io.EOF at the end.
func (l *lineReader) next() (line, error) {
	var out line
	for {
		part, err := l.r.ReadSlice('\n')
		out.add(bytes.TrimSuffix(part, []byte("\n")))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && out.size == 0:
			return line{}, err
		}
		return out, nil
	}
}

func (l *line) add(part []byte) {
	l.size += len(part)
	room := maxLine - len(l.text)
	if len(part) <= room && l.tail == nil {
		l.text = append(l.text, part...)
		return
	}
	l.text = append(l.text, part[:min(room, len(part))]...)
	l.tail = append(l.tail, part[max(0, len(part)-tailKept):]...)
	l.tail = l.tail[max(0, len(l.tail)-tailKept):]
}
