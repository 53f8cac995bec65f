//go:build unix

package process

import (
	"os/exec"
	"syscall"
)

// Detach makes the command, not started yet, outlive this process: a session of
// its own, so that no signal of our terminal reaches it, working directory "/",
// and no standard stream of ours unless the caller has set one. Reap the child
// with a goroutine in Wait, or it stays a zombie while this process lives.
func Detach(cmd *exec.Cmd) {
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}
