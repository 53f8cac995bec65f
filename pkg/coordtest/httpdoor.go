package coordtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/coordhq/coord/pkg/coord"
)

// httpDoor calls a hub's HTTP API as any program could that has the token: with
// net/http and the documented routes, and none of our own client.
type httpDoor struct {
	client *http.Client
	base   string // "http://host:port"
	token  string
}

func newHTTPDoor(address, token string, dial func(context.Context, string, string) (net.Conn, error)) httpDoor {
	return httpDoor{base: "http://" + address, token: token, client: &http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// register opens a session.
func (d httpDoor) register(r coord.Registration) (out coord.Registered, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return out, err
	}
	raw, err := d.do(http.MethodPost, "/api/sessions", d.token, body, "")
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(raw, &out)
}

// call runs an operation in a session.
func (d httpDoor) call(a *actor, op string, args json.RawMessage) (json.RawMessage, error) {
	a.calls++
	return d.do(http.MethodPost, "/api/tools/"+url.PathEscape(op), string(a.SessionKey), args, fmt.Sprintf("%s-%d", a.AgentID, a.calls))
}

// leave ends a session.
func (d httpDoor) leave(a *actor) error {
	_, err := d.do(http.MethodDelete, "/api/sessions", string(a.SessionKey), nil, "")
	return err
}

func (d httpDoor) do(method, path, bearer string, body []byte, idempotency string) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, d.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	if idempotency != "" {
		req.Header.Set("Idempotency-Key", idempotency)
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode < 300 {
		return raw, err
	}
	var refusal struct {
		Code    coord.Code `json:"code"`
		Message string     `json:"message"`
	}
	if err := json.Unmarshal(raw, &refusal); err != nil || refusal.Code == "" {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, raw)
	}
	return nil, &coord.Error{Code: refusal.Code, What: refusal.Message}
}
