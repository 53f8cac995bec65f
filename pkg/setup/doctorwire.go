package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/coordhq/coord/pkg/coord"
)

// runHook runs coord-hook for an event of the made-up session and gives what it
// printed.
func (p *patient) runHook(ctx context.Context, program, arg, event string, more map[string]any) ([]byte, error) {
	in := map[string]any{"session_id": p.session, "hook_event_name": event, "cwd": p.dir, "permission_mode": "default", "transcript_path": ""}
	for k, v := range more {
		in[k] = v
	}
	cmd := exec.CommandContext(ctx, program, arg) // #nosec G204 -- our own program
	cmd.Dir = p.dir
	cmd.Stdin = bytes.NewReader(mustJSON(in))
	cmd.WaitDelay = time.Second
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "COORDINATOR_") && !strings.HasPrefix(kv, "CLAUDE") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "COORDINATOR_HOME="+p.d.Home.Dir(), "COORDINATOR_PROJECT="+string(p.project),
		"CLAUDE_CODE_SESSION_ID="+string(p.session), "CLAUDE_PROJECT_DIR="+p.dir)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", program, arg, err)
	}
	return out, nil
}

// closedDoor is the error for a TCP door that is not open.
func closedDoor(what string) error {
	return coord.Errorf(coord.Unavailable, "see coord-hub logs, its port may be taken", "the %s door of the hub is closed", what)
}

func (p *patient) mcp(ctx context.Context) (string, error) {
	if p.hub.HTTP == "" {
		return "", closedDoor("HTTP")
	}
	return initializeMCP(ctx, http.DefaultClient, mcpAddress("http://"+p.hub.HTTP, p.project), p.token)
}

// initializeMCP opens an MCP session over HTTP and ends it.
func initializeMCP(ctx context.Context, c *http.Client, address, token string) (string, error) {
	const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"coord-doctor","version":"1"}}}`
	send := func(method, body, session string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
		}
		return c.Do(req)
	}
	resp, err := send(http.MethodPost, hello, "")
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxLogin))
	_ = resp.Body.Close()
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"serverInfo"`)) {
		return "", fmt.Errorf("%s answers initialize with %s: %.200s", address, resp.Status, body)
	}
	if id := resp.Header.Get("Mcp-Session-Id"); id != "" {
		if resp, err := send(http.MethodDelete, "", id); err == nil {
			_ = resp.Body.Close()
		}
	}
	return "initialize answered at " + address, nil
}

func (p *patient) mqttTCP(ctx context.Context) (string, error) {
	if p.hub.MQTT == "" {
		return "", closedDoor("MQTT")
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.hub.MQTT)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return p.hub.MQTT, p.mqttConnect(ctx, c)
}

func (p *patient) mqttWS(ctx context.Context) (string, error) {
	if p.hub.HTTP == "" {
		return "", closedDoor("HTTP")
	}
	address := "ws://" + p.hub.HTTP + "/mqtt"
	ws, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = ws.CloseNow() }()
	return address, p.mqttConnect(ctx, websocket.NetConn(ctx, ws, websocket.MessageBinary))
}

// mqttConnect logs in with MQTT 3.1.1 and out again. Four packets are not worth
// a client library.
func (p *patient) mqttConnect(ctx context.Context, c net.Conn) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	field := func(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) } // #nosec G115 -- short strings
	body := append(field("MQTT"), 4, 0b1100_0010, 0, 30)                                            // level, user name + password + clean session, keep-alive
	for _, s := range []string{"coord-doctor", string(p.project), p.token} {
		body = append(body, field(s)...)
	}
	packet := []byte{0x10}
	for n := len(body); ; n >>= 7 { // seven bits a byte, the lowest first
		if n < 128 {
			packet = append(packet, byte(n)) // #nosec G115 -- below 128
			break
		}
		packet = append(packet, byte(n&127|128)) // #nosec G115 -- seven bits
	}
	if _, err := c.Write(append(packet, body...)); err != nil {
		return err
	}
	var answer [4]byte
	if _, err := io.ReadFull(c, answer[:]); err != nil {
		return fmt.Errorf("no answer to CONNECT: %w", err)
	}
	if answer[0] != 0x20 || answer[3] != 0 {
		return coord.Errorf(coord.Unauthorized, "see that the token file is the hub's: coord-hub restart", "CONNECT is refused with code %d", answer[3])
	}
	_, _ = c.Write([]byte{0xe0, 0}) // DISCONNECT; the hub sees the end anyhow
	return nil
}

func (p *patient) dashboard(ctx context.Context) (string, error) {
	if p.hub.HTTP == "" {
		return "", closedDoor("HTTP")
	}
	address := "http://" + p.hub.HTTP + "/dashboard"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return "this hub serves none", nil
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s answers %s", address, resp.Status)
	}
	return address, nil
}

// remote is a team hub under test: what can be seen of it from here.
type remote struct {
	d     Doctor
	hub   string
	token string
}

func (r *remote) probes() []probe {
	return []probe{
		{"reach", nil, "check the address, the network and COORDINATOR_CA_FILE", r.reach},
		{"login", nil, "run coord-hub login " + r.hub, r.login},
		{"http /mcp", []string{"reach", "login"}, "run coord-hub login " + r.hub + " again, the token may have expired", r.mcp},
	}
}

func (r *remote) client() (*http.Client, error) {
	l := Login{Getenv: r.d.Getenv}
	config, err := l.tls()
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, DisableKeepAlives: true}, Timeout: loginLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, err
}

func (r *remote) reach(ctx context.Context) (string, error) {
	c, err := r.client()
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.hub+"/health", nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s/health answers %s", r.hub, resp.Status)
	}
	return r.hub + " is up", nil
}

func (r *remote) login(context.Context) (string, error) {
	l := Login{Home: r.d.Home, Getenv: r.d.Getenv}
	name := l.tokenFile(r.hub)
	raw, err := os.ReadFile(name) // #nosec G304 -- the user's own token file
	if err != nil {
		return "", fmt.Errorf("there is no token for %s: %w", r.hub, err)
	}
	var t tokenFile
	if err := json.Unmarshal(raw, &t); err != nil || t.Token == "" {
		return "", fmt.Errorf("%s holds no token", name)
	}
	if t.Hub != r.hub {
		return "", fmt.Errorf("%s is for %s, and a token goes nowhere else", name, t.Hub)
	}
	r.token = t.Token
	return "token in " + name, nil
}

func (r *remote) mcp(ctx context.Context) (string, error) {
	c, err := r.client()
	if err != nil {
		return "", err
	}
	return initializeMCP(ctx, c, mcpAddress(r.hub, "doctor"), r.token)
}
