package coordtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest/machine"
)

// installLimit bounds the download of the npm packages.
const installLimit = 5 * time.Minute

// Node is a Node.js of its own with the packages that testdata/npm pins: programs
// of others that coord has to get on with.
type Node struct {
	t   testing.TB
	dir string // holds node_modules
}

// NewNode gives the programs, installing them into the user's cache when they
// are not there: by lock file, with their hashes checked and without running any
// script of theirs. A machine without npm or its registry skips the test.
func NewNode(t testing.TB) *Node {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	pins := filepath.Join(root, "testdata", "npm")
	lock, err := os.ReadFile(filepath.Join(pins, "package-lock.json")) // #nosec G304 -- a file of this repository
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	n := &Node{t: t, dir: filepath.Join(cache, "coord-test", "npm-"+hex.EncodeToString(sum[:6]))}
	if _, err := os.Stat(n.dir); err != nil { // #nosec G703 -- below the user's cache, under a hash
		n.install(pins)
	}
	_, err = os.Stat(n.program())
	machine.Has(t, err == nil, "a Node.js for "+runtime.GOOS+"/"+runtime.GOARCH+" in testdata/npm")
	return n
}

// install puts everything into a directory beside the one it gets, so that a
// directory of that name is a complete one.
func (n *Node) install(pins string) {
	n.t.Helper()
	npm, err := exec.LookPath("npm")
	machine.Has(n.t, err == nil, "npm (apt install npm)")
	if err := os.MkdirAll(filepath.Dir(n.dir), 0o750); err != nil {
		n.t.Fatal(err)
	}
	half, err := os.MkdirTemp(filepath.Dir(n.dir), "half-")
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(half) }() // a leftover in a cache
	if err := os.CopyFS(half, os.DirFS(pins)); err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(n.t.Context(), installLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
		"--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000") // #nosec G204 -- npm on our own pins
	cmd.Dir = half
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	machine.Has(n.t, err == nil, fmt.Sprintf("the npm registry, or its packages: npm ci: %v\n%s", err, bytes.TrimSpace(out)))
	if err := os.Rename(half, n.dir); err != nil && !errors.Is(err, fs.ErrExist) { // else another test process was quicker
		n.t.Fatal(err)
	}
}

// program is the path of node. The one on the PATH may be older than what the
// packages want.
func (n *Node) program() string {
	return filepath.Join(n.dir, "node_modules", "node-"+platform(), "bin", "node")
}

// Command prepares a run of a script with arguments, in an empty directory. The
// script is a file of a package ("mqtt/build/bin/mqtt.js") or a path.
func (n *Node) Command(ctx context.Context, script string, args ...string) *exec.Cmd {
	modules := filepath.Join(n.dir, "node_modules")
	if !filepath.IsAbs(script) {
		script = filepath.Join(modules, filepath.FromSlash(script))
	}
	cmd := exec.CommandContext(ctx, n.program(), append([]string{script}, args...)...) // #nosec G204 -- programs that we pin
	cmd.Dir = n.t.TempDir()
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// ClaudeCode gives the path of the Claude Code program that testdata/npm pins.
func (n *Node) ClaudeCode() string {
	program := filepath.Join(n.dir, "node_modules", "@anthropic-ai", "claude-code-"+platform(), "claude")
	_, err := os.Stat(program)
	machine.Has(n.t, err == nil, "Claude Code for "+runtime.GOOS+"/"+runtime.GOARCH+" in testdata/npm")
	return program
}

// platform is the name of this machine in npm packages.
func platform() string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return runtime.GOOS + "-" + arch
}

// File is the path of a file of a package ("axe-core/axe.min.js").
func (n *Node) File(name string) string {
	return filepath.Join(n.dir, "node_modules", filepath.FromSlash(name))
}
