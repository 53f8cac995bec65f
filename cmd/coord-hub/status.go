package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook"
	"github.com/coordhq/coord/pkg/hook/reconcile"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/tool"
)

// status shows the running hub.
func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the running hub and what it coordinates",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			if set, err := config.Load(config.Source{Program: config.Auto, Getenv: a.getenv}); err == nil {
				for _, w := range set.Warnings {
					fmt.Fprintln(a.err, "coord-hub: warning:", w)
				}
			}
			s, err := daemon.Ask(cmd.Context(), home)
			if err != nil {
				return a.notRunning(home, err)
			}
			paused := reconcile.Paused(hook.ReconcileDir(home), time.Now())
			aside, err := daemon.Aside(s, home)
			if err != nil {
				return err
			}
			return a.print(struct {
				Running bool `json:"running"`
				daemon.Status
				Aside     daemon.KeptAside  `json:"kept_aside"`
				Unwatched []reconcile.Pause `json:"unwatched,omitempty"`
			}{true, s, aside, paused}, describe(s, home)+keptAside(aside)+unwatched(paused))
		},
	}
}

// keptAside words what restores have kept, nothing when there is nothing.
func keptAside(k daemon.KeptAside) string {
	if len(k.Files) == 0 {
		return ""
	}
	return fmt.Sprintf("\n%-12s %d of before a restore, %d KiB, the newest %s; delete what you do not need", "databases", len(k.Files), (k.Bytes+1023)/1024, k.Files[0])
}

// unwatched words, a line each, where git is too slow to be asked after shell
// commands.
func unwatched(paused []reconcile.Pause) string {
	var b strings.Builder
	for _, p := range paused {
		fmt.Fprintf(&b, "\n%-12s %s: git status took over 5 s twice; what shell commands write there is only found in known files until %s", "unwatched",
			coord.CleanText(string(p.Workspace)), p.Since.Add(24*time.Hour).Format(time.RFC3339))
	}
	return b.String()
}

// describe words a status, a line for each thing.
func describe(s daemon.Status, home config.Home) string {
	d := s.Daemon
	how := "by hand"
	if d.Auto {
		how = "by a session"
	}
	lines := [][2]string{
		{"hub", fmt.Sprintf("coord-hub %s, pid %d, started %s, up %s", s.Hub.Version, d.PID, how, coord.Ago(time.Duration(d.UptimeSeconds)*time.Second))},
		{"home", d.Home},
		{"data", d.DataDir},
		{"http", closed(d.HTTP, "http://")},
		{"mqtt", closed(d.MQTT, "mqtt://")},
		{"sockets", d.Socket + "  " + d.MQTTSocket},
		{"agents", online(s.Agents)},
		{"threads", fmt.Sprintf("%d open, %d resolving", s.Threads.Open, s.Threads.Resolving)},
		{"connections", fmt.Sprintf("%d http, %d mqtt", d.Connections, s.MQTT.Connections)},
		{"events", fmt.Sprintf("%d pushed, %d dropped", s.MQTT.Published, s.MQTT.Dropped)},
		{"quota", used(s, home)},
		{"log", d.Log},
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%-12s %s\n", l[0], l[1])
		if l[0] == "agents" {
			here(&b, s.Agents)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// used words the use of the user's plan, by what is used most of it.
func used(s daemon.Status, home config.Home) string {
	switch q := s.Quota; {
	case !s.Daemon.Quota:
		return "off; " + quotaSwitch(home)
	case q == nil:
		return "not measured yet; coord-hub quota says why"
	case q.ResetsAt == 0:
		return fmt.Sprintf("%.1f %% used", q.UtilizationPct)
	default:
		return fmt.Sprintf("%.1f %% used, %s", q.UtilizationPct, resets(q.ResetsAt))
	}
}

// online counts who is here, and apart from them those whose connection is gone
// for the moment.
func online(n tool.AgentCount) string {
	if n.Away == 0 {
		return fmt.Sprintf("%d online", n.Online)
	}
	return fmt.Sprintf("%d online, %d returning or lost", n.Online-n.Away, n.Away)
}

func closed(address, scheme string) string {
	if address == "" {
		return "closed (see the log)"
	}
	return scheme + address
}

// here lists who is online, a line each.
func here(b *strings.Builder, agents tool.AgentCount) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, a := range agents.Here {
		doing := string(a.Activity)
		if file := a.CurrentFile.String(); file != "" {
			doing += " " + file
		}
		fmt.Fprintf(w, "%13s%s\t%s\t%s\t%s\n", "", coord.CleanText(a.Name), coord.CleanText(a.Client), coord.CleanText(string(a.Project)), coord.CleanText(doing))
	}
	_ = w.Flush() // a strings.Builder takes everything
	if more := agents.Online - len(agents.Here); more > 0 {
		fmt.Fprintf(b, "%13sand %d more\n", "", more)
	}
}
