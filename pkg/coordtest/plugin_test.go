package coordtest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

// The plugin, by the real Claude Code: an empty home, no account, no network.

func TestThePluginPassesTheDirectorysChecks(t *testing.T) {
	c := coordtest.NewClaude(t)
	out := c.Run(repository(t), "plugin", "validate", ".", "--strict", "--profile", "directory")
	for _, words := range []string{"These checks found nothing to report", "Validation passed"} {
		if !strings.Contains(out, words) {
			t.Errorf("no %q in\n%s", words, out)
		}
	}
	if strings.Contains(out, "Hosts not declared") {
		t.Error(out)
	}
}

func TestThePluginInstallsOfflineAndConnects(t *testing.T) {
	bin := coordtest.Build(t)
	c := coordtest.NewClaude(t, string(bin))
	stopHubOf(t, bin, c)
	dir := t.TempDir()
	c.Run(dir, "plugin", "marketplace", "add", repository(t))
	c.Run(dir, "plugin", "install", "coord@coord")
	if out := c.Run(dir, "mcp", "list"); !strings.Contains(out, "plugin:coord:coord") || !strings.Contains(out, "Connected") {
		t.Errorf("mcp list says\n%s", out)
	}
}

func TestInitConnectsTheRealClient(t *testing.T) {
	bin := coordtest.Build(t)
	c := coordtest.NewClaude(t, string(bin))
	stopHubOf(t, bin, c)
	dir := t.TempDir()
	coordHub(t, bin, c, "init", dir)
	trust(t, c, dir)
	if out := c.Run(dir, "mcp", "list"); !strings.Contains(out, "coord: coord-shim") || !strings.Contains(out, "Connected") {
		t.Errorf("mcp list says\n%s", out)
	}
	coordHub(t, bin, c, "uninstall", dir)
	if out := c.Run(dir, "mcp", "list"); strings.Contains(out, "coord-shim") {
		t.Errorf("after uninstall mcp list says\n%s", out)
	}
}

func TestInitInstallsThePlugin(t *testing.T) {
	bin := coordtest.Build(t)
	c := coordtest.NewClaude(t, string(bin), claudeOnPath(t))
	stopHubOf(t, bin, c)
	dir := t.TempDir()
	coordHub(t, bin, c, "init", "--plugin", dir)
	if out := c.Run(dir, "mcp", "list"); !strings.Contains(out, "plugin:coord:coord") || !strings.Contains(out, "Connected") {
		t.Errorf("mcp list says\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, ".mcp.json")); err == nil {
		t.Error("the server stands in .mcp.json beside the plugin")
	}
	cmd := exec.Command(bin.Hub(), "init", dir) // #nosec G204 -- our own program
	cmd.Env = c.Command(t.Context(), dir).Env
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "enables the coord plugin") {
		t.Errorf("hooks beside the plugin: %v\n%s", err, out)
	}
}

// claudeOnPath gives a directory that holds the program under its own name.
func claudeOnPath(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(coordtest.NewClaude(t).Program(), filepath.Join(dir, "claude")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// trust accepts a directory as the dialog of an interactive session would.
func trust(t *testing.T, c *coordtest.Claude, dir string) {
	t.Helper()
	name := filepath.Join(c.Home, ".claude.json")
	settings := map[string]any{}
	if raw, err := os.ReadFile(name); err == nil {
		if err := json.Unmarshal(raw, &settings); err != nil {
			t.Fatal(err)
		}
	}
	settings["projects"] = map[string]any{dir: map[string]any{"hasTrustDialogAccepted": true}}
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func coordHub(t *testing.T, bin coordtest.Binaries, c *coordtest.Claude, args ...string) {
	t.Helper()
	cmd := exec.Command(bin.Hub(), args...) // #nosec G204 -- our own program
	cmd.Env = c.Command(t.Context(), "").Env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("coord-hub %v: %v\n%s", args, err, out)
	}
}

// stopHubOf stops the hub that the client's shims have started.
func stopHubOf(t *testing.T, bin coordtest.Binaries, c *coordtest.Claude) {
	t.Cleanup(func() {
		cmd := exec.Command(bin.Hub(), "stop") // #nosec G204 -- our own program
		cmd.Env = []string{"COORDINATOR_HOME=" + filepath.Join(c.Home, ".coord"), "HOME=" + c.Home, "PATH=" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 3 {
			t.Errorf("coord-hub stop: %v\n%s", err, out)
		}
	})
}

func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
