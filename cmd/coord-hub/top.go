package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/top"
)

// top shows live what the agents do, in a terminal.
func (a *app) top() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the agents in this terminal",
		Long: "Shows who is here and at what, what is being settled and who has to answer, who holds and\n" +
			"waits for which file, and what happened last; live, and over restarts of the hub. Press ? for\n" +
			"the keys. What is no terminal, --once and --json get it once; without a hub they end with 3.\n\n" +
			"W works, ? waits, I is idle, - has left.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			hub := client.Dial(home.Socket())
			defer hub.Close()
			if !once && !a.json && terminal(a.out) && terminal(os.Stdin) && a.getenv("TERM") != "dumb" {
				return top.Run(cmd.Context(), top.Options{Hub: hub, In: os.Stdin, Out: os.Stdout})
			}
			if _, err := daemon.Ask(cmd.Context(), home); err != nil {
				return a.notRunning(home, err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), snapshotLimit)
			defer cancel()
			s, err := top.Take(ctx, hub)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(s, "")
			}
			width, err := columns(a.getenv("COLUMNS"))
			if err != nil {
				return err
			}
			return s.Print(a.out, width, time.Local)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "show it once and end")
	return cmd
}

// snapshotLimit bounds one look at the hub.
const snapshotLimit = 10 * time.Second

// columns reads how wide a text may be; "" = 99.
func columns(value string) (int, error) {
	if value == "" {
		return 99, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 20 {
		return 0, coord.Errorf(coord.Invalid, "give a number from 20, or leave it out", "COLUMNS is %q", value)
	}
	return n, nil
}
