package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

func startTime(pid int) (int64, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return 0, fmt.Errorf("process %d: %w", pid, errGone)
	}
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	defer windows.CloseHandle(h)
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	if exited != (windows.Filetime{}) {
		return 0, fmt.Errorf("process %d has ended: %w", pid, errGone)
	}
	return int64(created.HighDateTime)<<32 | int64(created.LowDateTime), nil
}
