package setup_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/setup"
)

// teamHub answers as the hub of a team does.
func teamHub(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Name   string `json:"agent_name"`
			Secret string `json:"registration_secret"`
		}
		if r.Method != http.MethodPost || r.URL.Path != "/api/auth/register" || json.NewDecoder(r.Body).Decode(&in) != nil {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.Header().Set("Content-Type", "application/json")
		if in.Secret != "open sesame" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"code":"unauthorized","message":"the secret is wrong","request_id":"r"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"agent_id": "m-" + in.Name, "token": "a.b.c", "expires_at": "2026-11-23T10:00:00Z", "role": "agent"})
	}))
	t.Cleanup(s.Close)
	return s
}

func (u *user) login(hub, secret string) (setup.LoggedIn, error) {
	return setup.Register(u.t.Context(), setup.Login{Home: u.o.Home, Getenv: u.getenv, Hub: hub, Name: "mia", Secret: secret})
}

func TestLoginKeepsTheTokenAndTrustsTheHub(t *testing.T) {
	u, hub := newUser(t), teamHub(t)
	if err := u.o.Home.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(u.o.Home.ConfigFile(), []byte("{\n  \"server\": {\"port\": 4000}\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice: a token is renewed, the hub stands in the list once
		got, err := u.login(hub.URL+"/", "open sesame")
		if err != nil || got.AgentID != "m-mia" || got.Hub != hub.URL {
			t.Fatalf("%+v %v", got, err)
		}
		raw, err := os.ReadFile(got.TokenFile)
		if err != nil || strings.TrimSpace(string(raw)) != `{"hub":"`+hub.URL+`","token":"a.b.c","expires_at":"2026-11-23T10:00:00Z"}` {
			t.Errorf("%s %v", raw, err)
		}
		if info, _ := os.Stat(got.TokenFile); info.Mode().Perm() != 0o600 {
			t.Errorf("token file has mode %v", info.Mode())
		}
	}
	raw, err := os.ReadFile(u.o.Home.ConfigFile())
	if err != nil || string(raw) != "{\n  \"server\": {\"port\": 4000},\n  \"trusted_hubs\": [\n    \""+hub.URL+"\"\n  ]\n}\n" {
		t.Errorf("%s %v", raw, err)
	}
	s, err := config.Load(config.Source{Program: config.Auto, Getenv: u.getenv})
	if err != nil || s.Port != 4000 || len(s.Warnings) > 0 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestARefusedLoginLeavesNothing(t *testing.T) {
	u, hub := newUser(t), teamHub(t)
	away := httptest.NewServer(http.RedirectHandler(hub.URL+"/api/auth/register", http.StatusTemporaryRedirect))
	defer away.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	alone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // a hub of one user
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"code":"not_found","message":"there is no such route","request_id":"r"}`))
	}))
	defer alone.Close()
	for _, c := range []struct {
		hub, secret string
		code        coord.Code
		words       string
	}{
		{hub.URL, "wrong", coord.Unauthorized, "the secret is wrong"},
		{hub.URL, "", coord.Invalid, "registration secret"},
		{away.URL, "open sesame", coord.Unauthorized, "307"},
		{alone.URL, "open sesame", coord.NotFound, "of one user, which registers nobody"},
		{other.URL, "open sesame", coord.Unauthorized, "404"},
		{"http://hub.example.com", "open sesame", coord.Forbidden, "plain http"},
		{"http://127.0.0.1.example.com", "open sesame", coord.Forbidden, "plain http"},
		{"hub.example.com", "open sesame", coord.Invalid, "not the address"},
		{"https://mia:pw@hub.example.com", "open sesame", coord.Invalid, "not the address"},
		{"http://127.0.0.1:1", "open sesame", coord.Unavailable, "no answer"},
	} {
		_, err := u.login(c.hub, c.secret)
		if coord.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", c.hub, err)
		}
	}
	if _, err := os.Stat(filepath.Join(u.o.Home.Dir(), "tokens")); err == nil {
		t.Error("a token file was written")
	}
	if _, err := os.Stat(u.o.Home.ConfigFile()); err == nil {
		t.Error("config.json was written")
	}
}

func TestInsecureIsTheUsersOwnDecision(t *testing.T) {
	u := newUser(t)
	u.env["COORDINATOR_INSECURE"] = "1"
	u.o.Hub = "http://hub.example.com"
	u.init()
	if !strings.Contains(u.read(".mcp.json"), "http://hub.example.com") {
		t.Error(u.read(".mcp.json"))
	}
}
