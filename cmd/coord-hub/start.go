package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// How long a hub may take before it counts as hanging. Each holds for one try;
// who waits for another start or stop waits as long again.
const (
	startLimit = 30 * time.Second
	stopLimit  = 60 * time.Second
)

// started is the answer of start and restart.
type started struct {
	Started bool            `json:"started"`           // false: it was running already
	Stopped *daemon.Stopped `json:"stopped,omitempty"` // the hub that restart has ended; nil = there was none
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
			s, flags, err := a.serveSettings(cmd)
			if err != nil {
				return err
			}
			release, err := alone(cmd.Context(), s.Home)
			if err != nil {
				return err
			}
			defer release()
			running, err := daemon.Ask(cmd.Context(), s.Home)
			if errors.Is(err, daemon.ErrNotRunning) {
				return a.spawn(cmd.Context(), s.Home, s.Args(), nil)
			}
			if err == nil {
				err = a.asWished(running.Daemon, s, flags)
			}
			if err != nil {
				return err
			}
			if err := config.ClearStopped(s.Home); err != nil {
				return err
			}
			return a.printStarted(started{Status: running})
		},
	}
	cmd.Flags().AddFlagSet(hubFlags(config.Serve))
	return cmd
}

// asWished refuses a hub that runs already when it was asked for one with
// flags, or with another database.
func (a *app) asWished(running daemon.Facts, s *config.Settings, flags []string) error {
	if a.placed(s) && running.DataDir != s.Home.DataDir() {
		return coord.Errorf(coord.Conflict, "run coord-hub restart --data-dir="+s.Home.DataDir()+", or give that directory a home of its own (COORDINATOR_HOME)",
			"a hub (pid %d) with the data directory %s already serves the home %s", running.PID, running.DataDir, running.Home)
	}
	if len(flags) > 0 {
		return coord.Errorf(coord.Conflict, "run coord-hub restart "+strings.Join(flags, " "), "a hub (pid %d) already serves the home %s", running.PID, running.Home)
	}
	return nil
}

// placed reports whether the user has named the data directory just now.
func (a *app) placed(s *config.Settings) bool {
	o := s.Origin(config.DataDir)
	return o == config.FromFlag || o == config.FromEnv
}

// alone prepares a home and keeps others from starting a hub there.
func alone(ctx context.Context, home config.Home) (release func(), err error) {
	if err := home.Prepare(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return daemon.HoldStart(ctx, home)
}

// serveSettings checks the settings before a hub is started with them, so that
// a wrong one is told here. It also gives the hub's flags that were set.
func (a *app) serveSettings(cmd *cobra.Command) (*config.Settings, []string, error) {
	args, flags := a.given(cmd)
	s, err := config.Load(config.Source{Program: config.Serve, Getenv: a.getenv, Flags: flags})
	return s, args, err
}

// spawn starts a hub in the place of old, nil when there was none.
func (a *app) spawn(ctx context.Context, home config.Home, args []string, old *daemon.Stopped) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args = append([]string{"serve"}, args...)
	if !home.OwnData() {
		args = append(args, "--data-dir="+home.DataDir())
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	s, err := daemon.Spawn(ctx, daemon.SpawnOptions{Home: home, Program: self, Args: args, Env: spawnEnv(home)})
	if err != nil {
		return err
	}
	return a.printStarted(started{true, old, s})
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

func (a *app) printStarted(s started) error {
	words := "started "
	if !s.Started {
		words = "already running "
	}
	words += doors(s.Daemon.PID, s.Daemon.HTTP, s.Daemon.MQTT, s.Daemon.Socket)
	if s.Stopped != nil && s.Stopped.How != daemon.EndedWhenAsked {
		words = forced(*s.Stopped) + "\n" + words
	}
	return a.print(s, words)
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
