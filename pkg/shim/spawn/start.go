package spawn

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// startAsBefore starts a hub as the one was started that is gone without a
// proper end, or was replaced. When that fails, as with a port that somebody
// else has taken since, the plain one does.
func (s *starter) startAsBefore(ctx context.Context) (client.Hello, bool, error) {
	if s.before.Instance == "" {
		if d, err := config.ReadDiscovery(s.Home); err == nil {
			s.before = d
		}
	}
	plain := s.arguments("--auto")
	if s.before.Instance == "" || s.before.Auto || len(s.before.Args) == 0 {
		return s.start(ctx, plain)
	}
	for range 2 { // the one before may hold its lock for a moment
		hello, found, err := s.start(ctx, s.arguments(s.before.Args...))
		if err == nil || ctx.Err() != nil {
			return hello, found, err
		}
		s.Log.Warn("a hub with the flags of the one before does not start", "flags", s.before.Args, "error", err)
	}
	return s.start(ctx, plain)
}

// start runs the hub's program and waits until it answers. found is false, with
// no error, when the program left because another hub still holds the lock.
func (s *starter) start(ctx context.Context, args []string) (hello client.Hello, found bool, err error) {
	child, err := s.launch(args)
	if err != nil {
		return hello, false, err
	}
	for pause := newPause(); ; {
		waitErr := pause.wait(ctx, child.ended)
		hello, state, err := s.look(ctx)
		switch {
		case state == ready || state == outdated: // what we start is what we use
			return hello, true, nil
		case child.hasEnded():
			return hello, false, child.failure()
		case waitErr != nil:
			return hello, false, s.tooLong(waitErr, fmt.Sprintf("the one just started (process %d) does not answer%s", child.pid, child.lastWords()))
		case err != nil:
			return hello, false, err
		}
	}
}

// child is a hub that we have started.
type child struct {
	pid    int
	binary string
	stderr string // file
	log    string // file
	logged int64  // size of log before the start

	ended chan struct{} // closed when the process is gone
	err   error         // how it ended; set before ended is closed
}

// launch starts the hub detached: a session of its own, nothing of ours
// inherited but an environment without the project in it. What it says before
// it has its log goes to a file, never to our own output.
func (s *starter) launch(args []string) (*child, error) {
	binary, err := s.binary()
	if err != nil {
		return nil, err
	}
	c := &child{binary: binary, log: s.Home.LogFile(), ended: make(chan struct{}),
		stderr: filepath.Join(filepath.Dir(s.Home.LogFile()), "hub.stderr")}
	if info, err := os.Stat(c.log); err == nil {
		c.logged = info.Size()
	}
	stderr, err := os.OpenFile(c.stderr, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600) // #nosec G304 -- below the home
	if err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot write " + c.stderr, Next: "check the disk and its rights", Err: err}
	}
	defer stderr.Close()
	cmd := exec.Command(binary, args...) // #nosec G204 -- the hub's program, chosen by the user's installation
	cmd.Env = scrubbed(os.Environ(), s.Home.Dir())
	cmd.Stderr = stderr
	process.Detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot start " + binary + ": " + err.Error(), Next: "run make install in the coord repository", Err: err}
	}
	c.pid = cmd.Process.Pid
	if err := s.note(c.pid); err != nil {
		s.Log.Warn("the start of a hub is not noted", "pid", c.pid, "error", err)
	}
	s.Log.Info("started a hub", "binary", binary, "pid", c.pid)
	go func() {
		c.err = cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// note remembers who was launched, beside others that may still be on their way.
func (s *starter) note(pid int) error {
	start, err := process.StartTime(pid)
	if err != nil {
		return err
	}
	living := slices.DeleteFunc(config.ReadLaunched(s.Home), func(p coord.Process) bool { return !process.Alive(p) })
	return config.WriteLaunched(s.Home, append(living, coord.Process{PID: pid, Start: start}))
}

// arguments are those of a hub with the flags: it serves the database that we
// know of, or the one that was served before.
func (s *starter) arguments(flags ...string) []string {
	home := s.Home
	if home.OwnData() {
		home = home.WithData(s.before.DataDir)
	}
	args := append([]string{"serve"}, flags...)
	if !home.OwnData() {
		args = append(args, "--data-dir", home.DataDir())
	}
	return args
}

// passedOn is the hub's environment beside XDG_* and its home: what it needs of
// the user, nothing of the project we were started in.
var passedOn = []string{"HOME", "PATH", "USER", "TMPDIR", "LANG", "CLAUDE_CONFIG_DIR"}

func scrubbed(environ []string, home string) []string {
	var out []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(passedOn, name) || strings.HasPrefix(name, "XDG_") {
			out = append(out, kv)
		}
	}
	return append(out, "COORDINATOR_HOME="+home)
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// failure words the end of a hub that never answered. Exit code 0 is none: it
// found another hub at work.
func (c *child) failure() error {
	if c.err == nil {
		return nil
	}
	return &coord.Error{Code: coord.Unavailable, What: fmt.Sprintf("%s ended at once (%v)%s", c.binary, c.err, c.lastWords()),
		Next: "read " + c.log, Err: c.err}
}

// lastWords gives what the child said last, ready to follow a sentence.
func (c *child) lastWords() string {
	for _, source := range []struct {
		name string
		from int64
	}{{c.stderr, 0}, {c.log, c.logged}} {
		if words := tail(source.name, source.from); words != "" {
			return ": " + words
		}
	}
	return ""
}

// maxWords is how much of the hub's output an error carries, in bytes.
const maxWords = 600

func tail(name string, from int64) string {
	f, err := os.Open(name) // #nosec G304 -- below the home
	if err != nil {
		return ""
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err != nil || end < from {
		from = 0 // rotated meanwhile
	} else {
		from = max(from, end-maxWords)
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, from, maxWords))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(coord.CleanText(string(raw))), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}
