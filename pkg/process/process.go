// Package process names operating-system processes so that a reused pid is not
// mistaken for the old one, tells whether such a process is gone, and detaches
// a child that must outlive its parent.
package process

import (
	"errors"
	"os"

	"github.com/coordhq/coord/pkg/coord"
)

// errGone marks a pid that no process has.
var errGone = errors.New("no such process")

// StartTime gives the start time of a process in the host's own units (clock
// ticks since boot on Linux, microseconds since 1970 on macOS, 100 ns since
// 1601 on Windows): together with the pid it names one process for good. A
// process that has ended, waited for or not, is an error.
func StartTime(pid int) (int64, error) { return startTime(pid) }

// Self names the running process.
func Self() coord.Process {
	start, err := StartTime(os.Getpid())
	if err != nil {
		start = 0 // unknown; a reader then compares the pid alone
	}
	return coord.Process{PID: os.Getpid(), Start: start}
}

// Alive reports false only for a process of this host that is verified gone:
// no process has its pid, the one that has it started at another time, or it
// has ended and waits to be reaped. An unknown process (PID 0) counts as alive,
// and so does one that cannot be looked at.
func Alive(p coord.Process) bool {
	if p.PID <= 0 {
		return true
	}
	start, err := StartTime(p.PID)
	if errors.Is(err, errGone) {
		return false
	}
	return err != nil || p.Start == 0 || start == p.Start
}
