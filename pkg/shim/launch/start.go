package launch

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// Child is a hub that we have started.
type Child struct {
	PID     int
	Ended   <-chan struct{} // closed when the process is gone
	Unnoted error           // why its start is not remembered for the next starter; nil = it is

	binary string
	stderr string // file
	log    string // file
	logged int64  // size of log before the start

	err error // how it ended; set before Ended is closed
}

// Start starts the hub of a prepared home, detached: a session of its own,
// nothing of ours inherited but an environment without the project in it. What
// it says before it has its log goes to a file, never to our own output. The
// caller holds the home's start lock; a goroutine waits for the hub's end, so
// that it leaves no zombie.
func Start(home config.Home, binary string, args []string) (*Child, error) {
	ended := make(chan struct{})
	c := &Child{binary: binary, log: home.LogFile(), Ended: ended,
		stderr: filepath.Join(filepath.Dir(home.LogFile()), "hub.stderr")}
	if info, err := os.Stat(c.log); err == nil {
		c.logged = info.Size()
	}
	stderr, err := os.OpenFile(c.stderr, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600) // #nosec G304 -- below the home
	if err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot write " + c.stderr, Next: "check the disk and its rights", Err: err}
	}
	defer stderr.Close()
	cmd := exec.Command(binary, args...) // #nosec G204 -- the hub's program, chosen by the user's installation
	cmd.Env = Scrubbed(os.Environ(), home.Dir())
	cmd.Stderr = stderr
	process.Detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot start " + binary + ": " + err.Error(), Next: "run make install in the coord repository", Err: err}
	}
	c.PID = cmd.Process.Pid
	c.Unnoted = note(home, c.PID)
	go func() {
		c.err = cmd.Wait()
		close(ended)
	}()
	return c, nil
}

// Arguments are those of a hub with the flags: it serves the database that we
// know of, or the one that was served before. The zero Discovery is none.
func Arguments(home config.Home, before config.Discovery, flags ...string) []string {
	if home.OwnData() {
		home = home.WithData(before.DataDir)
	}
	args := append([]string{"serve"}, flags...)
	if !home.OwnData() {
		args = append(args, "--data-dir", home.DataDir())
	}
	return args
}

// note remembers who was launched, beside others that may still be on their way.
func note(home config.Home, pid int) error {
	start, err := process.StartTime(pid)
	if err != nil {
		return err
	}
	living := slices.DeleteFunc(config.ReadLaunched(home), func(p coord.Process) bool { return !process.Alive(p) })
	return config.WriteLaunched(home, append(living, coord.Process{PID: pid, Start: start}))
}

// passedOn is the hub's environment beside XDG_* and its home: what it needs of
// the user, nothing of the project we were started in.
var passedOn = []string{"HOME", "PATH", "USER", "TMPDIR", "LANG", "CLAUDE_CONFIG_DIR"}

// Scrubbed gives the environment a hub of this home runs with.
func Scrubbed(environ []string, home string) []string {
	var out []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(passedOn, name) || strings.HasPrefix(name, "XDG_") {
			out = append(out, kv)
		}
	}
	return append(out, "COORDINATOR_HOME="+home)
}

// HasEnded reports whether the process is gone.
func (c *Child) HasEnded() bool {
	select {
	case <-c.Ended:
		return true
	default:
		return false
	}
}

// Failure words the end of a hub that never answered. Exit code 0 is none: it
// found another hub at work.
func (c *Child) Failure() error {
	if c.err == nil {
		return nil
	}
	return &coord.Error{Code: coord.Unavailable, What: fmt.Sprintf("%s ended at once (%v)%s", c.binary, c.err, c.LastWords()),
		Next: "read " + c.log, Err: c.err}
}

// LastWords gives what the child said last, ready to follow a sentence.
func (c *Child) LastWords() string {
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
