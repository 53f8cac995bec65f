package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/build"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// serve runs the hub in this process.
func (a *app) serve() *cobra.Command {
	var auto bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the hub in the foreground",
		Long: "Runs the hub of this user until a signal or coord-hub stop ends it. There is one hub per\n" +
			"home directory; a second one is refused.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, flags := a.given(cmd)
			program := config.Serve
			if auto {
				program = config.Auto
			}
			s, err := config.Load(config.Source{Program: program, Getenv: a.getenv, Flags: flags})
			if err != nil {
				return err
			}
			args := s.Args()
			if auto {
				args = append([]string{"--auto"}, args...)
			}
			return a.serveWith(cmd, s, auto, args)
		},
	}
	cmd.Flags().BoolVar(&auto, "auto", false, "started by a session: give way to a running hub, leave when nobody uses it")
	cmd.Flags().AddFlagSet(hubFlags(config.Serve | config.Auto))
	return cmd
}

func (a *app) serveWith(cmd *cobra.Command, s *config.Settings, auto bool, args []string) error {
	log, closer := daemon.OpenLog(a.logOptions(s, auto))
	defer closer.Close()
	for _, w := range s.Warnings {
		fmt.Fprintln(a.err, "coord-hub: warning:", w)
		log.Warn("a setting is not read", "setting", w)
	}
	var printed error
	d, err := daemon.New(daemon.Options{
		Home:        s.Home,
		Version:     build.Version(linked),
		Auto:        auto,
		IdleTimeout: s.IdleTimeout,
		Bind:        s.Bind,
		HTTP:        port(s, config.Port, s.Port),
		MQTT:        port(s, config.MQTTPort, s.MQTTPort),
		Durability:  s.Durability,
		Quota:       s.Quota,
		QuotaURL:    s.QuotaURL,
		Prices:      s.Prices,
		Keep:        daemon.Keep{Events: s.KeepEvents, Threads: s.KeepThreads, Agents: s.KeepAgents, Stats: s.KeepStats},
		Args:        args,
		Log:         log,
		Up: func(d config.Discovery) {
			if !auto {
				printed = a.print(d, "serving "+s.Home.Dir()+" "+doors(d.PID, d.HTTP, d.MQTT, d.Socket))
			}
		},
	})
	if err != nil {
		return err
	}
	if err := d.Run(cmd.Context()); err != nil {
		return err
	}
	return printed
}

// port is exact when somebody has chosen it; the default gives way to a free one.
func port(s *config.Settings, k config.Key, number int) daemon.Port {
	return daemon.Port{Number: number, Chosen: s.Origin(k) != config.FromDefault}
}

// doors words where a hub is.
func doors(pid int, http, mqtt, socket string) string {
	parts := []string{fmt.Sprintf("(pid %d)", pid)}
	if http != "" {
		parts = append(parts, "http://"+http)
	}
	if mqtt != "" {
		parts = append(parts, "mqtt://"+mqtt)
	}
	return strings.Join(append(parts, socket), "  ")
}

// logOptions sends the log to its file and, when somebody watches or has asked
// for a format, to stderr too.
func (a *app) logOptions(s *config.Settings, auto bool) daemon.LogOptions {
	o := daemon.LogOptions{File: s.Home.LogFile(), Level: s.LogLevel}
	watched := terminal(a.err)
	if !auto && (watched || s.LogFormat != "") {
		o.Screen = a.err
		o.Pretty = s.LogFormat != "json"
		o.Color = watched && a.getenv("NO_COLOR") == ""
	}
	return o
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}
