package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/build"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/setup"
)

// pluginLimit bounds one run of the client's own installer.
const pluginLimit = time.Minute

// installPlugin writes the plugin into the home and lets Claude Code install it
// from there; without a claude on the PATH it says what to run.
func (a *app) installPlugin(ctx context.Context, o setup.Options, r *setup.Result) error {
	dir := filepath.Join(o.Home.Dir(), "plugin")
	if err := setup.WritePlugin(dir, build.Version(linked)); err != nil {
		return err
	}
	scope := "local"
	switch {
	case o.User:
		scope = "user"
	case o.Shared:
		scope = "project"
	}
	commands := [][]string{
		{"plugin", "marketplace", "add", dir},
		{"plugin", "install", "coord@coord", "--scope", scope},
	}
	claude, err := exec.LookPath("claude")
	for _, args := range commands {
		if err != nil {
			r.Notes = append(r.Notes, "run: claude "+strings.Join(args, " "))
			continue
		}
		if err := runIn(ctx, o.Dir, claude, args); err != nil {
			return err
		}
		r.Notes = append(r.Notes, "done: claude "+strings.Join(args, " "))
	}
	return nil
}

func runIn(ctx context.Context, dir, program string, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, pluginLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...) // #nosec G204 -- the user's own claude, with our words
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) || err != nil {
		return coord.Errorf(coord.Unavailable, "run it by hand", "claude %s failed (%v): %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
