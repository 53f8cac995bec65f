// Command coord-hook is what a client runs at each event of a session. See
// package hook.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/coordhq/coord/pkg/build"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook"
)

// linked is the version the linker sets; "" = go build without it.
var linked string

// Exit codes. 2 is for package hook alone: a client takes it as a refusal.
const (
	exitOK     = 0
	exitFailed = 1
)

const help = `coord-hook tells coord what happens in a session of a coding agent, and the
session what the others do. The client runs it, with JSON on stdin; "coord-hub
init" writes the configuration.

Usage:
  coord-hook EVENT [--client claude]

EVENT is session-start, prompt, pre-tool, post-tool, tool-failed, stop,
stop-failed, subagent-start, subagent-stop, idle, session-end or rewake, or
Claude Code's own name of the event.

Environment:
  COORDINATOR_HOME     directory of the hub (~/.coord)
  COORDINATOR_ENFORCE  off, warn or deny (deny): what the edit gate may do
  COORDINATOR_STRICT   1 refuses edits while no hub answers, or that it cannot read
  COORDINATOR_PROJECT  project id, in place of the repository's
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 3 && args[0] == hook.ReconcileWord { // left behind by a hook
		return hook.Reconcile(context.Background(), args[1], coord.WorkspaceID(args[2]))
	}
	o := hook.Options{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: build.Version(linked)}
	for len(args) > 0 {
		switch arg := args[0]; {
		case arg == "--version":
			fmt.Println("coord-hook", build.Version(linked))
			return exitOK
		case arg == "--help" || arg == "-h":
			fmt.Print(help)
			return exitOK
		case arg == "--client" && len(args) > 1:
			o.Client, args = args[1], args[1:]
		case len(arg) > 9 && arg[:9] == "--client=":
			o.Client = arg[9:]
		case arg == "" || arg[0] == '-' || o.Event != "":
			fmt.Fprintf(os.Stderr, "coord-hook: unexpected argument %q\nTry 'coord-hook --help'.\n", arg)
			return exitFailed
		default:
			o.Event = arg
		}
		args = args[1:]
	}
	return hook.Run(context.Background(), o)
}
