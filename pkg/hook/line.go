package hook

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/client/peer"
	"github.com/coordhq/coord/pkg/coord"
)

// Bounds of an answer of the hub, in bytes.
const (
	maxAnswer = 1 << 20
	maxHeader = 64
)

// line is a connection to the hub: HTTP/1.1 by hand, since a hook has not the
// time to load more.
type line struct {
	conn   net.Conn
	in     *bufio.Reader
	client string

	host      coord.HostID // of the last call, for the receipt
	project   coord.ProjectID
	workspace coord.WorkspaceID
}

// dial connects to the hub behind the socket, of this user and nobody else.
func dial(ctx context.Context, socket, client string) (*line, error) {
	conn, err := peer.Connect(ctx, socket)
	if err != nil {
		return nil, err
	}
	if limit, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(limit)
	}
	return &line{conn: conn, in: bufio.NewReader(conn), client: client}, nil
}

func (l *line) close() { _ = l.conn.Close() }

func (l *line) extend(d time.Duration) { _ = l.conn.SetDeadline(time.Now().Add(d)) }

// post makes one call and reads its answer.
func (l *line) post(event coord.HookEvent, call coord.HookCall) (coord.HookAnswer, error) {
	l.host, l.project, l.workspace = call.Host, call.Project, call.Workspace
	body, err := json.Marshal(call)
	if err != nil {
		return coord.HookAnswer{}, err
	}
	head := fmt.Sprintf("POST /api/hooks/%s/%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nCoord-Session: %s\r\nContent-Length: %d\r\n\r\n",
		l.client, event, url.QueryEscape(string(call.Session)), len(body))
	if _, err := l.conn.Write(append([]byte(head), body...)); err != nil {
		return coord.HookAnswer{}, lost(err)
	}
	status, raw, err := l.read()
	if err != nil {
		return coord.HookAnswer{}, lost(err)
	}
	var answer coord.HookAnswer
	if status != 200 {
		var said struct {
			Code    coord.Code `json:"code"`
			Message string     `json:"message"`
		}
		if json.Unmarshal(raw, &said) != nil || said.Message == "" {
			said.Code, said.Message = coord.Internal, "the hub answered with status "+strconv.Itoa(status)
		}
		return answer, coord.Errorf(said.Code, "", "%s", said.Message)
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return answer, &coord.Error{Code: coord.Internal, What: "the hub's answer cannot be read", Next: "run make install, then coord-hub restart", Err: err}
	}
	return answer, nil
}

func lost(err error) error {
	return &coord.Error{Code: coord.Unavailable, What: "the hub gave no answer in time", Next: "run coord-hub status", Err: err}
}

// read reads one answer: our hub always says how long it is.
func (l *line) read() (status int, body []byte, err error) {
	first, err := l.header()
	if err != nil {
		return 0, nil, err
	}
	words := strings.SplitN(first, " ", 3)
	if len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/1.") {
		return 0, nil, fmt.Errorf("not HTTP: %q", first)
	}
	if status, err = strconv.Atoi(words[1]); err != nil {
		return 0, nil, fmt.Errorf("status %q: %w", words[1], err)
	}
	length := -1
	for range maxHeader {
		text, err := l.header()
		if err != nil {
			return 0, nil, err
		}
		if text == "" {
			if length < 0 || length > maxAnswer {
				return 0, nil, fmt.Errorf("an answer of %d bytes", length)
			}
			body = make([]byte, length)
			_, err = io.ReadFull(l.in, body)
			return status, body, err
		}
		key, value, _ := strings.Cut(text, ":")
		if strings.EqualFold(key, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, nil, fmt.Errorf("content length %q: %w", value, err)
			}
		}
	}
	return 0, nil, fmt.Errorf("more than %d header lines", maxHeader)
}

func (l *line) header() (string, error) {
	text, err := l.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
