package setup

import (
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// Client names a program that coord can be connected with.
type Client string

// The clients.
const (
	Claude   Client = "claude"
	Cursor   Client = "cursor"
	Codex    Client = "codex"
	Gemini   Client = "gemini"
	OpenCode Client = "opencode"
	VSCode   Client = "vscode"
	Cline    Client = "cline"
	Windsurf Client = "windsurf"
)

// clientRow says where a client keeps its MCP servers and how it writes one.
type clientRow struct {
	name    Client
	project []string // candidates below a project's directory, the first that exists or the first; none = it has no such file
	user    func(place) string
	in      []string                // containers of a server in a JSON file; nil = TOML
	stdio   func(program) any       // a server that is started
	http    func(address) any       // a server at an address; nil = it cannot send our token
	toml    func(connection) string // for a TOML file
}

// program is a server to start. env may be empty.
type program struct {
	command string
	env     map[string]string
}

// address is a server to call. The token comes from an environment variable,
// which every client spells in its own way: it is a secret, and these files may
// be committed.
type address struct{ url string }

// tokenVariable holds the hub's token for clients that connect over HTTP.
const tokenVariable = "COORDINATOR_TOKEN"

func bearer(reference string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + reference}
}

// plain is the server entry that most clients share.
type plain struct {
	Type    string            `json:"type,omitempty"`
	Command string            `json:"command,omitempty"`
	Args    []string          `json:"args,omitzero"`
	Env     map[string]string `json:"env,omitempty"`

	URL       string            `json:"url,omitempty"`
	HTTPURL   string            `json:"httpUrl,omitempty"`
	ServerURL string            `json:"serverUrl,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
}

// opencode is OpenCode's server entry.
type opencode struct {
	Type        string            `json:"type"`
	Command     []string          `json:"command,omitempty"`
	Environment map[string]string `json:"environment,omitempty"`
	URL         string            `json:"url,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Enabled     bool              `json:"enabled"`
}

func plainStdio(p program) any {
	return plain{Command: p.command, Args: []string{}, Env: p.env}
}

// clients gives the table.
func clients() []clientRow {
	servers := []string{"mcpServers"}
	return []clientRow{
		{name: Claude, project: []string{".mcp.json"}, in: servers, stdio: plainStdio,
			user: func(p place) string { return filepath.Join(p.claudeHome(), ".claude.json") },
			http: func(a address) any {
				return plain{Type: "http", URL: a.url, Headers: bearer("${" + tokenVariable + "}")}
			}},
		{name: Cursor, project: []string{".cursor/mcp.json"}, in: servers, stdio: plainStdio,
			user: func(p place) string { return filepath.Join(p.home, ".cursor", "mcp.json") },
			http: func(a address) any { return plain{URL: a.url, Headers: bearer("${env:" + tokenVariable + "}")} }},
		{name: Codex, project: []string{".codex/config.toml"}, toml: codexTable,
			user: func(p place) string {
				return filepath.Join(p.or("CODEX_HOME", filepath.Join(p.home, ".codex")), "config.toml")
			}},
		{name: Gemini, project: []string{".gemini/settings.json"}, in: servers, stdio: plainStdio,
			user: func(p place) string { return filepath.Join(p.home, ".gemini", "settings.json") },
			http: func(a address) any { return plain{HTTPURL: a.url, Headers: bearer("$" + tokenVariable)} }},
		{name: OpenCode, project: []string{"opencode.json", "opencode.jsonc"}, in: []string{"mcp"},
			user: func(p place) string {
				return filepath.Join(p.or("XDG_CONFIG_HOME", filepath.Join(p.home, ".config")), "opencode", "opencode.json")
			},
			stdio: func(p program) any {
				return opencode{Type: "local", Command: []string{p.command}, Environment: p.env, Enabled: true}
			},
			http: func(a address) any {
				return opencode{Type: "remote", URL: a.url, Headers: bearer("{env:" + tokenVariable + "}"), Enabled: true}
			}},
		{name: VSCode, project: []string{".vscode/mcp.json"}, in: []string{"servers"},
			user: func(p place) string { return filepath.Join(p.vscode(), "mcp.json") },
			stdio: func(p program) any {
				return plain{Type: "stdio", Command: p.command, Args: []string{}, Env: p.env}
			},
			http: func(a address) any {
				return plain{Type: "http", URL: a.url, Headers: bearer("${env:" + tokenVariable + "}")}
			}},
		{name: Cline, in: servers, stdio: plainStdio,
			user: func(p place) string {
				return filepath.Join(p.vscode(), "globalStorage", "saoudrizwan.claude-dev", "settings", "cline_mcp_settings.json")
			}},
		{name: Windsurf, in: servers, stdio: plainStdio,
			user: func(p place) string { return filepath.Join(p.home, ".codeium", "windsurf", "mcp_config.json") },
			http: func(a address) any { return plain{ServerURL: a.url, Headers: bearer("${env:" + tokenVariable + "}")} }},
	}
}

// Clients lists the names of the clients.
func Clients() []Client {
	var out []Client
	for _, c := range clients() {
		out = append(out, c.name)
	}
	return out
}

func clientNamed(name Client) (clientRow, error) {
	all := clients()
	i := slices.IndexFunc(all, func(c clientRow) bool { return c.name == name })
	if i < 0 {
		return clientRow{}, coord.Errorf(coord.Invalid, "use one of "+strings.Join(texts(Clients()), ", "), "there is no client %q", name)
	}
	return all[i], nil
}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}

// codexTable words the server for Codex.
func codexTable(c connection) string {
	var b strings.Builder
	b.WriteString("[mcp_servers." + serverName + "]\n")
	if c.address != "" {
		b.WriteString("url = " + tomlString(c.address) + "\nbearer_token_env_var = " + tomlString(tokenVariable))
		return b.String()
	}
	b.WriteString("command = " + tomlString(c.shim) + "\nargs = []")
	if c.hub != "" {
		b.WriteString("\n\n[mcp_servers." + serverName + ".env]\nCOORDINATOR_URL = " + tomlString(c.hub))
	}
	return b.String()
}

// tomlString quotes: JSON's escapes are TOML's too.
func tomlString(s string) string { return string(mustJSON(s)) }

// connection is how a client reaches the hub.
type connection struct {
	shim    string // the program to start
	hub     string // a team hub that the shim talks to, "" = the one of this user
	address string // of /mcp, in place of a shim; "" = the shim
}

// server gives the entry that stands under our name.
func (c clientRow) server(to connection) (entry, error) {
	if to.address != "" {
		if c.http == nil {
			return nil, coord.Errorf(coord.Invalid, "leave out --http", "%s cannot take the token from the environment", c.name)
		}
		return server{in: c.in, value: c.http(address{to.address})}, nil
	}
	p := program{command: to.shim}
	if to.hub != "" {
		p.env = map[string]string{"COORDINATOR_URL": to.hub}
	}
	return server{in: c.in, value: c.stdio(p)}, nil
}

// mcpAddress gives the address of /mcp at a hub for one project.
func mcpAddress(hub string, project coord.ProjectID) string {
	address := strings.TrimSuffix(hub, "/") + "/mcp"
	if project != "" {
		// The usual ids stay readable: a slash and a colon need no escape in a query.
		address += "?project=" + strings.NewReplacer("%2F", "/", "%3A", ":").Replace(url.QueryEscape(string(project)))
	}
	return address
}

// place is the user's surroundings.
type place struct {
	home   string // the user's home directory
	getenv func(string) string
}

func (p place) or(key, fallback string) string {
	if v := p.getenv(key); filepath.IsAbs(v) {
		return v
	}
	return fallback
}

// claudeHome is where .claude.json lies.
func (p place) claudeHome() string { return p.or("CLAUDE_CONFIG_DIR", p.home) }

// claudeDir is where the user's settings.json and CLAUDE.md lie.
func (p place) claudeDir() string {
	return p.or("CLAUDE_CONFIG_DIR", filepath.Join(p.home, ".claude"))
}

// vscode is the directory of the user's VS Code settings.
func (p place) vscode() string {
	switch runtime.GOOS {
	case "darwin":
		return filepath.Join(p.home, "Library", "Application Support", "Code", "User")
	case "windows":
		return filepath.Join(p.or("APPDATA", filepath.Join(p.home, "AppData", "Roaming")), "Code", "User")
	default:
		return filepath.Join(p.or("XDG_CONFIG_HOME", filepath.Join(p.home, ".config")), "Code", "User")
	}
}
