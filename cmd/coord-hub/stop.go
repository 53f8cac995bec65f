package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// stop ends the hub, and keeps the sessions that are there from starting it
// again behind the user's back.
func (a *app) stop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop the hub",
		Long: "Asks the hub to finish what it has begun and to leave, and returns when its process has\n" +
			"ended; a hub that hangs is ended by a signal. Sessions that are open stay without a hub\n" +
			"until coord-hub start or restart, or until a new session begins.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), stopLimit)
			defer cancel()
			release, err := daemon.HoldStart(ctx, home)
			if err != nil {
				return err
			}
			defer release()
			ended, err := daemon.StopHub(ctx, home, "coord-hub stop")
			if err != nil {
				return a.notRunning(home, err)
			}
			if err := config.MarkStopped(home, coord.At(time.Now())); err != nil {
				return err
			}
			words := "stopped"
			if ended.How != daemon.EndedWhenAsked {
				words = forced(ended)
			}
			return a.print(struct {
				Stopped bool          `json:"stopped"`
				PID     int           `json:"pid"`
				How     daemon.Ending `json:"how"`
			}{true, ended.PID, ended.How}, words)
		},
	}
}

// forced says what was done to a hub that did not leave when asked.
func forced(s daemon.Stopped) string {
	return fmt.Sprintf("the hub (pid %d) did not answer and was %s", s.PID, s.How)
}

// restart stops the hub if there is one and starts it as it was started before.
func (a *app) restart() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restart",
		Short: "Stop the hub and start it again",
		Long: "Starts the hub again with the data directory and the flags it had, and those given here;\n" +
			"with flags it is a hub started by hand from then on. Sessions reconnect by themselves and\n" +
			"lose nothing. A hub that hangs is ended by a signal.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, flags, err := a.serveSettings(cmd)
			if err != nil {
				return err
			}
			release, err := alone(cmd.Context(), s.Home) // else a session starts one in between
			if err != nil {
				return err
			}
			defer release()
			args, home := a.asBefore(s, flags)
			ctx, cancel := context.WithTimeout(cmd.Context(), stopLimit)
			defer cancel()
			old, err := daemon.StopHub(ctx, s.Home, "coord-hub restart")
			switch {
			case errors.Is(err, daemon.ErrNotRunning):
				return a.spawn(cmd.Context(), home, args, nil)
			case err != nil:
				return err
			}
			return a.spawn(cmd.Context(), home, args, &old)
		},
	}
	cmd.Flags().AddFlagSet(hubFlags(config.Serve))
	return cmd
}

// asBefore gives the arguments and the home of the hub that follows the one
// that runs, or has run last and was killed: those it has recorded, and what
// the user says now, of which the last counts.
func (a *app) asBefore(s *config.Settings, flags []string) (args []string, home config.Home) {
	home = s.Home
	old, err := config.ReadDiscovery(home)
	if err != nil {
		return s.Args(), home
	}
	if !a.placed(s) {
		home = home.WithData(old.DataDir)
	}
	if old.Auto && len(flags) == 0 {
		return old.Args, home
	}
	return append(config.ByHandArgs(old.Args), s.Args()...), home
}
