package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// Fields of /proc/<pid>/stat, counted from the one after the command's ")"
// (proc(5) counts them from 1: state is 3, starttime 22).
const (
	statState = 0
	statStart = 19
)

func startTime(pid int) (int64, error) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	switch {
	case errors.Is(err, syscall.ESRCH):
		return 0, fmt.Errorf("process %d: %w", pid, errGone) // ended while we read
	case errors.Is(err, fs.ErrNotExist) && syscall.Kill(pid, 0) == syscall.ESRCH:
		return 0, fmt.Errorf("process %d: %w", pid, errGone)
	case err != nil:
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	// The command may itself hold spaces and parentheses.
	_, rest, ok := bytes.Cut(raw[bytes.LastIndexByte(raw, ')')+1:], []byte(" "))
	fields := bytes.Fields(rest)
	if !ok || len(fields) <= statStart {
		return 0, fmt.Errorf("process %d: /proc stat has no start time", pid)
	}
	if s := fields[statState][0]; s == 'Z' || s == 'X' {
		return 0, fmt.Errorf("process %d has ended: %w", pid, errGone)
	}
	return strconv.ParseInt(string(fields[statStart]), 10, 64)
}
