package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/build"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook"
	"github.com/coordhq/coord/pkg/hook/reconcile"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/setup"
)

// doctor tries every path once.
func (a *app) doctor() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Try every path between a session and the hub",
		Long: "Starts two sessions in a project of its own and tries what a session needs: configuration,\n" +
			"git where you stand, starting the hub, the handshake, a tool call, a push, /mcp, MQTT over TCP and WebSocket, the\n" +
			"dashboard, the edit gate, the hook and the user's override. A line for each, with a hint where\n" +
			"it fails; exit code 1 then. It leaves nothing behind.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			at, stopped := config.StoppedByHand(home)
			dir, err := os.Getwd()
			if err != nil {
				return err
			}
			d := setup.Doctor{Home: home, Dir: dir, Getenv: a.getenv, Find: findProgram, Version: build.Version(linked), Hub: url,
				Paused: func(ws coord.WorkspaceID) (time.Time, bool) {
					for _, p := range reconcile.Paused(hook.ReconcileDir(home), time.Now()) {
						if p.Workspace == ws {
							return p.Since, true
						}
					}
					return time.Time{}, false
				},
				Stop: func(ctx context.Context) error {
					release, err := daemon.HoldStart(ctx, home)
					if err != nil {
						return err
					}
					defer release()
					_, err = daemon.StopHub(ctx, home, "coord-hub doctor had started it")
					if stopped { // it stays as the user wants it: open sessions start none
						err = errors.Join(err, config.MarkStopped(home, at))
					}
					return err
				}}
			if !a.json {
				d.Told = a.showCheck
			}
			r, err := d.Examine(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				if err := a.print(r, ""); err != nil {
					return err
				}
			}
			if r.OK {
				return nil
			}
			var bad []string
			for _, c := range r.Checks {
				if !c.OK {
					bad = append(bad, c.Name)
				}
			}
			return coord.Errorf(coord.Unavailable, "see the hints above", "not well: %s", strings.Join(bad, ", "))
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "look at this team hub in place of your own")
	return cmd
}

// showCheck prints one check.
func (a *app) showCheck(c setup.Check) {
	state := "OK  "
	if !c.OK {
		state = "FAIL"
	}
	fmt.Fprintf(a.out, "%s  %-15s %s\n", state, c.Name, c.Detail)
	if c.Hint != "" {
		fmt.Fprintf(a.out, "      %-15s → %s\n", "", c.Hint)
	}
}
