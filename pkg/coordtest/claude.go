package coordtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Claude is a Claude Code program of its own: the version that
// testdata/npm-claude pins, with an empty home and no account.
type Claude struct {
	t       testing.TB
	program string

	Home string // its HOME, in the test's directory
	Path string // its PATH
}

// NewClaude gives the program, installing it when it is not there. On its PATH
// are the directories given, before those of the system.
func NewClaude(t testing.TB, path ...string) *Claude {
	t.Helper()
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	program := filepath.Join(installed(t, "npm-claude"), "node_modules", "@anthropic-ai", "claude-code-"+runtime.GOOS+"-"+arch, "claude")
	_, err := os.Stat(program)
	Need(t, err == nil, "a Claude Code for "+runtime.GOOS+"/"+runtime.GOARCH+" in testdata/npm-claude")
	all := ""
	for _, dir := range append(path, "/usr/local/bin", "/usr/bin", "/bin") {
		all += dir + string(filepath.ListSeparator)
	}
	return &Claude{t: t, program: program, Home: t.TempDir(), Path: all[:len(all)-1]}
}

// Program is the path of the program.
func (c *Claude) Program() string { return c.program }

// Run runs a command that has to succeed within a minute, and gives what it
// printed.
func (c *Claude) Run(dir string, args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	out, err := c.Command(ctx, dir, args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("claude %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Command prepares a run in a directory. Nothing of the caller's environment
// reaches it; no request of it reaches the network.
func (c *Claude) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, args...) // #nosec G204 -- a program that we pin
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + c.Path, "HOME=" + c.Home, "TMPDIR=" + c.t.TempDir(), "LANG=C.UTF-8",
		"COORDINATOR_HOME=" + filepath.Join(c.Home, ".coord"),
		"ANTHROPIC_BASE_URL=http://127.0.0.1:9", "ANTHROPIC_API_KEY=sk-dummy", // nobody listens there
		"DISABLE_AUTOUPDATER=1", "DISABLE_TELEMETRY=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1"}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
