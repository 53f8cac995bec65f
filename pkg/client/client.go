package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Client calls one hub. It may be used by many goroutines at once.
type Client struct {
	socket    string
	transport *http.Transport
	http      *http.Client
}

// Dial names the hub's unix socket; it connects when the first call is made.
func Dial(socket string) *Client {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return Connect(ctx, socket)
		},
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     5 * time.Minute,
		DisableCompression:  true,
	}
	return &Client{socket: socket, transport: t, http: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close drops the idle connections. Calls on their way are not cut; a call
// after Close connects anew.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Hello asks the hub who it is.
func (c *Client) Hello(ctx context.Context) (Hello, error) {
	var h Hello
	if err := c.decode(ctx, request{method: http.MethodGet, path: "/api/hello"}, &h); err != nil {
		return Hello{}, err
	}
	if h.Instance == "" {
		return Hello{}, coord.Errorf(coord.Internal, "another program may be listening there; stop it", "what answers at %s is not a coord hub", c.socket)
	}
	return h, nil
}

// Register opens a session.
func (c *Client) Register(ctx context.Context, r coord.Registration) (coord.Registered, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return coord.Registered{}, &coord.Error{Code: coord.Internal, What: "cannot write the registration", Err: err}
	}
	var out coord.Registered
	err = c.decode(ctx, request{method: http.MethodPost, path: "/api/sessions", body: body}, &out)
	return out, err
}

// Leave ends the session of key.
func (c *Client) Leave(ctx context.Context, key coord.SessionKey) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: "/api/sessions", key: key})
	return err
}

// Call runs one operation and gives its answer as the hub wrote it. With an
// idempotency key the call may be repeated: it has one effect, and every
// repetition within 10 minutes gets the first answer.
func (c *Client) Call(ctx context.Context, key coord.SessionKey, op string, args json.RawMessage, idempotencyKey string) (json.RawMessage, error) {
	if len(bytes.TrimSpace(args)) == 0 {
		args = json.RawMessage("{}")
	}
	return c.do(ctx, request{method: http.MethodPost, path: "/api/tools/" + url.PathEscape(op), body: args, key: key, idempotency: idempotencyKey})
}

// Quota asks how much of the user's plan is used; with now it is measured anew.
// The answer is quota.Report as JSON.
func (c *Client) Quota(ctx context.Context, now bool) (json.RawMessage, error) {
	if now {
		return c.do(ctx, request{method: http.MethodPost, path: "/api/quota/refresh", body: []byte("{}")})
	}
	return c.do(ctx, request{method: http.MethodGet, path: "/api/quota"})
}

// Tokens asks what the agents' models have used and, where prices are known, what
// that cost. The answer is web.Tokens as JSON.
func (c *Client) Tokens(ctx context.Context) (json.RawMessage, error) {
	return c.do(ctx, request{method: http.MethodGet, path: "/api/tokens"})
}

// ReleasePath lets others write a path, or ends one lease, as the person behind the agents.
func (c *Client) ReleasePath(ctx context.Context, in coord.PathRelease) (coord.Freed, error) {
	return post[coord.Freed](ctx, c, "/api/release", in)
}

// PostAsHuman says something in a thread, as the person behind the agents. The
// answer is the message, a JSON object.
func (c *Client) PostAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanPost) (json.RawMessage, error) {
	return post[json.RawMessage](ctx, c, "/api/threads/"+url.PathEscape(string(id))+"/messages", in)
}

// CloseAsHuman ends a thread, as the person behind the agents. The answer is
// the thread, a JSON object.
func (c *Client) CloseAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanClose) (json.RawMessage, error) {
	return post[json.RawMessage](ctx, c, "/api/threads/"+url.PathEscape(string(id))+"/close", in)
}

func post[Out any](ctx context.Context, c *Client, path string, in any) (out Out, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, &coord.Error{Code: coord.Internal, What: "cannot write the request " + path, Err: err}
	}
	err = c.decode(ctx, request{method: http.MethodPost, path: path, body: body}, &out)
	return out, err
}

// Stop asks the hub to finish what it has begun and to leave.
func (c *Client) Stop(ctx context.Context, reason string) error {
	body, err := json.Marshal(StopRequest{Reason: reason})
	if err != nil {
		return &coord.Error{Code: coord.Internal, What: "cannot write the request to stop", Err: err}
	}
	_, err = c.do(ctx, request{method: http.MethodPost, path: "/api/stop", body: body})
	return err
}

// Status gives the hub's account of itself, a JSON object.
func (c *Client) Status(ctx context.Context) (json.RawMessage, error) {
	return c.do(ctx, request{method: http.MethodGet, path: "/api/status"})
}

// Link lets one browser in to the dashboard, once.
type Link struct {
	URL     string `json:"url"`
	Seconds int    `json:"valid_seconds"` // how long it works
}

// Dashboard asks for a link to the dashboard.
func (c *Client) Dashboard(ctx context.Context) (Link, error) {
	var l Link
	err := c.decode(ctx, request{method: http.MethodPost, path: "/api/dashboard/link", body: []byte("{}")}, &l)
	return l, err
}

func (c *Client) decode(ctx context.Context, r request, into any) error {
	raw, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return &coord.Error{Code: coord.Internal, What: "the hub's answer to " + r.path + " cannot be read", Next: "update coord on this machine", Err: err}
	}
	return nil
}
