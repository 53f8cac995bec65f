package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/tool"
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
			"It says first who stands in the way. This is a decision of yours, not of an agent: it is\n" +
			"confirmed on the terminal, or by --yes, which --json wants.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			return a.withHub(cmd.Context(), home, func(ctx context.Context, c *client.Client) error {
				in, err := a.meant(ctx, home, args[0])
				if err != nil {
					return err
				}
				if !yes {
					look := in
					look.Look = true
					found, err := c.ReleasePath(ctx, look)
					if err != nil {
						return err
					}
					if err := a.confirm(ctx, holderWords(found, time.Now()), "Let others write "+found.Path.String()+"?"); err != nil {
						return err
					}
				}
				freed, err := c.ReleasePath(ctx, in)
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

// meant tells what the user has named, a lease or a file.
func (a *app) meant(ctx context.Context, home config.Home, what string) (coord.PathRelease, error) {
	if _, ok := coord.Ordinal("L", coord.LeaseID(what)); ok {
		return coord.PathRelease{Lease: coord.LeaseID(what)}, nil
	}
	return a.pathOf(ctx, home, what)
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
	p, err := w.ResolveTold(abs)
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

// holderWords say, a line each, who stands in the way of a path.
func holderWords(f coord.Freed, now time.Time) string {
	var b strings.Builder
	for _, h := range f.Holders {
		fmt.Fprintf(&b, "%s %s (%s)", said(h.Name), h.Right, h.State)
		if h.Since > 0 {
			fmt.Fprintf(&b, ", for %s", coord.Ago(coord.At(now).Sub(h.Since)))
		}
		if h.Subject != "" {
			fmt.Fprintf(&b, ": %s", said(h.Subject))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// confirm says what it is about and asks on the terminal. Without one, or where
// JSON is wanted, the answer is no: an agent's shell has none, and this is not
// its decision.
func (a *app) confirm(ctx context.Context, about, question string) error {
	fmt.Fprint(a.err, about)
	if a.json || !term.IsTerminal(int(os.Stdin.Fd())) { // #nosec G115 -- a descriptor is small
		return coord.Errorf(coord.Invalid, "run it at a terminal, or with --yes if the user has said so", "this wants to be confirmed")
	}
	fmt.Fprint(a.err, question+" [y/N] ")
	answer := make(chan string, 1)
	go func() { // it is left behind with this process when the user has had enough
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
	case s := <-answer:
		if s == "y" || s == "yes" {
			return nil
		}
	}
	return coord.Errorf(coord.Conflict, "", "not confirmed, nothing was changed")
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
			}, func(json.RawMessage) string { return "posted to " + args[0] })
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
			}, func(raw json.RawMessage) string { return closedWords(args[0], raw) })
		},
	}
	end.Flags().StringVar(&summary, "summary", "", "words of its end")
	cmd.AddCommand(post, end)
	return cmd
}

// closedWords say what was ended, and for whom.
func closedWords(id string, raw json.RawMessage) string {
	var th tool.ThreadView
	if json.Unmarshal(raw, &th) != nil {
		return "closed " + id
	}
	told := []string{said(th.Initiator.Name)}
	for _, r := range th.Respondents {
		told = append(told, said(r.Name))
	}
	if th.MoreRespondents > 0 {
		told = append(told, fmt.Sprintf("%d more", th.MoreRespondents))
	}
	return "closed " + id + " (" + said(th.Subject) + "); told: " + strings.Join(told, ", ")
}

func (a *app) onThread(ctx context.Context, call func(context.Context, *client.Client) (json.RawMessage, error), words func(json.RawMessage) string) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	return a.withHub(ctx, home, func(ctx context.Context, c *client.Client) error {
		raw, err := call(ctx, c)
		if err != nil {
			return err
		}
		return a.print(raw, words(raw))
	})
}

// said shows what an agent calls itself or its work, on one line.
func said(text string) string { return strconv.Quote(coord.CleanLine(text)) }
