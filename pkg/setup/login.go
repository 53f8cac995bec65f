package setup

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// origin checks the URL of a hub and gives its scheme, host and port. Plain
// http to another machine shows the token to everybody between: it wants
// COORDINATOR_INSECURE=1.
func origin(hub string, getenv func(string) string) (string, error) {
	u, err := url.Parse(hub)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		strings.Trim(u.Path, "/") != "" {
		return "", coord.Errorf(coord.Invalid, "give it like https://coord.example.com", "%q is not the address of a hub", hub)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) && getenv("COORDINATOR_INSECURE") != "1" {
		return "", coord.Errorf(coord.Forbidden, "use https, or set COORDINATOR_INSECURE=1 if the network is yours alone", "plain http would show the token to everybody between here and %s", u.Host)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Login is what a member needs to be let in by a team hub.
type Login struct {
	Home   config.Home         // required
	Getenv func(string) string // required
	Hub    string              // URL; required
	Name   string              // how the team calls this member; required
	Secret string              // the team's registration secret; required
}

// LoggedIn tells what Register has arranged. The token itself is in the file
// only.
type LoggedIn struct {
	Hub       string          `json:"hub"`
	AgentID   string          `json:"agent_id"` // the member, by the name the team's hub gives it
	Role      string          `json:"role"`
	ExpiresAt json.RawMessage `json:"expires_at"` // as the hub says it
	TokenFile string          `json:"token_file"`
	Config    string          `json:"config"` // holds the hub among those that may be sent a token
}

// tokenFile is the content of a token file. A token goes to no other origin
// than its own.
type tokenFile struct {
	Hub       string          `json:"hub"`
	Token     string          `json:"token"`
	ExpiresAt json.RawMessage `json:"expires_at"`
}

// registration is the body of POST /api/auth/register, registered its answer.
type registration struct {
	AgentName          string `json:"agent_name"`
	RegistrationSecret string `json:"registration_secret"`
}

type registered struct {
	AgentID   string          `json:"agent_id"`
	Token     string          `json:"token"`
	ExpiresAt json.RawMessage `json:"expires_at"`
	Role      string          `json:"role"`
}

// Bounds of the conversation with a hub that nobody trusts yet.
const (
	loginLimit = 15 * time.Second
	maxLogin   = 64 << 10
)

// Register registers with a team hub, writes the token into a file of mode
// 0600, and adds the hub to those that config.json trusts. Nothing is written
// when the hub refuses. Plain http to another machine wants
// COORDINATOR_INSECURE=1.
func Register(ctx context.Context, l Login) (LoggedIn, error) {
	hub, err := origin(l.Hub, l.Getenv)
	if err != nil {
		return LoggedIn{}, err
	}
	if l.Name == "" || l.Secret == "" {
		return LoggedIn{}, coord.Errorf(coord.Invalid, "set COORDINATOR_REGISTRATION_SECRET, or type it when asked", "a name and the team's registration secret are needed")
	}
	answer, err := l.ask(ctx, hub)
	if err != nil {
		return LoggedIn{}, err
	}
	if err := l.Home.Prepare(); err != nil {
		return LoggedIn{}, err
	}
	out := LoggedIn{Hub: hub, AgentID: coord.CleanText(answer.AgentID), Role: coord.CleanText(answer.Role), ExpiresAt: answer.ExpiresAt,
		TokenFile: l.tokenFile(hub), Config: l.Home.ConfigFile()}
	raw, err := json.Marshal(tokenFile{Hub: hub, Token: answer.Token, ExpiresAt: answer.ExpiresAt})
	if err != nil {
		return LoggedIn{}, err
	}
	f := file{name: out.TokenFile, real: out.TokenFile, mode: 0o600}
	if err := os.MkdirAll(filepath.Dir(out.TokenFile), 0o700); err != nil {
		return LoggedIn{}, cannot("make", filepath.Dir(out.TokenFile), err)
	}
	if err := f.write(append(raw, '\n')); err != nil {
		return LoggedIn{}, err
	}
	return out, l.trust(hub)
}

// tokenFile is where the token of a hub is kept.
func (l *Login) tokenFile(hub string) string {
	if name := l.Getenv("COORDINATOR_TOKEN_FILE"); filepath.IsAbs(name) {
		return name
	}
	_, host, _ := strings.Cut(hub, "://")
	host = strings.NewReplacer(":", "_", "[", "", "]", "").Replace(host)
	return filepath.Join(l.Home.Dir(), "tokens", host+".json")
}

// ask registers with the hub.
func (l *Login) ask(ctx context.Context, hub string) (out registered, err error) {
	const next = "check the address and the registration secret with whoever runs the hub"
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	if transport.TLSClientConfig, err = l.tls(); err != nil {
		return out, err
	}
	client := &http.Client{Transport: transport, Timeout: loginLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the secret goes nowhere else
	body, err := json.Marshal(registration{AgentName: l.Name, RegistrationSecret: l.Secret})
	if err != nil {
		return out, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hub+"/api/auth/register", bytes.NewReader(body))
	if err != nil {
		return out, coord.Errorf(coord.Invalid, next, "%v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return out, &coord.Error{Code: coord.Unavailable, What: "no answer from " + hub + " (" + err.Error() + ")", Next: next, Err: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxLogin))
	if err != nil {
		return out, &coord.Error{Code: coord.Unavailable, What: "the answer of " + hub + " broke off", Next: "try again", Err: err}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		var refusal struct {
			Code    coord.Code `json:"code"`
			Message string     `json:"message"`
		}
		_ = json.Unmarshal(raw, &refusal) // a body that is none leaves it empty
		if resp.StatusCode == http.StatusNotFound && refusal.Code == coord.NotFound {
			return out, coord.Errorf(coord.NotFound, "on that machine coord-shim needs no login; ask for the address of a team hub", "%s is a coord hub of one user, which registers nobody", hub)
		}
		return out, coord.Errorf(coord.Unauthorized, next, "%s answered %s %s", hub, resp.Status, coord.CleanText(refusal.Message))
	}
	if err := json.Unmarshal(raw, &out); err != nil || out.Token == "" || strings.ContainsAny(out.Token, " \t\r\n") {
		return out, coord.Errorf(coord.Unavailable, next, "what answers at %s is not a coord hub with team authentication", hub)
	}
	return out, nil
}

// tls trusts the certificates of COORDINATOR_CA_FILE beside the system's.
func (l *Login) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	name := l.Getenv("COORDINATOR_CA_FILE")
	if name == "" {
		return c, nil
	}
	pem, err := os.ReadFile(name) // #nosec G304 -- named by the user
	if err != nil {
		return nil, cannot("read", name, err)
	}
	if c.RootCAs, err = x509.SystemCertPool(); err != nil {
		c.RootCAs = x509.NewCertPool()
	}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, coord.Errorf(coord.Invalid, "name a PEM file", "COORDINATOR_CA_FILE %s holds no certificate", name)
	}
	return c, nil
}

// trust adds the hub to the ones of config.json, in place.
func (l *Login) trust(hub string) error {
	name := l.Home.ConfigFile()
	f, err := openFile("", name)
	if err != nil {
		return err
	}
	if f.text == nil {
		f.mode = 0o600
	}
	text, err := jsonFile{[]entry{word{[]string{config.TrustedHubs}, hub}}}.add(f.text)
	if err != nil {
		return invalid(name, err)
	}
	if bytes.Equal(text, f.text) {
		return nil
	}
	return f.write(text)
}
