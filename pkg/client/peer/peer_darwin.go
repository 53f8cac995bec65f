package peer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func uidOf(fd int) (int, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return -1, fmt.Errorf("peer uid: LOCAL_PEERCRED: %w", err)
	}
	return int(cred.Uid), nil
}

func pidOf(fd int) (int, error) {
	pid, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	if err != nil {
		return -1, fmt.Errorf("peer pid: LOCAL_PEERPID: %w", err)
	}
	return pid, nil
}
