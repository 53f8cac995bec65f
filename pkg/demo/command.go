package demo

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/coord"
)

// timeLimit is how long the whole story may take.
const timeLimit = 2 * time.Minute

// Command gives the demo as a subcommand. It fails, saying which step did not
// hold, or succeeds when every step held.
func Command() *cobra.Command {
	var o Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play the README story: two sessions find and settle a conflict",
		Long: "Plays the README story with real programs in a temporary home and repository: two sessions\n" +
			"announce the same file, talk it out and agree, and the hub is killed in the middle of it.\n" +
			"Succeeds only when every step held.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A reader of our output that goes away must not end us before we have
			// cleaned up: the write fails. A shim that ends early brings the signal
			// too, and is a step that does not hold.
			pipes := make(chan os.Signal, 1)
			signal.Notify(pipes, syscall.SIGPIPE)
			defer signal.Stop(pipes)
			ctx, cancel := context.WithTimeout(cmd.Context(), timeLimit)
			defer cancel()
			o.Out = cmd.OutOrStdout()
			o.Color = !o.JSON && os.Getenv("NO_COLOR") == "" && isTerminal(o.Out)
			err := Run(ctx, o)
			if errors.Is(err, syscall.EPIPE) {
				return syscall.EPIPE // whatever step that was, nobody reads of it
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print each step as a JSON object on a line")
	cmd.Flags().BoolVar(&o.Keep, "keep", false, "leave home and repository behind, and say where")
	cmd.Flags().StringVar(&o.Shim, "shim", "", "coord-shim to run (default: the one beside this program, else on PATH)")
	return cmd
}

// findShim gives the shim that belongs to this program.
func findShim() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "coord-shim")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	found, err := exec.LookPath("coord-shim")
	if err != nil {
		return "", coord.Errorf(coord.NotFound, "build it (make build) or name it with --shim", "there is no coord-shim beside this program or on PATH")
	}
	return found, nil
}

// isTerminal reports whether the output is a character device, which a
// redirected one is not.
func isTerminal(out any) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
