package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// How long a hub may take before it counts as hanging.
const (
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
)

// started is the answer of start and restart.
type started struct {
	Started bool `json:"started"` // false: it was running already
	daemon.Status
}

// start runs the hub detached.
func (a *app) start() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start the hub in the background",
		Long:  "Starts a hub that stays until coord-hub stop, and returns when it answers.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			args, home, err := a.serveArgs(cmd)
			if err != nil {
				return err
			}
			switch s, err := daemon.Ask(cmd.Context(), home); {
			case errors.Is(err, daemon.ErrNotRunning):
				return a.spawn(cmd.Context(), home, args)
			case err != nil:
				return err
			case len(args) > 0:
				return coord.Errorf(coord.Conflict, "run coord-hub restart "+strings.Join(args, " "), "a hub (pid %d) already serves the home %s", s.Daemon.PID, home.Dir())
			default:
				return a.printStarted(s, false)
			}
		},
	}
	cmd.Flags().AddFlagSet(hubFlags())
	return cmd
}

// stop ends the hub.
func (a *app) stop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop the hub",
		Long:  "Asks the hub to finish what it has begun and to leave, and returns when its process has\nended. The next session that needs a hub starts a new one.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), stopLimit)
			defer cancel()
			h, err := daemon.StopHub(ctx, home, "coord-hub stop")
			if err != nil {
				return a.notRunning(home, err)
			}
			return a.print(struct {
				Stopped bool `json:"stopped"`
				PID     int  `json:"pid"`
			}{true, h.PID}, "stopped")
		},
	}
}

// restart stops the hub if there is one and starts it as it was started before.
func (a *app) restart() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restart",
		Short: "Stop the hub and start it again",
		Long:  "Starts the hub again with the flags it had, and those given here. Sessions reconnect by\nthemselves and lose nothing.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			args, home, err := a.serveArgs(cmd)
			if err != nil {
				return err
			}
			s, err := daemon.Ask(cmd.Context(), home)
			if err != nil && !errors.Is(err, daemon.ErrNotRunning) {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), stopLimit)
			defer cancel()
			if _, err := daemon.StopHub(ctx, home, "coord-hub restart"); err != nil && !errors.Is(err, daemon.ErrNotRunning) {
				return err
			}
			return a.spawn(cmd.Context(), home, append(s.Daemon.Args, args...)) // of one flag the last counts
		},
	}
	cmd.Flags().AddFlagSet(hubFlags())
	return cmd
}

// serveArgs checks the settings before a hub is started with them, so that a
// wrong one is told here.
func (a *app) serveArgs(cmd *cobra.Command) ([]string, config.Home, error) {
	args, flags := a.given(cmd)
	s, err := config.Load(config.Source{Program: config.Serve, Getenv: a.getenv, Flags: flags})
	if err != nil {
		return nil, config.Home{}, err
	}
	return args, s.Home, nil
}

func (a *app) spawn(ctx context.Context, home config.Home, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args = append([]string{"serve"}, args...)
	if home.DataDir() != filepath.Join(home.Dir(), "data") {
		args = append(args, "--data-dir="+home.DataDir())
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	s, err := daemon.Spawn(ctx, daemon.SpawnOptions{Home: home, Program: self, Args: args, Env: spawnEnv(home)})
	if err != nil {
		return err
	}
	return a.printStarted(s, true)
}

// spawnEnv is our environment for a hub in the background: the home is settled,
// and nobody watches its stderr.
func spawnEnv(home config.Home) []string {
	var out []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if name != row(config.HomeDir).Env && name != row(config.DataDir).Env && name != row(config.LogFormat).Env {
			out = append(out, kv)
		}
	}
	return append(out, row(config.HomeDir).Env+"="+home.Dir())
}

func (a *app) printStarted(s daemon.Status, fresh bool) error {
	words := "started "
	if !fresh {
		words = "already running "
	}
	return a.print(started{fresh, s}, words+doors(s.Daemon.PID, s.Daemon.HTTP, s.Daemon.MQTT, s.Daemon.Socket))
}

// notRunning says on stdout, for scripts that read JSON, what the error says.
func (a *app) notRunning(home config.Home, err error) error {
	if !a.json || !errors.Is(err, daemon.ErrNotRunning) {
		return err
	}
	return errors.Join(err, a.print(struct {
		Running bool   `json:"running"`
		Home    string `json:"home"`
	}{false, home.Dir()}, ""))
}
