package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Key names a setting.
type Key string

// The settings.
const (
	HomeDir     Key = "home"
	DataDir     Key = "data-dir"
	Port        Key = "port"
	Bind        Key = "bind"
	MQTTPort    Key = "mqtt-port"
	IdleTimeout Key = "idle-timeout"
	Durability  Key = "durability"
	LogLevel    Key = "log-level"
	LogFormat   Key = "log-format"
	Quota       Key = "quota"
	QuotaURL    Key = "quota-url"
	MaxQuota    Key = "max-quota-pct"
	AgentName   Key = "agent-name"
	ProjectName Key = "project"
	Tools       Key = "tools"
	Enforcement Key = "enforce"
	Strictness  Key = "strict"
	HookTimeout Key = "hook-timeout"
	Wake        Key = "wake"
	KeepEvents  Key = "keep-events-days"
	KeepThreads Key = "keep-threads-days"
	KeepAgents  Key = "keep-agents-days"
	KeepStats   Key = "keep-stats-days"
	TeamAuth    Key = "auth-enabled"
	TeamHub     Key = "url"
)

// Setting is one row of [Table].
type Setting struct {
	Key     Key
	Flag    string // without dashes; "" = none
	Env     string // "" = none
	File    string // path in config.json; "" = none
	Default string // as it would be written; "" = none
	Accepts string // what a value may be, for errors and docs
	Text    string // what it does, one sentence
	Readers Program
	Order   []string // values, the weakest first: of environment and config.json the stronger counts; nil = environment
	ByHand  bool     // Auto takes it from config.json only: the starter's environment is a project's, not the user's

	set func(*Settings, string) error
}

const anyHub = Serve | Auto

// Table is every setting. It is never changed.
var Table = []*Setting{
	{Key: HomeDir, Env: "COORDINATOR_HOME", Accepts: "an absolute path", Readers: Shim | Hook | anyHub,
		Text: "Directory of configuration, database, sockets and logs; `~/.coord` when unset.", set: foundAlready},
	{Key: DataDir, Flag: "data-dir", Env: "COORDINATOR_DATA_DIR", File: "server.data_dir", Accepts: "an absolute path", Readers: Shim | Hook | anyHub,
		Text: "Directory of the database; without COORDINATOR_HOME it is the home itself.", set: foundAlready},
	{Key: Port, Flag: "port", Env: "PORT", File: "server.port", Default: "3100", Accepts: "a port from 0 (any free one) to 65535", Readers: anyHub, ByHand: true,
		Text: "HTTP port; a busy default is replaced by a free one, a busy port of your choice is an error.", set: portOf(func(s *Settings) *int { return &s.Port })},
	{Key: Bind, Flag: "bind", Env: "COORDINATOR_BIND", File: "server.bind", Default: "127.0.0.1", Accepts: acceptsBind, Readers: Serve, ByHand: true,
		Text: "Address of the TCP doors.", set: setBind},
	{Key: TeamAuth, Env: "COORDINATOR_AUTH_ENABLED", File: "server.auth_enabled", Default: "false", Accepts: "false; " + noTeams, Readers: Serve, ByHand: true,
		Text: "Team authentication: a hub that is asked for it does not start.", set: oneOf(func(*Settings, string) {}, "false", "0", "off")},
	{Key: MQTTPort, Flag: "mqtt-port", Env: "COORDINATOR_MQTT_TCP_PORT", File: "server.mqtt_port", Default: "1883", Accepts: "a port from 0 (any free one) to 65535", Readers: anyHub,
		Text: "MQTT port, busy or not like the HTTP port.", set: portOf(func(s *Settings) *int { return &s.MQTTPort })},
	{Key: IdleTimeout, Flag: "idle-timeout", Env: "COORDINATOR_IDLE_TIMEOUT", File: "server.idle_timeout", Default: "10m", Accepts: "a duration of 1ms or more, like 90s or 10m", Readers: Auto,
		Text: "An auto-started hub that nobody uses leaves after this time.", set: durationOf(func(s *Settings) *time.Duration { return &s.IdleTimeout })},
	{Key: Durability, Flag: "durability", Env: "COORDINATOR_DURABILITY", File: "server.durability", Default: "full", Accepts: "full or normal", Readers: anyHub,
		Text: "full survives a power cut; normal survives a crash of the hub and is faster.",
		set:  oneOf(func(s *Settings, v string) { s.Durability = v }, "full", "normal")},
	{Key: LogLevel, Flag: "log-level", Env: "LOG_LEVEL", File: "server.log_level", Default: "info", Accepts: "debug, info, warn or error", Readers: anyHub, ByHand: true,
		Text: "What the hub logs.", set: setLevel},
	{Key: LogFormat, Flag: "log-format", Env: "LOG_FORMAT", File: "server.log_format", Accepts: "json or pretty", Readers: anyHub, ByHand: true,
		Text: "How the hub logs; pretty on a terminal when unset.",
		set:  oneOf(func(s *Settings, v string) { s.LogFormat = v }, "json", "pretty")},
	{Key: Quota, Env: "COORDINATOR_QUOTA", File: "server.quota", Default: "off", Accepts: "on or off", Readers: anyHub, ByHand: true,
		Text: "on shows how much of your plan is used; for that the hub reads the client's login and asks the Anthropic API.",
		set:  oneOf(func(s *Settings, v string) { s.Quota = v == "on" }, "on", "off")},
	{Key: QuotaURL, Env: "COORDINATOR_QUOTA_URL", File: "server.quota_url", Accepts: "an http or https URL on loopback", Readers: anyHub, ByHand: true,
		Text: "A stand-in for the Anthropic API, for tests.", set: setQuotaURL},
	{Key: MaxQuota, Env: "MAX_QUOTA_PCT", File: "server.max_quota_pct", Default: "95", Accepts: "a percentage from 1 to 100", Readers: Serve, ByHand: true,
		Text: "From this use on `coord-hub quota` exits with 3.", set: setMaxQuota},
	{Key: KeepEvents, File: "server.keep_events_days", Default: "7", Accepts: acceptsDays, Readers: anyHub,
		Text: "Events and file activity are kept so many days; what an agent has not seen stays.", set: daysOf(func(s *Settings) *time.Duration { return &s.KeepEvents })},
	{Key: KeepThreads, File: "server.keep_threads_days", Default: "30", Accepts: acceptsDays, Readers: anyHub,
		Text: "Threads that have ended are kept so many days, with their messages.", set: daysOf(func(s *Settings) *time.Duration { return &s.KeepThreads })},
	{Key: KeepAgents, File: "server.keep_agents_days", Default: "30", Accepts: acceptsDays, Readers: anyHub,
		Text: "Agents are kept so many days after they were last seen.", set: daysOf(func(s *Settings) *time.Duration { return &s.KeepAgents })},
	{Key: KeepStats, File: "server.keep_stats_days", Default: "90", Accepts: acceptsDays, Readers: anyHub,
		Text: "Counts of tokens are kept so many days.", set: daysOf(func(s *Settings) *time.Duration { return &s.KeepStats })},
	{Key: AgentName, Env: "COORDINATOR_AGENT_NAME", Accepts: "a name; 64 printable characters of it are used", Readers: Shim | Hook,
		Text: "Name other agents see; a readable one is made when unset.", set: setAgentName},
	{Key: ProjectName, Env: "COORDINATOR_PROJECT", Accepts: "1 to 200 printable characters without spaces", Readers: Shim | Hook,
		Text: "Project id, in place of the one found from the repository.", set: setProject},
	{Key: Tools, Env: "COORDINATOR_TOOLS", File: "defaults.tools", Default: "all", Accepts: "all or core", Readers: Shim,
		Text: "core offers the eight tools that matter most.",
		set:  oneOf(func(s *Settings, v string) { s.CoreTools = v == "core" }, "all", "core")},
	{Key: TeamHub, Env: "COORDINATOR_URL", File: "defaults.coordinator_url", Accepts: "nothing; " + noTeams, Readers: Shim,
		Text: "A team's hub: a session that is given one says in each answer that it works with the user's own hub instead.", set: func(*Settings, string) error { return errNotAccepted }},
	{Key: Enforcement, Env: "COORDINATOR_ENFORCE", File: "defaults.enforce", Default: "deny", Accepts: "off, warn or deny", Readers: Hook, Order: []string{"off", "warn", "deny"},
		Text: "What the edit gate may do; the stricter of session and config.json counts.",
		set:  oneOf(func(s *Settings, v string) { s.Enforce = coord.Enforce(v) }, "off", "warn", "deny")},
	{Key: Strictness, Env: "COORDINATOR_STRICT", File: "defaults.strict", Default: "0", Accepts: "0 or 1", Readers: Hook, Order: []string{"0", "1"},
		Text: "1 refuses an edit while no hub answers, or that cannot be read; the stricter of session and config.json counts.",
		set:  oneOf(func(s *Settings, v string) { s.Strict = v == "1" }, "0", "1")},
	{Key: HookTimeout, Env: "COORDINATOR_HOOK_TIMEOUT", File: "defaults.hook_timeout", Default: "300ms", Accepts: "a duration of 1ms or more, like 300ms or 2s", Readers: Hook,
		Text: "How long a hook keeps its client waiting for the hub, before it lets the edit through.", set: durationOf(func(s *Settings) *time.Duration { return &s.HookTimeout })},
	{Key: Wake, Env: "COORDINATOR_WAKE", File: "defaults.wake", Default: "on", Accepts: "on or off", Readers: Shim | Hook,
		Text: "off: urgent news never wakes an idle session; it comes with the next prompt.",
		set:  oneOf(func(s *Settings, v string) { s.NoWake = v == "off" }, "on", "off")},
}

const acceptsBind = "a loopback address (127.0.0.1, ::1 or localhost); other machines cannot be let in without team authentication, which this version does not have"

// noTeams is why a setting of a team's hub is refused: who gives it would think
// that it holds.
const noTeams = "this version has no hubs for teams, a hub serves one user on one machine"

const acceptsDays = "a number of days from 1 to 3650"

var errNotAccepted = fmt.Errorf("not accepted")

// foundAlready accepts what Find has used and checked.
func foundAlready(*Settings, string) error { return nil }

func portOf(field func(*Settings) *int) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		*field(s) = int(n)
		return err
	}
}

func oneOf(set func(*Settings, string), allowed ...string) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		for _, a := range allowed {
			if strings.EqualFold(a, v) {
				set(s, a)
				return nil
			}
		}
		return errNotAccepted
	}
}

// setBind refuses every address that another machine could reach, names
// included: a name may resolve to something else tomorrow.
func setBind(s *Settings, v string) error {
	if strings.EqualFold(v, "localhost") {
		v = "127.0.0.1"
	}
	ip := net.ParseIP(strings.Trim(v, "[]"))
	if ip == nil || !ip.IsLoopback() {
		return errNotAccepted
	}
	s.Bind = ip.String()
	return nil
}

func durationOf(field func(*Settings) *time.Duration) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < time.Millisecond {
			return errNotAccepted
		}
		*field(s) = d
		return nil
	}
}

func daysOf(field func(*Settings) *time.Duration) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 3650 {
			return errNotAccepted
		}
		*field(s) = time.Duration(n) * 24 * time.Hour
		return nil
	}
}

func setLevel(s *Settings, v string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[strings.ToLower(v)]
	if !ok {
		return errNotAccepted
	}
	s.LogLevel = level
	return nil
}

// setQuotaURL takes nothing but this machine: the login goes there.
func setQuotaURL(s *Settings, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return errNotAccepted
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return errNotAccepted
	}
	s.QuotaURL = v
	return nil
}

func setMaxQuota(s *Settings, v string) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64)
	if err != nil || !(n >= 1 && n <= 100) {
		return errNotAccepted
	}
	s.MaxQuota = n
	return nil
}

// maxAgentName is the longest name of an agent, in characters.
const maxAgentName = 64

// setAgentName takes any name, without what a reader would not see and not
// longer than others can use; nothing that is left counts as not given.
func setAgentName(s *Settings, v string) error {
	name := []rune(coord.CleanLine(v))
	s.AgentName = strings.TrimSpace(string(name[:min(len(name), maxAgentName)]))
	return nil
}

func setProject(s *Settings, v string) error {
	if !printable(v, 200) || strings.ContainsAny(v, " \t") {
		return errNotAccepted
	}
	s.Project = coord.ProjectID(v)
	return nil
}

// printable reports whether v is one line of at most limit characters that a
// reader sees as they are.
func printable(v string, limit int) bool {
	return v != "" && len([]rune(v)) <= limit && !strings.ContainsAny(v, "\n\t\uFFFD") && coord.CleanText(v) == v
}
