package setup_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"github.com/tailscale/hujson"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/setup"
)

// user is somebody with a home and a project.
type user struct {
	t   *testing.T
	env map[string]string
	dir string // the project
	o   setup.Options
}

func newUser(t *testing.T) *user {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	u := &user{t: t, dir: filepath.Join(root, "repo"), env: map[string]string{"HOME": filepath.Join(root, "home")}}
	for _, dir := range []string{u.dir, u.env["HOME"]} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	home, err := config.Find(u.getenv, "")
	if err != nil {
		t.Fatal(err)
	}
	u.o = setup.Options{Home: home, Getenv: u.getenv, Dir: u.dir}
	return u
}

func (u *user) getenv(key string) string { return u.env[key] }

func (u *user) write(name, text string) {
	u.t.Helper()
	full := filepath.Join(u.dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) read(name string) string {
	u.t.Helper()
	raw, err := os.ReadFile(filepath.Join(u.dir, name))
	if err != nil {
		u.t.Fatal(err)
	}
	return string(raw)
}

func (u *user) init() setup.Result {
	u.t.Helper()
	r, err := setup.Init(u.t.Context(), u.o)
	if err != nil {
		u.t.Fatal(err)
	}
	return r
}

func (u *user) uninstall() setup.Result {
	u.t.Helper()
	r, err := setup.Uninstall(u.t.Context(), u.o)
	if err != nil {
		u.t.Fatal(err)
	}
	return r
}

// tree gives every file below the project by name.
func (u *user) tree() map[string]string {
	u.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(u.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == u.dir {
			return err
		}
		rel, _ := filepath.Rel(u.dir, path)
		if d.IsDir() {
			out[rel+"/"] = ""
			return nil
		}
		raw, err := os.ReadFile(path)
		out[rel] = string(raw)
		return err
	})
	if err != nil {
		u.t.Fatal(err)
	}
	return out
}

func actions(r setup.Result) map[string]setup.Action {
	out := map[string]setup.Action{}
	for _, f := range r.Files {
		out[filepath.Base(f.Path)] = f.Action
	}
	return out
}

func TestInitInAnEmptyProjectAndBack(t *testing.T) {
	u := newUser(t)
	before := u.tree()
	r := u.init()
	want := map[string]setup.Action{".mcp.json": setup.Made, "settings.local.json": setup.Made, "CLAUDE.md": setup.Made}
	if diff := cmp.Diff(want, actions(r)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("{\n  \"mcpServers\": {\n    \"coord\": {\n      \"command\": \"coord-shim\",\n      \"args\": []\n    }\n  }\n}\n", u.read(".mcp.json")); diff != "" {
		t.Error(diff)
	}
	var settings struct {
		Permissions struct{ Allow []string }
		Enabled     []string `json:"enabledMcpjsonServers"`
		Hooks       map[string][]struct {
			Matcher string
			Hooks   []struct {
				Type, Command string
				Args          []string
				AsyncRewake   bool
				Timeout       int
			}
		}
	}
	if err := json.Unmarshal([]byte(u.read(".claude/settings.local.json")), &settings); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(settings.Permissions.Allow, []string{"mcp__coord__*"}) || !slices.Equal(settings.Enabled, []string{"coord"}) {
		t.Errorf("%+v", settings)
	}
	for _, h := range setup.Hooks() {
		found := false
		for _, g := range settings.Hooks[h.Event] {
			for _, x := range g.Hooks {
				found = found || g.Matcher == h.Matcher && x.Command == "coord-hook" && slices.Equal(x.Args, []string{h.Arg}) &&
					x.Timeout == h.Timeout && x.AsyncRewake == h.Rewake && x.Type == "command"
			}
		}
		if !found {
			t.Errorf("hook %+v is not there", h)
		}
	}
	if diff := cmp.Diff(map[string]setup.Action{".mcp.json": setup.Unchanged, "settings.local.json": setup.Unchanged, "CLAUDE.md": setup.Unchanged}, actions(u.init())); diff != "" {
		t.Error("a second init:", diff)
	}
	u.uninstall()
	if diff := cmp.Diff(before, u.tree()); diff != "" {
		t.Error("after uninstall:", diff)
	}
	if r := u.uninstall(); len(r.Files) > 0 {
		t.Errorf("a second uninstall: %+v", r)
	}
}

// Files as people and programs write them.
var odd = map[string]string{
	"comments":          "// mine\n{\n  // servers\n  \"mcpServers\": {\n    \"other\": { \"command\": \"x\" } // keep\n  } /* end */\n}\n",
	"trailing commas":   "{\n\t\"mcpServers\": {\n\t\t\"other\": {\"command\": \"x\",},\n\t\t// last\n\t},\n}\n",
	"one line":          `{"mcpServers":{"other":{"command":"x"}},"permissions":{"allow":["Bash(ls)"],"deny":[]}}`,
	"spaces in a line":  `{ "mcpServers": { } }`,
	"crlf":              "{\r\n    \"a\": 1,\r\n    \"hooks\": {\r\n        \"Stop\": []\r\n    }\r\n}\r\n",
	"no final newline":  "{\n   \"a\": [1,\n 2]\n}",
	"mark of order":     "\xef\xbb\xbf{\n  \"a\": 1\n}\n",
	"empty":             "",
	"blank":             "\n\n",
	"a comment in {}":   "{\n  // nothing yet\n}\n",
	"tabs, deep":        "{\n\t\"permissions\": {\n\t\t\"allow\": [\n\t\t\t\"Bash(ls)\" // reads\n\t\t]\n\t},\n\t\"hooks\": {\n\t\t\"PreToolUse\": [\n\t\t\t{ \"matcher\": \"Bash\", \"hooks\": [ { \"type\": \"command\", \"command\": \"lint\" } ] }\n\t\t]\n\t}\n}\n",
	"a server of ours":  "{\n  \"mcpServers\": {\n    \"coord\": {\n      \"command\": \"coord-shim\", // mine\n      \"env\": { \"COORDINATOR_AGENT_NAME\": \"mia\" }\n    }\n  }\n}\n",
	"unicode and esc":   "{\n  \"a\\u0062\": \"<>&\\u2028é\",\n  \"mcpServers\": {}\n}\n",
	"order and numbers": "{\"z\":1e400,\"a\":0.10,\"m\":12345678901234567890}\n",
}

func TestFilesAreEditedInPlaceAndComeBackExactly(t *testing.T) {
	for name, text := range odd {
		t.Run(name, func(t *testing.T) {
			u := newUser(t)
			u.write(".mcp.json", text)
			u.write(".claude/settings.local.json", text)
			u.write("CLAUDE.md", "# Mine\n\ntext without an end")
			before := u.tree()
			u.init()
			after := u.tree()
			for _, file := range []string{".mcp.json", ".claude/settings.local.json"} {
				checkEdited(t, text, after[file])
			}
			if got := u.read("CLAUDE.md"); !strings.HasPrefix(got, "# Mine\n\ntext without an end\n\n<!-- coord: begin") {
				t.Errorf("CLAUDE.md is %q", got)
			}
			u.init()
			if diff := cmp.Diff(after, u.tree()); diff != "" {
				t.Error("a second init changes:", diff)
			}
			for _, f := range u.uninstall().Files {
				if f.Action != setup.Restored {
					t.Errorf("%+v", f)
				}
			}
			if diff := cmp.Diff(before, u.tree()); diff != "" {
				t.Error("after uninstall:", diff)
			}
		})
	}
}

// checkEdited wants every line of the old text in the new one, in order and at
// most with a comma more, and the new one to be as readable as the old one.
func checkEdited(t *testing.T, old, edited string) {
	t.Helper()
	if _, err := hujson.Parse([]byte(strings.TrimPrefix(edited, "\xef\xbb\xbf"))); err != nil {
		t.Errorf("%v in\n%s", err, edited)
	}
	if strings.Contains(old, "\r\n") && strings.Count(edited, "\n") != strings.Count(edited, "\r\n") {
		t.Errorf("mixed line ends:\n%q", edited)
	}
	rest := edited
	for _, comment := range []string{"// mine", "// servers", "// keep", "/* end */", "// last", "// nothing yet", "// reads", "\"z\":1e400,\"a\":0.10,\"m\":12345678901234567890", "\"a\\u0062\": \"<>&\\u2028é\""} {
		if strings.Contains(old, comment) != strings.Contains(rest, comment) {
			t.Errorf("%s got lost in\n%s", comment, edited)
		}
	}
}

func TestTheTextStaysPretty(t *testing.T) {
	u := newUser(t)
	u.o.NoHooks = true
	u.write(".mcp.json", odd["comments"])
	u.write(".claude/settings.local.json", odd["tabs, deep"])
	u.init()
	if diff := cmp.Diff(`// mine
{
  // servers
  "mcpServers": {
    "other": { "command": "x" }, // keep
    "coord": {
      "command": "coord-shim",
      "args": []
    }
  } /* end */
}
`, u.read(".mcp.json")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("{\n\t\"permissions\": {\n\t\t\"allow\": [\n\t\t\t\"Bash(ls)\", // reads\n\t\t\t\"mcp__coord__*\"\n\t\t]\n\t},\n\t\"hooks\": {\n\t\t\"PreToolUse\": [\n\t\t\t{ \"matcher\": \"Bash\", \"hooks\": [ { \"type\": \"command\", \"command\": \"lint\" } ] }\n\t\t]\n\t},\n\t\"enabledMcpjsonServers\": [\n\t\t\"coord\"\n\t]\n}\n",
		u.read(".claude/settings.local.json")); diff != "" {
		t.Error(diff)
	}
}

func TestAChangedFileLosesOnlyOurEntries(t *testing.T) {
	for name, text := range odd {
		t.Run(name, func(t *testing.T) {
			u := newUser(t)
			u.write(".mcp.json", text)
			u.write(".claude/settings.local.json", text)
			u.write("CLAUDE.md", "# Mine\n")
			u.init()
			for _, file := range []string{".mcp.json", ".claude/settings.local.json"} {
				u.write(file, u.read(file)+"\n")
			}
			u.write("CLAUDE.md", u.read("CLAUDE.md")+"\nmore\n")
			for _, f := range u.uninstall().Files {
				if f.Action == setup.Restored || f.Note == "" {
					t.Errorf("%+v", f)
				}
			}
			if diff := cmp.Diff("# Mine\n\n\nmore\n", u.read("CLAUDE.md")); diff != "" {
				t.Error(diff)
			}
			tree := u.tree()
			for file, marks := range map[string][]string{".mcp.json": {"coord-shim"}, ".claude/settings.local.json": {"coord-hook", "mcp__coord", `"coord"`}} {
				for _, mark := range marks {
					if strings.Contains(tree[file], mark) && name != "a server of ours" {
						t.Errorf("%s still holds %s:\n%s", file, mark, tree[file])
					}
				}
			}
			if name == "a server of ours" || strings.TrimSpace(text) == "" {
				return // nothing of the user's is left in them
			}
			plain := func(s string) string { return strings.ReplaceAll(s, "{ }", "{}") } // an emptied object has no white space
			if diff := cmp.Diff(plain(text+"\n"), plain(u.read(".mcp.json"))); diff != "" {
				t.Error("an added line end aside it is as before:", diff)
			}
			if diff := cmp.Diff(plain(text+"\n"), plain(u.read(".claude/settings.local.json"))); diff != "" {
				t.Error("an added line end aside it is as before:", diff)
			}
		})
	}
}

func TestInitAfterAChangeByHandKeepsTheChange(t *testing.T) {
	u := newUser(t)
	u.write(".mcp.json", "{\n  \"mcpServers\": {}\n}\n")
	u.init()
	u.write(".mcp.json", strings.Replace(u.read(".mcp.json"), `"mcpServers": {`, `"mcpServers": {
    "other": {"command": "x"},`, 1))
	u.o.Hub = "http://127.0.0.1:4000"
	u.init()
	if !strings.Contains(u.read(".mcp.json"), `"COORDINATOR_URL": "http://127.0.0.1:4000"`) {
		t.Error(u.read(".mcp.json"))
	}
	u.uninstall()
	if diff := cmp.Diff("{\n  \"mcpServers\": {\n    \"other\": {\"command\": \"x\"}\n  }\n}\n", u.read(".mcp.json")); diff != "" {
		t.Error(diff)
	}
}

func TestInvalidFilesAreRefusedUntouched(t *testing.T) {
	for _, c := range []struct{ file, text, words string }{
		{".mcp.json", `{"mcpServers": [}`, ".mcp.json cannot be edited"},
		{".mcp.json", `[]`, "holds no JSON object"},
		{".mcp.json", `{"mcpServers": 7}`, "mcpServers is no JSON object"},
		{".mcp.json", `{"mcpServers":{}, "mcpServers":{}}`, `the key "mcpServers" twice`},
		{".claude/settings.local.json", `{"hooks":{"Stop":{}}}`, "hooks.Stop is no JSON"},
		{".claude/settings.local.json", `{"permissions":{"allow":"all"}}`, "permissions.allow is no JSON array"},
		{"CLAUDE.md", "<!-- coord: end -->\n", "are not there once each"},
	} {
		u := newUser(t)
		u.write(c.file, c.text)
		before := u.tree()
		_, err := setup.Init(t.Context(), u.o)
		if coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s %s: %v", c.file, c.text, err)
		}
		if diff := cmp.Diff(before, u.tree()); diff != "" {
			t.Errorf("%s %s: %s", c.file, c.text, diff)
		}
	}
}

func TestALinkOutOfTheProjectIsNotFollowed(t *testing.T) {
	u := newUser(t)
	outside := filepath.Join(u.env["HOME"], ".profile")
	if err := os.WriteFile(outside, []byte("export A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(u.dir, "CLAUDE.md")); err != nil {
		t.Fatal(err)
	}
	if _, err := setup.Init(t.Context(), u.o); coord.CodeOf(err) != coord.Forbidden || !strings.Contains(err.Error(), outside) {
		t.Errorf("%v", err)
	}
	if raw, _ := os.ReadFile(outside); string(raw) != "export A=1\n" {
		t.Errorf("written through the link: %q", raw)
	}
	if _, err := os.Stat(filepath.Join(u.dir, ".mcp.json")); err == nil {
		t.Error("another file was written all the same")
	}
}

func TestALinkInsideTheProjectAndTheModeAreKept(t *testing.T) {
	u := newUser(t)
	u.write("AGENTS.md", "# All\n")
	if err := os.Chmod(filepath.Join(u.dir, "AGENTS.md"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("AGENTS.md", filepath.Join(u.dir, "CLAUDE.md")); err != nil {
		t.Fatal(err)
	}
	u.init()
	info, err := os.Lstat(filepath.Join(u.dir, "CLAUDE.md"))
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
	if info, _ := os.Stat(filepath.Join(u.dir, "AGENTS.md")); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
	u.uninstall()
	if u.read("AGENTS.md") != "# All\n" {
		t.Errorf("%q", u.read("AGENTS.md"))
	}
}

func TestTheRecordIsPrivate(t *testing.T) {
	u := newUser(t)
	u.init()
	for _, name := range []string{"setup.json", "setup.json.lock"} {
		info, err := os.Stat(filepath.Join(u.o.Home.Dir(), name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
}

func TestEveryClientGetsItsOwnForm(t *testing.T) {
	files := map[setup.Client][2]string{ // file, what stands in it
		setup.Claude:   {".mcp.json", `{"mcpServers":{"coord":{"command":"coord-shim","args":[]}}}`},
		setup.Cursor:   {".cursor/mcp.json", `{"mcpServers":{"coord":{"command":"coord-shim","args":[]}}}`},
		setup.Gemini:   {".gemini/settings.json", `{"mcpServers":{"coord":{"command":"coord-shim","args":[]}}}`},
		setup.OpenCode: {"opencode.json", `{"mcp":{"coord":{"type":"local","command":["coord-shim"],"enabled":true}}}`},
		setup.VSCode:   {".vscode/mcp.json", `{"servers":{"coord":{"type":"stdio","command":"coord-shim","args":[]}}}`},
		setup.Codex:    {".codex/config.toml", ""},
		setup.Windsurf: {".codeium/windsurf/mcp_config.json", `{"mcpServers":{"coord":{"command":"coord-shim","args":[]}}}`},
		setup.Cline:    {".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", `{"mcpServers":{"coord":{"command":"coord-shim","args":[]}}}`},
	}
	for _, name := range setup.Clients() {
		t.Run(string(name), func(t *testing.T) {
			u := newUser(t)
			u.o.Clients = []setup.Client{name}
			base := u.dir
			if name == setup.Windsurf || name == setup.Cline {
				if _, err := setup.Init(t.Context(), u.o); coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), "--user") {
					t.Errorf("in a directory: %v", err)
				}
				u.o.Dir, u.o.User, base = "", true, u.env["HOME"]
			}
			u.init()
			raw, err := os.ReadFile(filepath.Join(base, files[name][0]))
			if err != nil {
				t.Fatal(err)
			}
			if name == setup.Codex {
				var got struct {
					Servers map[string]struct {
						Command string
						Args    []string
					} `toml:"mcp_servers"`
				}
				if err := toml.Unmarshal(raw, &got); err != nil || got.Servers["coord"].Command != "coord-shim" {
					t.Errorf("%v %+v", err, got)
				}
				return
			}
			var got, want any
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(files[name][1]), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			u.uninstall()
			if _, err := os.Stat(filepath.Join(base, files[name][0])); err == nil {
				t.Error("still there")
			}
		})
	}
}

func TestCodexKeepsTheTextAroundOurBlock(t *testing.T) {
	u := newUser(t)
	u.o.Clients = []setup.Client{setup.Codex}
	text := "# my settings\nmodel = \"x\"   # the best\n\n[mcp_servers.other]\ncommand = 'y'"
	u.write(".codex/config.toml", text)
	u.init()
	got := u.read(".codex/config.toml")
	if !strings.HasPrefix(got, text+"\n\n# coord: begin") {
		t.Errorf("%s", got)
	}
	u.o.Hub = "https://coord.example.com"
	u.init()
	if got := u.read(".codex/config.toml"); strings.Count(got, "# coord: begin") != 1 || !strings.Contains(got, `COORDINATOR_URL = "https://coord.example.com"`) {
		t.Errorf("%s", got)
	}
	u.uninstall()
	if diff := cmp.Diff(text, u.read(".codex/config.toml")); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"model = ", "[mcp_servers.coord]\ncommand = \"mine\"\n"} {
		u.write(".codex/config.toml", bad)
		if _, err := setup.Init(t.Context(), u.o); coord.CodeOf(err) != coord.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
		if u.read(".codex/config.toml") != bad {
			t.Errorf("%q was touched", bad)
		}
	}
}

func TestHTTPNamesTheProjectAndNoSecret(t *testing.T) {
	u := newUser(t)
	u.env["COORDINATOR_PROJECT"] = "github.com/acme/shop"
	u.o.HTTP, u.o.NoMemory = true, true
	u.init()
	var got struct {
		Servers map[string]struct {
			Type, URL string
			Headers   map[string]string
		} `json:"mcpServers"`
	}
	if err := json.Unmarshal([]byte(u.read(".mcp.json")), &got); err != nil {
		t.Fatal(err)
	}
	s := got.Servers["coord"]
	if s.Type != "http" || s.URL != "http://127.0.0.1:3100/mcp?project=github.com/acme/shop" || s.Headers["Authorization"] != "Bearer ${COORDINATOR_TOKEN}" {
		t.Errorf("%+v", s)
	}
}

func TestUserWideUsesAbsolutePaths(t *testing.T) {
	u := newUser(t)
	u.o.Dir, u.o.User, u.o.Shim, u.o.Hook = "", true, "/opt/bin/coord-shim", "/opt/bin/coord-hook"
	u.init()
	u.dir = u.env["HOME"]
	if got := u.read(".claude.json"); !strings.Contains(got, `"/opt/bin/coord-shim"`) {
		t.Error(got)
	}
	if got := u.read(".claude/settings.json"); !strings.Contains(got, `"/opt/bin/coord-hook"`) || strings.Contains(got, "enabledMcpjsonServers") {
		t.Error(got)
	}
	u.read(".claude/CLAUDE.md")
	u.uninstall()
	for _, name := range []string{".claude.json", ".claude/settings.json", ".claude/CLAUDE.md", ".claude"} {
		if _, err := os.Stat(filepath.Join(u.dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestHooksNeverFireTwice(t *testing.T) {
	u := newUser(t)
	u.write(".claude/settings.json", `{"enabledPlugins":{"coord@coord":true}}`)
	if _, err := setup.Init(t.Context(), u.o); coord.CodeOf(err) != coord.Conflict {
		t.Errorf("beside the plugin: %v", err)
	}
	u.o.NoHooks = true
	u.init()
	u.uninstall()
	u.o.NoHooks = false
	u.write(".claude/settings.json", `{}`)
	u.o.Shared = true
	u.init()
	u.o.Shared = false
	if r := u.init(); len(r.Notes) != 1 || strings.Contains(u.read(".claude/settings.local.json"), "coord-hook") {
		t.Errorf("hooks in both settings files: %+v", r)
	}
	u.o.Plugin = true
	if _, err := setup.Init(t.Context(), u.o); coord.CodeOf(err) != coord.Conflict || !strings.Contains(err.Error(), "uninstall") {
		t.Errorf("the plugin beside hooks: %v", err)
	}
}

func TestASnippetIsPrintedForNobodysFile(t *testing.T) {
	u := newUser(t)
	parts, err := setup.Snippet(t.Context(), u.o)
	if err != nil || len(parts) != 3 || parts[0].File != ".mcp.json" || !strings.Contains(parts[0].Text, "coord-shim") {
		t.Errorf("%+v %v", parts, err)
	}
	if len(u.tree()) > 0 {
		t.Error("something was written")
	}
}
