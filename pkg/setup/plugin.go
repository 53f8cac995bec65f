package setup

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// The Claude Code plugin. Its files are made here, so that what the repository
// holds and what init --plugin writes cannot differ from the table of hooks.

// pluginFile is a file of the plugin, by name with slashes.
type pluginFile struct{ name, text string }

// pluginManifest is .claude-plugin/plugin.json.
type pluginManifest struct {
	Name        string       `json:"name"`
	Version     string       `json:"version"`
	Description string       `json:"description"`
	Author      pluginAuthor `json:"author"`
	Homepage    string       `json:"homepage"`
	Repository  string       `json:"repository"`
	License     string       `json:"license"`
	Keywords    []string     `json:"keywords"`
	Network     network      `json:"network"`
}

// network declares what the plugin's parts reach.
type network struct {
	Hosts []string `json:"hosts"`
}

type pluginAuthor struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// marketplace is .claude-plugin/marketplace.json: this directory offers itself.
type marketplace struct {
	Name        string              `json:"name"`
	Owner       pluginAuthor        `json:"owner"`
	Description string              `json:"description"`
	Plugins     []marketplacePlugin `json:"plugins"`
}

type marketplacePlugin struct {
	Name        string   `json:"name"`
	Source      string   `json:"source"`
	Description string   `json:"description"`
	Category    string   `json:"category"`
	Keywords    []string `json:"keywords"`
}

const (
	pluginSite = "https://github.com/coordhq/coord"
	pluginText = "Live coordination for coding agents that work on one repository: edits announce themselves, conflicts are settled before code is written"
)

// PluginFiles gives the plugin's files by name. The version is the manifest's.
func PluginFiles(version string) map[string]string {
	out := map[string]string{}
	words := []string{"coordination", "multi-agent", "mcp", "hooks"}
	for _, f := range []pluginFile{
		{".claude-plugin/plugin.json", pretty(pluginManifest{Name: pluginName, Version: version, Description: pluginText,
			Author: pluginAuthor{Name: "The coord authors", URL: pluginSite}, Homepage: pluginSite, Repository: pluginSite, License: "MIT", Keywords: words,
			Network: network{Hosts: []string{"127.0.0.1", "localhost"}}})},
		{".claude-plugin/marketplace.json", pretty(marketplace{Name: pluginName, Owner: pluginAuthor{Name: "The coord authors", URL: pluginSite},
			Description: pluginText, Plugins: []marketplacePlugin{{Name: pluginName, Source: "./", Description: pluginText, Category: "development", Keywords: words}}})},
		{".mcp.json", pretty(map[string]any{"mcpServers": map[string]any{serverName: plain{Command: shimProgram, Args: []string{}}}})},
		{"hooks/hooks.json", pluginHooks()},
		{"hooks/run.sh", runScript},
	} {
		out[f.name] = f.text
	}
	return out
}

// pluginHooks is hooks/hooks.json. A plugin is installed without the programs,
// and a client that does not find a hook's program complains at every tool call.
// So its hooks go through a script that looks for it first.
func pluginHooks() string {
	var b strings.Builder
	b.WriteString("{\n  \"description\": \"Tell coord what this session does, and the session what the others do\",\n  \"hooks\": {\n")
	events := hookEvents("sh", "${CLAUDE_PLUGIN_ROOT}/hooks/run.sh")
	for i, e := range events {
		groups, err := json.MarshalIndent(e.groups, "    ", "  ")
		if err != nil {
			panic(err) // our own table always marshals
		}
		comma := ","
		if i == len(events)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, "    %q: %s%s\n", e.name, groups, comma)
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

// runScript runs coord-hook, or says once per session that it is not there.
// exec keeps the process: its parent stays the client.
const runScript = `#!/bin/sh
# Runs coord-hook from the PATH. Where a program of coord is missing, a session
# says so once, at its start, and goes on as if coord were not there.
missing=
for program in coord-hook coord-shim coord-hub; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
  [ "$1" = session-start ] || break
done
if [ "$1" = session-start ] && [ -n "$missing" ]; then
  printf '{"systemMessage":"coord: not on the PATH:%s. This session is not coordinated. Install coord (make install) or remove the plugin (claude plugin uninstall coord@coord)."}\n' "$missing"
  exit 0
fi
[ -z "$missing" ] || exit 0
exec coord-hook "$@"
`

func pretty(v any) string {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // our own files always marshal
	}
	return string(raw) + "\n"
}

// WritePlugin writes the plugin into a directory, which is then a marketplace
// of its own.
func WritePlugin(dir, version string) error {
	files := PluginFiles(version)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			return cannot("make", filepath.Dir(full), err)
		}
		f := file{name: full, real: full, mode: 0o600}
		if err := f.write([]byte(files[name])); err != nil {
			return err
		}
	}
	return nil
}
