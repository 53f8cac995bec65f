package process

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// Detach makes the command, not started yet, outlive this process: a process
// group of its own without our console, and no standard stream of ours unless
// the caller has set one.
func Detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}
