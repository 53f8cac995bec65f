// Command coord-hub is the hub of one user's coding agents: it runs it (serve,
// start, stop, restart) and shows what it does (status, logs).
//
// Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 no hub is running, or the quota is used up.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// linked is the version when the linker sets it.
var linked string

// Exit codes; scripts depend on them.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3
	exitOverQuota  = 3
)

func main() {
	syscall.Umask(0o077) // what we make is ours alone; every file asks for it too
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // under nohup it stays ignored
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // the second signal ends us at once
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run does what the arguments say and gives the exit code.
func run(ctx context.Context, args []string) int {
	app := &app{out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if errors.Is(err, syscall.EPIPE) { // whoever read our output has enough
		return exitFailed
	}
	if !app.begun { // the arguments were not understood
		err = coord.Errorf(coord.Invalid, "see coord-hub help", "%v", err)
	}
	fmt.Fprintln(app.err, "coord-hub:", err)
	switch {
	case errors.Is(err, daemon.ErrNotRunning):
		return exitNotRunning
	case errors.Is(err, errOverQuota):
		return exitOverQuota
	case coord.CodeOf(err) == coord.Invalid:
		return exitUsage
	}
	return exitFailed
}
