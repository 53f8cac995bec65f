package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/coordhq/coord/pkg/coord"
)

// maxMessage is the longest message of a stream that is read, in bytes: an
// overview of many agents is the greatest.
const maxMessage = 8 << 20

// From says where a stream of events begins. The zero value begins at the head.
type From struct {
	Epoch coord.Epoch // life of the log that Since belongs to; "" = Since is not used
	Since coord.Seq   // the newest event that the reader has
	Tail  int         // without Epoch: this many of the newest events first
	State bool        // send the overview too, now and whenever it has changed
}

// Message is one message of the stream at /api/events.
type Message struct {
	Name string // "" is an event of the log; else "hello", "state", "truncated" or "dropped"
	Data []byte // a JSON object
}

// Follow reads the hub's stream of events until ctx ends, the hub goes away, or
// each returns an error, which it gives back. It waits for news as long as there
// is none. It never returns nil: a hub that leaves is coord.Unavailable.
func (c *Client) Follow(ctx context.Context, from From, each func(Message) error) error {
	q := url.Values{}
	if from.State {
		q.Set("state", "1")
	}
	if from.Tail > 0 {
		q.Set("tail", strconv.Itoa(from.Tail))
	}
	if from.Epoch != "" {
		q.Set("epoch", string(from.Epoch))
		q.Set("since", strconv.FormatInt(int64(from.Since), 10))
	}
	req, err := request{method: http.MethodGet, path: "/api/events?" + q.Encode()}.http(ctx)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(ctx, err, false)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return c.unreachable(ctx, err, false)
		}
		return refusal(resp.StatusCode, body)
	}
	err = readStream(resp.Body, each)
	var own *coord.Error
	if errors.Is(err, errStream) || errors.As(err, &own) {
		return err
	}
	if err == nil {
		err = io.EOF
	}
	return c.unreachable(ctx, err, false)
}

// errStream marks what each has returned.
var errStream = errors.New("following was ended")

// readStream reads server-sent events. Ids, comments and retry times are left
// out: an event says its seq itself.
func readStream(r io.Reader, each func(Message) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxMessage)
	var m Message
	for lines.Scan() {
		field, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(lines.Bytes()) == 0:
			if m.Data != nil {
				if err := each(m); err != nil {
					return fmt.Errorf("%w: %w", errStream, err)
				}
			}
			m = Message{}
		case string(field) == "event":
			m.Name = string(value)
		case string(field) == "data":
			m.Data = bytes.Clone(value)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return coord.Errorf(coord.TooLarge, "ask for one project", "a message of the hub's stream is over %d bytes", maxMessage)
	}
	return lines.Err()
}
