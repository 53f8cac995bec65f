// Command coord-shim is the MCP server (stdio) that an MCP client starts beside
// each of its sessions. See package shim.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/coordhq/coord/pkg/build"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/shim"
	"github.com/coordhq/coord/pkg/statusline"
)

// linked is the version when the linker sets it.
var linked string

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const help = `coord-shim is the MCP server of coord: it connects one session of a coding
agent to the others that work on the same repository.

An MCP client starts it, with no arguments, and speaks to it over stdin and
stdout. Configure it there; for Claude Code, in .mcp.json of the repository:

  {"mcpServers": {"coord": {"command": "coord-shim"}}}

It starts the hub (coord-hub) by itself when there is none.

Usage:
  coord-shim [flags]
  coord-shim statusline    print one line for Claude Code's status line

Flags:
%s
Environment:
  COORDINATOR_HOME        directory of the hub (~/.coord)
  COORDINATOR_AGENT_NAME  name that other agents see
  COORDINATOR_PROJECT     project id, in place of the repository's
  COORDINATOR_TOOLS       core offers the eight tools that matter most
  COORDINATOR_WAKE        off: news never wakes an idle session
`

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	out := os.Stdout
	os.Stdout = os.Stderr // stdout belongs to the protocol: a stray print must not break it

	flags := pflag.NewFlagSet("coord-shim", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	showVersion := flags.Bool("version", false, "print the version and exit")
	showHelp := flags.BoolP("help", "h", false, "print this help and exit")
	err := flags.Parse(args)
	switch {
	case err != nil:
		return usage(err.Error())
	case flags.NArg() == 1 && flags.Arg(0) == "statusline" && !*showHelp && !*showVersion:
		return statusLine(out)
	case flags.NArg() > 0:
		return usage(fmt.Sprintf("unexpected argument %q", flags.Arg(0)))
	case *showHelp:
		fmt.Fprintf(out, help, flags.FlagUsages())
		return exitOK
	case *showVersion:
		fmt.Fprintln(out, "coord-shim", build.Version(linked))
		return exitOK
	}
	if err := serve(out); err != nil {
		fmt.Fprintln(os.Stderr, "coord-shim:", err)
		return exitFailed
	}
	return exitOK
}

// statusLine prints the line of a client's status line. What goes wrong is not
// the client's business: the line stays empty.
func statusLine(out io.Writer) int {
	if onTerminal(os.Stdin) {
		fmt.Fprintln(os.Stderr, "coord-shim statusline reads the JSON that Claude Code gives its status line; coord-hub init --statusline configures it.")
		return exitOK
	}
	_ = statusline.Run(context.Background(), statusline.Options{Stdin: os.Stdin, Stdout: out, Parent: os.Getppid()})
	return exitOK
}

func usage(what string) int {
	fmt.Fprintf(os.Stderr, "coord-shim: %s\nTry 'coord-shim --help'.\n", what)
	return exitUsage
}

func serve(out *os.File) error {
	runSparingly()
	settings, err := config.Load(config.Source{Program: config.Shim, Getenv: os.Getenv})
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the working directory: %w", err)
	}
	if onTerminal(os.Stdin) {
		fmt.Fprintln(os.Stderr, `coord-shim is an MCP server; an MCP client starts it. For Claude Code: {"mcpServers":{"coord":{"command":"coord-shim"}}} in .mcp.json. It now reads JSON-RPC from this terminal; Ctrl-D ends it.`)
	}
	s, err := shim.New(shim.Options{
		Stdin: pollable(os.Stdin), Stdout: pollable(out), Stderr: os.Stderr,
		Home: settings.Home, Dir: dir, AgentName: settings.AgentName, Core: settings.CoreTools, NoWake: settings.NoWake, Wrong: settings.Wrong, Version: build.Version(linked),
	})
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(out) // the descriptor would be closed with it
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
	defer stop()
	// A client that goes away must not kill us in the middle of a write: the
	// write fails, and we leave the hub in an orderly way.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := s.Run(ctx); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// runSparingly fits the runtime to a program that hands short lines to and fro
// and stays as long as its session. One processor: with a second, each step of a
// call would wake another thread. A heap that is collected at half its usual
// growth: a call is short-lived, and memory is held by every session.
func runSparingly() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(50)
}

func onTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
