package main

import (
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/hub/daemon"
)

// openers show an address in the user's browser.
var openers = map[string]string{"darwin": "open", "linux": "xdg-open"}

// dashboard opens the dashboard, or prints the link where there is no screen.
func (a *app) dashboard() *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Open the dashboard in a browser",
		Long: "Asks the running hub for a link that lets one browser in, opens it where there is a screen,\n" +
			"and prints it. The link works once, for a minute; the browser stays let in for 12 hours.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			link, err := daemon.Link(cmd.Context(), home)
			if err != nil {
				return a.notRunning(home, err)
			}
			if show && !a.json && a.screen() {
				_ = exec.Command(openers[runtime.GOOS], link.URL).Start() // #nosec G204 -- our own link; who has no browser reads it below
			}
			return a.print(link, link.URL)
		},
	}
	cmd.Flags().BoolVar(&show, "open", true, "open it, where there is a screen")
	return cmd
}

// screen reports whether a browser could be shown to who runs this.
func (a *app) screen() bool {
	if !terminal(a.out) {
		return false
	}
	return runtime.GOOS == "darwin" || runtime.GOOS == "linux" && (a.getenv("DISPLAY") != "" || a.getenv("WAYLAND_DISPLAY") != "")
}
