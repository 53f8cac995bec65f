package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coordhq/coord/pkg/build"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/demo"
)

// app is what all commands share.
type app struct {
	out, err io.Writer
	getenv   func(string) string
	begun    bool // a command runs: an error from here on is not one of usage

	json    bool
	dataDir string
}

// root makes the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "coord-hub",
		Short: "Live coordination for coding agents that work on one repository",
		Long: "coord-hub is where the coding agents of one user meet. It starts by itself with the\n" +
			"first session that needs it and leaves when nobody does; these commands are for\n" +
			"looking at it and for running it by hand.\n\n" +
			"Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 no hub is running, or the quota is used up.",
		Version:          build.Version(linked),
		SilenceErrors:    true,
		SilenceUsage:     true,
		PersistentPreRun: func(*cobra.Command, []string) { a.begun = true },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate(versionLine() + "\n")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.PersistentFlags().StringVar(&a.dataDir, "data-dir", "", row(config.DataDir).Text)
	root.AddCommand(
		a.serve(), a.start(), a.stop(), a.restart(),
		a.status(), a.dashboard(), a.top(), a.logs(), a.quota(), a.backup(), a.restore(), a.version(),
		a.initCommand(), a.uninstall(), a.doctor(), a.login(), a.release(), a.thread(),
		demo.Command(),
	)
	return root
}

// home finds the home these commands are about.
func (a *app) home() (config.Home, error) { return config.Find(a.getenv, a.dataDir) }

// print writes a result, as JSON or in words.
func (a *app) print(v any, words string) error {
	if !a.json {
		_, err := fmt.Fprintln(a.out, words)
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s\n", raw)
	return err
}

// hubFlags are the flags of a hub, from the table of settings: those that one
// of the programs reads. --data-dir is every command's.
func hubFlags(readers config.Program) *pflag.FlagSet {
	flags := pflag.NewFlagSet("hub", pflag.ContinueOnError)
	for _, r := range config.Table {
		if r.Flag == "" || r.Key == config.DataDir || r.Readers&readers == 0 {
			continue
		}
		text := r.Text
		if r.Default != "" {
			text += " Default " + r.Default + "."
		}
		flags.String(r.Flag, "", text)
	}
	return flags
}

// given collects the hub's flags that were set.
func (a *app) given(cmd *cobra.Command) (args []string, byName map[string]string) {
	byName = map[string]string{}
	if a.dataDir != "" {
		byName["data-dir"] = a.dataDir
	}
	hubFlags(config.Serve | config.Auto).VisitAll(func(f *pflag.Flag) {
		if set := cmd.Flags().Lookup(f.Name); set != nil && set.Changed {
			args = append(args, "--"+f.Name+"="+set.Value.String())
			byName[f.Name] = set.Value.String()
		}
	})
	return args, byName
}

// row finds a setting in the table.
func row(k config.Key) *config.Setting {
	for _, r := range config.Table {
		if r.Key == k {
			return r
		}
	}
	panic("no setting " + string(k))
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.print(struct {
				Version  string `json:"version"`
				Protocol int    `json:"protocol"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
			}{build.Version(linked), config.Protocol, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}, versionLine())
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("coord-hub %s (protocol %d, %s %s/%s)", build.Version(linked), config.Protocol, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
