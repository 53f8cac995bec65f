package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/setup"
)

// initCommand connects clients with coord.
func (a *app) initCommand() *cobra.Command {
	var o setup.Options
	var names []string
	cmd := &cobra.Command{
		Use:   "init [DIR | --user]",
		Short: "Connect a project, or all of yours, with coord",
		Long: "Writes the MCP server into the client's configuration and, for Claude Code, the hooks, the\n" +
			"permission to use the tools and a section of CLAUDE.md. Files are edited in place: comments,\n" +
			"order and formatting stay, and a second run changes nothing. coord-hub uninstall takes it\n" +
			"all back. Without DIR it prints what it would write.\n\n" +
			"Clients: " + clientNames() + ".",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.place(&o, args, names); err != nil {
				return err
			}
			o.Find = findProgram
			if o.Dir == "" && !o.User {
				return a.snippet(cmd.Context(), o)
			}
			r, err := setup.Init(cmd.Context(), o)
			if err != nil {
				return err
			}
			if o.Plugin {
				if err := a.installPlugin(cmd.Context(), o, &r); err != nil {
					return err
				}
			}
			r.Notes = append(r.Notes, missingPrograms(o)...)
			return a.print(r, describeSetup(r))
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.User, "user", false, "write your own configuration, for every project")
	f.StringSliceVar(&names, "client", []string{string(setup.Claude)}, "which client; may be repeated")
	f.StringVar(&o.Hub, "url", "", "address of a team's hub in place of your own (this version cannot be one)")
	f.BoolVar(&o.HTTP, "http", false, "call the hub's /mcp in place of starting coord-shim")
	f.BoolVar(&o.Plugin, "plugin", false, "Claude Code: install the plugin in place of server and hooks in files")
	f.BoolVar(&o.Shared, "shared", false, "Claude Code: write settings.json, which is committed, in place of settings.local.json")
	f.BoolVar(&o.NoHooks, "no-hooks", false, "Claude Code: write no hooks")
	f.BoolVar(&o.NoMemory, "no-claude-md", false, "Claude Code: write no section in CLAUDE.md")
	f.BoolVar(&o.StatusLine, "statusline", false, "Claude Code: show peers and waiting threads in the status line, if there is none")
	completeClients(cmd)
	return cmd
}

// uninstall takes back what init did.
func (a *app) uninstall() *cobra.Command {
	var o setup.Options
	var names []string
	var purge, force bool
	cmd := &cobra.Command{
		Use:   "uninstall [DIR | --user]",
		Short: "Take back what init wrote",
		Long: "A file that nobody touched since gets its old bytes back, or is removed if init made it;\n" +
			"from any other only coord's own entries are taken. --purge removes the home of coord as\n" +
			"well: its database, logs and token.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.place(&o, args, names); err != nil {
				return err
			}
			if o.Dir == "" && !o.User && !purge {
				return coord.Errorf(coord.Invalid, "name a directory, or give --user or --purge", "nothing is named to take back")
			}
			if force && !purge {
				return coord.Errorf(coord.Invalid, "leave it out", "--force is for --purge")
			}
			r := setup.Result{Files: []setup.FileResult{}, Notes: []string{}}
			if o.Dir != "" || o.User {
				var err error
				if r, err = setup.Uninstall(cmd.Context(), o); err != nil {
					return err
				}
			}
			if purge {
				if err := a.purge(cmd.Context(), o.Home, force, &r); err != nil {
					return err
				}
			}
			return a.print(r, describeSetup(r))
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.User, "user", false, "take it out of your own configuration")
	f.StringSliceVar(&names, "client", nil, "only this client; may be repeated")
	f.BoolVar(&purge, "purge", false, "remove the home of coord too")
	f.BoolVar(&force, "force", false, "purge although there is data")
	completeClients(cmd)
	return cmd
}

// place fills in where and for whom.
func (a *app) place(o *setup.Options, args, names []string) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	o.Home, o.Getenv, o.Clients = home, a.getenv, nil
	for _, n := range names {
		o.Clients = append(o.Clients, setup.Client(n))
	}
	if len(args) > 0 {
		if o.Dir, err = filepath.Abs(args[0]); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) snippet(ctx context.Context, o setup.Options) error {
	parts, err := setup.Snippet(ctx, o)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "# %s\n%s\n", p.File, p.Text)
	}
	b.WriteString("# Nothing was written. coord-hub init DIR writes it.")
	return a.print(struct {
		Parts []setup.Part `json:"parts"`
	}{parts}, b.String())
}

// findProgram looks beside this program, then on the PATH.
func findProgram(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	found, err := exec.LookPath(name)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err != nil {
		return "", coord.Errorf(coord.NotFound, "run make install", "there is no %s beside this program or on PATH", name)
	}
	return found, nil
}

// missingPrograms says which programs the clients will not find.
func missingPrograms(o setup.Options) []string {
	var out []string
	for _, name := range []string{"coord-shim", "coord-hook"} {
		if o.User || o.HTTP && name == "coord-shim" || o.NoHooks && name == "coord-hook" {
			continue
		}
		if _, err := exec.LookPath(name); err != nil {
			out = append(out, name+" is not on your PATH: put its directory there, or use --user, which writes the whole path.")
		}
	}
	return out
}

func describeSetup(r setup.Result) string {
	var lines []string
	for _, f := range r.Files {
		line := fmt.Sprintf("%-9s %s", f.Action, f.Path)
		if f.Note != "" {
			line += " (" + f.Note + ")"
		}
		lines = append(lines, line)
	}
	lines = append(lines, r.Notes...)
	if len(lines) == 0 {
		return "There is nothing of coord to take back."
	}
	return strings.Join(lines, "\n")
}

// purge removes the home. A hub that runs would make it again at once.
func (a *app) purge(ctx context.Context, home config.Home, force bool, r *setup.Result) error {
	switch _, err := daemon.Ask(ctx, home); {
	case err == nil:
		return coord.Errorf(coord.Conflict, "run coord-hub stop first", "the hub of %s is running", home.Dir())
	case !errors.Is(err, daemon.ErrNotRunning):
		return err
	}
	removed, err := setup.Purge(home, force)
	if err != nil {
		return err
	}
	if removed {
		r.Notes = append(r.Notes, "removed "+home.Dir())
	}
	return nil
}

func clientNames() string {
	var names []string
	for _, c := range setup.Clients() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

func completeClients(cmd *cobra.Command) {
	err := cmd.RegisterFlagCompletionFunc("client", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return strings.Split(clientNames(), ", "), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag is ours
	}
}
