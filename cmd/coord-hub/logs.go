package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// logs shows the hub's log, of a hub that is gone too.
func (a *app) logs() *cobra.Command {
	var lines int
	var follow bool
	var components []string
	var level string
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show the hub's log",
		Long: "Shows the hub's log, of one that is gone too. Components: " + strings.Join(daemon.Components(), ", ") + ".\n" +
			"Each tool call stands in mcp, with its bytes and about how many tokens these are to a model. What shims and\n" +
			"hooks do by themselves is logged with LOG_LEVEL=debug only.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lines < 0 {
				return coord.Errorf(coord.Invalid, "give 0 or more", "-n is %d", lines)
			}
			filter, err := logFilter(components, level)
			if err != nil {
				return err
			}
			home, err := a.home()
			if err != nil {
				return err
			}
			old, err := daemon.ReadLog(home.LogFile(), lines, filter)
			if err != nil && !(follow && coord.CodeOf(err) == coord.NotFound) {
				return err
			}
			for _, l := range old {
				a.line(l)
			}
			if !follow {
				return nil
			}
			return daemon.FollowLog(cmd.Context(), home.LogFile(), func(l string) {
				if filter.Wants(l) {
					a.line(l)
				}
			})
		},
	}
	cmd.Flags().IntVarP(&lines, "lines", "n", 50, "show this many of the last lines")
	cmd.Flags().StringSliceVar(&components, "component", nil, "only what these log; may be repeated")
	cmd.Flags().StringVar(&level, "level", "", "only this level and above: debug, info, warn or error")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with each new line, until interrupted")
	return cmd
}

// logFilter reads the flags that choose lines.
func logFilter(components []string, level string) (daemon.LogFilter, error) {
	f := daemon.LogFilter{Components: components}
	for _, name := range components {
		if !slices.Contains(daemon.Components(), name) {
			return f, coord.Errorf(coord.Invalid, "use one of "+strings.Join(daemon.Components(), ", "), "no component %q", name)
		}
	}
	if level == "" {
		return f, nil
	}
	f.AtLeast = true
	if err := f.Level.UnmarshalText([]byte(level)); err != nil {
		return f, coord.Errorf(coord.Invalid, "use debug, info, warn or error", "no level %q", level)
	}
	return f, nil
}

// line prints one line of the log: as it is with --json, else in words.
func (a *app) line(l string) {
	if !a.json {
		l = readable(l)
	}
	_, _ = fmt.Fprintln(a.out, l) // whoever reads has gone: the signal comes next
}

// readable words one JSON line of the log; any other line stays as it is.
func readable(l string) string {
	var fields map[string]any
	if err := json.Unmarshal([]byte(l), &fields); err != nil {
		return coord.CleanText(l)
	}
	take := func(key string) string {
		v, ok := fields[key]
		delete(fields, key)
		if !ok {
			return "-"
		}
		return fmt.Sprint(v)
	}
	at := take("time")
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
		at = t.Local().Format("2006-01-02 15:04:05.000")
	}
	words := []string{at, fmt.Sprintf("%-5s", take("level")), fmt.Sprintf("%-12s", take("component")), take("msg")}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, key+"="+quoted(fields[key]))
	}
	return coord.CleanText(strings.Join(words, " "))
}

// quoted writes a value so that its end can be seen.
func quoted(v any) string {
	s, isText := v.(string)
	if !isText {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(raw)
	}
	if s == "" || strings.ContainsAny(s, " \t\n\"=") {
		return fmt.Sprintf("%q", s)
	}
	return s
}
