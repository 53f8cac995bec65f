package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/coordhq/coord/pkg/coord"
)

// maxAnswer is the largest answer that is read, in bytes. Tool answers are
// capped at 8 KB by the hub; this bounds what a broken one can do.
const maxAnswer = 4 << 20

// ToolUseHeader names the client's tool use that a call comes from
// (coord.WithToolUse), so that the hub knows which subagent makes it.
const ToolUseHeader = "Coord-Tool-Use"

// request is one call before it is made.
type request struct {
	method, path string
	body         []byte
	key          coord.SessionKey
	idempotency  string
}

func (r request) http(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, "http://localhost"+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, &coord.Error{Code: coord.Internal, What: "cannot make the request " + r.path, Err: err}
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Authorization", "Bearer "+string(r.key))
	}
	if id := coord.ToolUseFrom(ctx); id != "" {
		req.Header.Set(ToolUseHeader, url.QueryEscape(id))
	}
	if r.idempotency != "" {
		req.Header.Set("Idempotency-Key", r.idempotency)
	}
	return req, nil
}

// do makes the call and gives the body of a 2xx answer.
func (c *Client) do(ctx context.Context, r request) (json.RawMessage, error) {
	var sent atomic.Bool // headers were written: the hub may act on them
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	req, err := r.http(httptrace.WithClientTrace(ctx, trace))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err, sent.Load())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unreachable(ctx, err, true)
	}
	if len(body) > maxAnswer {
		return nil, &coord.Error{Code: coord.TooLarge, What: fmt.Sprintf("the hub's answer to %s is over %d bytes", r.path, maxAnswer), Next: "ask for less", Err: errSent}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, refusal(resp.StatusCode, body)
	}
	return body, nil
}

// errSent marks, in the cause of an error, that the request may have reached
// the hub and had its effect.
var errSent = errors.New("the request may have reached the hub")

// Sent reports whether the request behind err may have had its effect although
// there was no answer. It is false when the hub was never reached and when it
// refused; repeating such a call is safe without an idempotency key.
func Sent(err error) bool { return errors.Is(err, errSent) }

// unreachable words the lack of an answer.
func (c *Client) unreachable(ctx context.Context, err error, sent bool) error {
	e := &coord.Error{Code: coord.Unavailable, What: "the hub at " + c.socket + " went away before it answered", Next: "try again", Err: err}
	var own *coord.Error
	switch {
	case errors.As(err, &own): // from Connect
		e.Code, e.What, e.Next = own.Code, own.What, own.Next
	case ctx.Err() != nil:
		e.What = "the hub at " + c.socket + " did not answer in time"
		e.Next = "try again; if it stays so, run coord-hub restart"
	}
	if sent { // maybe on an earlier connection, when net/http has tried a second
		e.Err = errors.Join(errSent, err)
	}
	return e
}

// statusCodes is the code of an answer whose body does not say.
var statusCodes = map[int]coord.Code{
	http.StatusBadRequest:            coord.Invalid,
	http.StatusUnauthorized:          coord.Unauthorized,
	http.StatusForbidden:             coord.Forbidden,
	http.StatusNotFound:              coord.NotFound,
	http.StatusMethodNotAllowed:      coord.Invalid,
	http.StatusConflict:              coord.Conflict,
	http.StatusRequestEntityTooLarge: coord.TooLarge,
	http.StatusUnsupportedMediaType:  coord.Invalid,
	http.StatusTooManyRequests:       coord.RateLimited,
	http.StatusServiceUnavailable:    coord.Unavailable,
	http.StatusInsufficientStorage:   coord.Storage,
}

// refusal makes the error of an answer that is not 2xx. The status decides
// 401 and 503, on which callers act; else the body's word counts.
func refusal(status int, body []byte) error {
	var b ErrorBody
	_ = json.Unmarshal(body, &b) // a body that is none leaves b empty
	code, known := statusCodes[status]
	switch {
	case code == coord.Unauthorized || code == coord.Unavailable:
	case b.Code != "":
		code = b.Code
	case !known:
		code = coord.Internal
	}
	e := &coord.Error{Code: code, What: b.Message}
	if e.What == "" {
		e.What = fmt.Sprintf("the hub answered %d %s", status, http.StatusText(status))
	}
	if b.RequestID != "" {
		e.Err = fmt.Errorf("hub request %s", b.RequestID)
	}
	return e
}
