package process

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// zombie is SZOMB of <sys/proc.h>.
const zombie = 5

func startTime(pid int) (int64, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(info.Proc.P_pid) != pid {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return 0, fmt.Errorf("process %d: %w", pid, errGone)
		}
		return 0, fmt.Errorf("process %d cannot be looked at: %v", pid, err)
	}
	if info.Proc.P_stat == zombie {
		return 0, fmt.Errorf("process %d has ended: %w", pid, errGone)
	}
	t := info.Proc.P_starttime
	return t.Sec*1e6 + int64(t.Usec), nil
}
