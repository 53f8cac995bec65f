package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/workspace"
)

// release lets others write a file that somebody holds or has announced.
func (a *app) release() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "release PATH|LEASE",
		Short: "Let others write a file that an agent holds",
		Long: "Takes everything out of the way of one file: a held lease is left, a reservation ends, an\n" +
			"announcement loses its right of way for it. Who waits first is told at once; those whose\n" +
			"right ended are told that a person ended it. Uncommitted work in the file stays as it is.\n" +
			"A lease may be named by its id, such as L-3: then nothing but that lease is taken away, and a\n" +
			"file of that name is ./L-3.\n\n" +
			"This is a decision of yours, not of an agent: it is confirmed on the terminal, or by --yes.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			return a.withHub(cmd.Context(), home, func(ctx context.Context, c *client.Client) error {
				freed, err := a.free(ctx, home, c, args[0], yes)
				if err != nil {
					return err
				}
				return a.print(freed, freedWords(freed))
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

// free releases what the user has named, a lease or a file.
func (a *app) free(ctx context.Context, home config.Home, c *client.Client, what string, yes bool) (coord.Freed, error) {
	const question = "Let others write %s although an agent may be at work on it?"
	lease := coord.LeaseID(what)
	if _, ok := coord.Ordinal("L", lease); ok {
		if err := a.confirm(yes, fmt.Sprintf(question, "the file of "+what)); err != nil {
			return coord.Freed{}, err
		}
		return c.ReleaseLease(ctx, lease)
	}
	in, err := a.pathOf(ctx, home, what)
	if err != nil {
		return coord.Freed{}, err
	}
	if err := a.confirm(yes, fmt.Sprintf(question, in.Path)); err != nil {
		return coord.Freed{}, err
	}
	return c.ReleasePath(ctx, in)
}

// pathOf gives the project's name of a file as the user typed it.
func (a *app) pathOf(ctx context.Context, home config.Home, file string) (coord.PathRelease, error) {
	host, err := home.HostID()
	if err != nil {
		return coord.PathRelease{}, err
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return coord.PathRelease{}, coord.Errorf(coord.Invalid, "give an absolute path", "%s cannot be resolved: %v", file, err)
	}
	dir := filepath.Dir(abs)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) { // a file may be held before its directory is there
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
	}
	w, err := workspace.Locate(ctx, dir, a.getenv, host)
	if err != nil {
		return coord.PathRelease{}, err
	}
	p, err := w.Resolve(abs)
	return coord.PathRelease{Project: w.Project, Workspace: w.ID, Path: p.String()}, err
}

func freedWords(f coord.Freed) string {
	words := f.Path.String() + " is free; told: " + strings.Join(f.Told, ", ")
	if len(f.Told) == 0 {
		words = f.Path.String() + " is free"
	}
	if f.First != "" {
		words += "; kept for " + f.First + ", who waited, for a minute"
	}
	return words
}

// confirm asks on the terminal. Without one the answer is no: an agent's shell
// has none, and this is not its decision.
func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	const next = "run it at a terminal, or with --yes if the user has said so"
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return coord.Errorf(coord.Invalid, next, "this wants to be confirmed")
	}
	fmt.Fprint(a.err, question+" [y/N] ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if s := strings.ToLower(strings.TrimSpace(answer)); s != "y" && s != "yes" {
		return coord.Errorf(coord.Conflict, next, "not confirmed, nothing was changed")
	}
	return nil
}

// withHub runs a call to the running hub of a home. It starts none: without a
// hub there is nothing to decide about.
func (a *app) withHub(ctx context.Context, home config.Home, run func(context.Context, *client.Client) error) error {
	if _, err := daemon.Ask(ctx, home); err != nil {
		return a.notRunning(home, err)
	}
	c := client.Dial(home.Socket())
	defer c.Close()
	return run(ctx, c)
}

// thread lets a person take part in a consultation.
func (a *app) thread() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "thread",
		Short: "Say something in a thread, or end it",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var kind, summary string
	post := &cobra.Command{
		Use:   "post THREAD TEXT...",
		Short: "Say something in a thread; its agents get it at once",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := coord.HumanPost{Content: strings.Join(args[1:], " "), Type: coord.MessageType(kind)}
			return a.onThread(cmd.Context(), func(ctx context.Context, c *client.Client) (json.RawMessage, error) {
				return c.PostAsHuman(ctx, coord.ThreadID(args[0]), in)
			}, "posted to "+args[0])
		},
	}
	post.Flags().StringVar(&kind, "type", "", "context, question, warning or suggestion")
	end := &cobra.Command{
		Use:   "close THREAD",
		Short: "End a thread; its agents are told",
		Long: "Ends a thread as closed by hand. That is nobody's permission to write: coord-hub release\n" +
			"frees a file. A task that was offered in it is withdrawn.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onThread(cmd.Context(), func(ctx context.Context, c *client.Client) (json.RawMessage, error) {
				return c.CloseAsHuman(ctx, coord.ThreadID(args[0]), coord.HumanClose{Summary: summary})
			}, "closed "+args[0])
		},
	}
	end.Flags().StringVar(&summary, "summary", "", "words of its end")
	cmd.AddCommand(post, end)
	return cmd
}

func (a *app) onThread(ctx context.Context, call func(context.Context, *client.Client) (json.RawMessage, error), words string) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	return a.withHub(ctx, home, func(ctx context.Context, c *client.Client) error {
		raw, err := call(ctx, c)
		if err != nil {
			return err
		}
		return a.print(raw, words)
	})
}
