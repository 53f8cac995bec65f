package peer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func uidOf(fd int) (int, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return -1, fmt.Errorf("peer uid: SO_PEERCRED: %w", err)
	}
	return int(cred.Uid), nil
}

func pidOf(fd int) (int, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return -1, fmt.Errorf("peer pid: SO_PEERCRED: %w", err)
	}
	return int(cred.Pid), nil
}
