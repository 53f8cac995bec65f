package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// SpawnOptions say which hub to start.
type SpawnOptions struct {
	Home    config.Home // required
	Program string      // coord-hub; required
	Args    []string    // of the program, "serve" among them
	Env     []string    // as for exec.Cmd; nil = ours
}

// Spawn starts a hub by hand that outlives this process and gives its status
// once it answers. The error holds what the hub said before it ended.
func Spawn(ctx context.Context, o SpawnOptions) (Status, error) {
	if err := o.Home.Prepare(); err != nil {
		return Status{}, err
	}
	// What the hub says outside its log, a panic above all, goes here.
	name := filepath.Join(filepath.Dir(o.Home.LogFile()), "hub.stderr")
	stderr, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600) // #nosec G304 -- below the home
	if err != nil {
		return Status{}, &coord.Error{Code: coord.Unavailable, What: "cannot write " + name, Next: "check the disk and its rights", Err: err}
	}
	defer stderr.Close()
	cmd := exec.Command(o.Program, o.Args...) // #nosec G204 -- this very program, as the user calls it
	cmd.Env, cmd.Stderr = o.Env, stderr
	process.Detach(cmd)
	if err := cmd.Start(); err != nil {
		return Status{}, &coord.Error{Code: coord.Internal, What: "cannot start " + o.Program, Next: "run make install in the coord repository", Err: err}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return await(ctx, o.Home, cmd.Process.Pid, ended, name)
}

// await asks until the hub answers or the started process has ended.
func await(ctx context.Context, home config.Home, pid int, ended <-chan error, stderr string) (Status, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := Ask(ctx, home)
		if err == nil && s.Daemon.PID == pid {
			return s, nil
		}
		select {
		case exit := <-ended:
			if exit != nil {
				return Status{}, &coord.Error{Code: coord.Unavailable, What: "the hub ended at once: " + lastWords(stderr, exit), Err: exit}
			}
			return Ask(ctx, home) // it found another one at work
		case <-tick.C:
		case <-ctx.Done():
			return Status{}, coord.Errorf(coord.Unavailable, "see coord-hub logs", "the hub (pid %d) was started and does not answer", pid)
		}
	}
}

// lastWords gives why a program has ended: its error, else its panic, else the
// last line it has written, else what can be found out.
func lastWords(file string, exit error) string {
	raw, err := os.ReadFile(file) // #nosec G304 -- written by the program we have started
	if err != nil {
		raw = nil
	}
	lines := strings.Split(strings.TrimSpace(coord.CleanText(string(raw))), "\n")
	from := max(0, len(lines)-1)
	for i, line := range lines {
		if strings.HasPrefix(line, "coord-hub: ") && !strings.HasPrefix(line, "coord-hub: warning:") {
			from = i // an error may have several lines
		} else if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			lines, from = lines[:i+1], i // what follows are stacks
			break
		}
	}
	if words := strings.TrimPrefix(strings.Join(lines[from:], " | "), "coord-hub: "); words != "" {
		return words
	}
	if err := writable(filepath.Dir(file)); err != nil {
		return fmt.Sprintf("%v, and nothing can be written (%v); free space on the disk that holds the coord home", exit, err)
	}
	return fmt.Sprintf("%v; see coord-hub logs", exit)
}

// writable tries to store something in a directory.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, "probe-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
