package process_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

func TestAZombieIsGone(t *testing.T) {
	cmd, end := startSleeper(t)
	p := coord.Process{PID: cmd.Process.Pid}
	end()
	// WNOWAIT: wait for its death, yet leave it unreaped.
	if err := waitUnreaped(p.PID); err != nil {
		t.Fatal(err)
	}
	if process.Alive(p) {
		t.Error("a dead process that nobody has reaped counts as alive")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// waitUnreaped blocks until the child has ended and leaves it a zombie.
func waitUnreaped(pid int) error {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err
		}
	}
}
