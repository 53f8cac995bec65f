package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// setup is a home with a config.json, and more of the environment.
func setup(t *testing.T, file string, more ...string) func(string) string {
	t.Helper()
	dir := realTemp(t)
	if file != "" {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return env(append([]string{"COORDINATOR_HOME", dir}, more...)...)
}

func load(t *testing.T, p config.Program, getenv func(string) string, flags map[string]string) *config.Settings {
	t.Helper()
	s, err := config.Load(config.Source{Program: p, Getenv: getenv, Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var values = cmpopts.IgnoreFields(config.Settings{}, "Home")

var unexported = cmpopts.IgnoreUnexported(config.Settings{})

const day = 24 * time.Hour

var defaults = config.Settings{Port: 3100, Bind: "127.0.0.1", MQTTPort: 1883, IdleTimeout: 10 * time.Minute, Durability: "full", MaxQuota: 95, Enforce: "deny", HookTimeout: 300 * time.Millisecond,
	KeepEvents: 7 * day, KeepThreads: 30 * day, KeepAgents: 30 * day, KeepStats: 90 * day}

func TestDefaultsNeedNothing(t *testing.T) {
	for _, p := range []config.Program{config.Shim, config.Hook, config.Serve, config.Auto} {
		if diff := cmp.Diff(&defaults, load(t, p, setup(t, ""), nil), values, unexported); diff != "" {
			t.Errorf("program %d (-want +got):\n%s", p, diff)
		}
	}
}

const everything = `{"server": {"port": 1, "bind": "::1", "mqtt_port": "2", "idle_timeout": "90s", "durability": "normal",
	"log_level": "error", "log_format": "json", "data_dir": "/from/file", "quota": "on", "max_quota_pct": 50,
	"keep_events_days": 1, "keep_threads_days": "2", "keep_agents_days": 3, "keep_stats_days": 4}, "prices": {"claude": {"input": 3, "output": 15}}, "defaults": {"tools": "core"}}`

func TestFileIsReadByWhomItConcerns(t *testing.T) {
	auto := load(t, config.Auto, setup(t, everything), nil)
	want := config.Settings{Port: 1, Bind: "127.0.0.1", MQTTPort: 2, IdleTimeout: 90 * time.Second, Durability: "normal", LogLevel: slog.LevelError, LogFormat: "json", Quota: true, MaxQuota: 95, Prices: config.Prices{"claude": {Input: 3, Output: 15}},
		Enforce: "deny", HookTimeout: 300 * time.Millisecond, KeepEvents: day, KeepThreads: 2 * day, KeepAgents: 3 * day, KeepStats: 4 * day}
	if diff := cmp.Diff(&want, auto, values, unexported); diff != "" {
		t.Errorf("auto-started hub (-want +got):\n%s", diff)
	}
	serve := load(t, config.Serve, setup(t, everything), nil)
	want.Bind, want.IdleTimeout, want.MaxQuota = "::1", 10*time.Minute, 50
	if diff := cmp.Diff(&want, serve, values, unexported); diff != "" {
		t.Errorf("hub by hand (-want +got):\n%s", diff)
	}
	for _, s := range []*config.Settings{auto, serve} {
		if s.Home.DataDir() != "/from/file" {
			t.Errorf("data in %s, want /from/file", s.Home.DataDir())
		}
	}
	shim := defaults
	shim.CoreTools = true
	if diff := cmp.Diff(&shim, load(t, config.Shim, setup(t, everything), nil), values, unexported); diff != "" {
		t.Errorf("shim (-want +got):\n%s", diff)
	}
}

func TestStrongerOriginWins(t *testing.T) {
	getenv := setup(t, `{"server": {"port": 1, "mqtt_port": 1, "durability": "normal"}}`, "PORT", "2", "COORDINATOR_MQTT_TCP_PORT", "2")
	s := load(t, config.Serve, getenv, map[string]string{"port": "3"})
	type got struct {
		Value  any
		Origin config.Origin
	}
	want := map[config.Key]got{config.Port: {3, config.FromFlag}, config.MQTTPort: {2, config.FromEnv},
		config.Durability: {"normal", config.FromFile}, config.Bind: {"127.0.0.1", config.FromDefault}}
	have := map[config.Key]got{config.Port: {s.Port, s.Origin(config.Port)}, config.MQTTPort: {s.MQTTPort, s.Origin(config.MQTTPort)},
		config.Durability: {s.Durability, s.Origin(config.Durability)}, config.Bind: {s.Bind, s.Origin(config.Bind)}}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestAProjectsEnvironmentIsNotTheHubs(t *testing.T) {
	getenv := setup(t, "", "PORT", "3000", "LOG_LEVEL", "shout", "LOG_FORMAT", "x", "COORDINATOR_BIND", "0.0.0.0")
	if diff := cmp.Diff(&defaults, load(t, config.Auto, getenv, nil), values, unexported); diff != "" {
		t.Errorf("auto-started hub (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&defaults, load(t, config.Shim, getenv, nil), values, unexported); diff != "" {
		t.Errorf("shim (-want +got):\n%s", diff)
	}
	if s := load(t, config.Serve, setup(t, "", "PORT", "3000", "LOG_LEVEL", "DEBUG"), nil); s.Port != 3000 || s.LogLevel != slog.LevelDebug {
		t.Errorf("hub by hand has port %d and level %s, want 3000 and DEBUG", s.Port, s.LogLevel)
	}
}

func TestShimReadsItsSession(t *testing.T) {
	s := load(t, config.Shim, setup(t, "", "COORDINATOR_AGENT_NAME", "Zoë of billing", "COORDINATOR_PROJECT", "acme/shop", "COORDINATOR_TOOLS", "core"), nil)
	want := defaults
	want.AgentName, want.Project, want.CoreTools = "Zoë of billing", "acme/shop", true
	if diff := cmp.Diff(&want, s, values, unexported); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestBadValueNamesKeyValueAndWhatIsAccepted(t *testing.T) {
	for name, tc := range map[string]struct {
		program config.Program
		file    string
		env     []string
		flags   map[string]string
		words   []string
	}{
		"env":       {config.Serve, "", []string{"PORT", "http"}, nil, []string{`PORT is "http"`, "0 (any free one) to 65535"}},
		"too large": {config.Serve, "", []string{"PORT", "65536"}, nil, []string{`"65536"`}},
		"negative":  {config.Serve, "", []string{"COORDINATOR_MQTT_TCP_PORT", "-1"}, nil, []string{`COORDINATOR_MQTT_TCP_PORT is "-1"`}},
		"flag":      {config.Serve, "", nil, map[string]string{"port": "x"}, []string{`--port is "x"`}},
		"file":      {config.Auto, `{"server":{"durability":true}}`, nil, nil, []string{`server.durability in `, `config.json is "true"`, "full or normal"}},
		"all at once": {config.Serve, "", []string{"LOG_LEVEL", "loud", "LOG_FORMAT", "xml"}, nil,
			[]string{`LOG_LEVEL is "loud"`, "debug, info, warn or error", `LOG_FORMAT is "xml"`, "json or pretty"}},
		"idle":      {config.Auto, "", []string{"COORDINATOR_IDLE_TIMEOUT", "10"}, nil, []string{"like 90s or 10m"}},
		"idle zero": {config.Auto, "", []string{"COORDINATOR_IDLE_TIMEOUT", "0s"}, nil, []string{"1ms or more"}},
		"two lines": {config.Serve, "", nil, map[string]string{"data-dir": "a\nb"}, []string{`--data-dir is "a\nb"`, "one line"}},
		"by hand":   {config.Auto, "", nil, map[string]string{"port": "1", "log-level": "info"}, []string{"--port is for a hub started by hand", "--log-level is for"}},
		"by auto":   {config.Serve, "", nil, map[string]string{"idle-timeout": "5m"}, []string{"--idle-timeout is for serve --auto"}},
		"project":   {config.Hook, "", []string{"COORDINATOR_PROJECT", "a b"}, nil, []string{"without spaces"}},
		"data dir":  {config.Auto, `{"server":{"data_dir":"here"}}`, nil, nil, []string{"server.data_dir in config.json", "absolute"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(config.Source{Program: tc.program, Getenv: setup(t, tc.file, tc.env...), Flags: tc.flags})
			if coord.CodeOf(err) != coord.Invalid {
				t.Fatalf("error %v, want code %q", err, coord.Invalid)
			}
			for _, w := range tc.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestOnlyLoopbackIsBound(t *testing.T) {
	for _, bind := range []string{"0.0.0.0", "::", "[::]", "192.168.1.2", "*", "example.org", "127.0.0.1:80", "127.1", "::ffff:192.168.1.2", "fe80::1%lo"} {
		_, err := config.Load(config.Source{Program: config.Serve, Getenv: setup(t, "", "COORDINATOR_BIND", bind)})
		if coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("bind %s: error %v, want code %q", bind, err, coord.Invalid)
		}
	}
	for bind, want := range map[string]string{"localhost": "127.0.0.1", "127.0.0.2": "127.0.0.2", "[::1]": "::1"} {
		if s := load(t, config.Serve, setup(t, "", "COORDINATOR_BIND", bind), nil); s.Bind != want {
			t.Errorf("bind %s gives %s, want %s", bind, s.Bind, want)
		}
	}
}

func TestUnknownKeysAreWarnedAbout(t *testing.T) {
	s := load(t, config.Shim, setup(t, `{"server":{"port":1,"prot":2},"x":[1],"y":{"z":null}}`), nil)
	if len(s.Warnings) != 2 || !strings.Contains(s.Warnings[0], `"server.prot"`) || !strings.Contains(s.Warnings[1], `"x"`) {
		t.Errorf("warnings %q, want one for server.prot and one for x", s.Warnings)
	}
}

func TestBrokenFileIsNamedWithItsLine(t *testing.T) {
	for file, words := range map[string]string{
		"{\n\"server\": {\n\"port\": 1,}}": "line 3",
		"[]":                               "not a JSON object",
		"{} {}":                            "more than one value",
		"null x":                           "not a JSON object",
	} {
		_, err := config.Load(config.Source{Program: config.Auto, Getenv: setup(t, file)})
		if coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "config.json") {
			t.Errorf("file %q: error %v, want code %q saying %q", file, err, coord.Invalid, words)
		}
	}
	for _, file := range []string{" \n", "null", "{}"} {
		load(t, config.Shim, setup(t, file), nil)
	}
}

func TestEveryRowIsWholeAndDocumented(t *testing.T) {
	docs := config.Docs()
	seen := map[string]bool{}
	for _, r := range config.Table {
		if r.Accepts == "" || r.Text == "" || r.Readers == 0 || !strings.Contains(docs, r.Text) {
			t.Errorf("row %s lacks accepted values, words, readers or its line in the docs", r.Key)
		}
		for _, name := range []string{"key " + string(r.Key), "env " + r.Env, "flag " + r.Flag, "file " + r.File} {
			if seen[name] && !strings.HasSuffix(name, " ") {
				t.Errorf("%s stands in two rows", name)
			}
			seen[name] = true
		}
	}
	if lines := strings.Count(docs, "\n"); lines != len(config.Table)+2 {
		t.Errorf("docs have %d lines, want %d", lines, len(config.Table)+2)
	}
}

// Without a server its client has nobody who could say what is wrong.
func TestAShimGoesOnWithoutWrongSettings(t *testing.T) {
	for name, tc := range map[string]struct {
		file  string
		env   []string
		wrong string // in Settings.Wrong; "" = nothing is
		agent string
	}{
		"broken file": {"{broken", nil, "not a JSON object", ""},
		"tools":       {"", []string{"COORDINATOR_TOOLS", "few"}, "COORDINATOR_TOOLS", ""},
		"BOM":         {"\ufeff{}", nil, "", ""},
		"long name":   {"", []string{"COORDINATOR_AGENT_NAME", strings.Repeat("é", 65)}, "", strings.Repeat("é", 64)},
		"invisible":   {"", []string{"COORDINATOR_AGENT_NAME", " a\x1b[31m\n"}, "", "a[31m"},
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, config.Shim, setup(t, tc.file, tc.env...), nil)
			if (tc.wrong == "") != (len(s.Wrong) == 0) || !strings.Contains(strings.Join(s.Wrong, " "), tc.wrong) {
				t.Errorf("wrong are %q, want %q", s.Wrong, tc.wrong)
			}
			if s.AgentName != tc.agent {
				t.Errorf("the name is %q, want %q", s.AgentName, tc.agent)
			}
		})
	}
}
