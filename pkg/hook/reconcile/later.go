package reconcile

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// Later leaves a ticket and starts the child that answers it: command (the hook
// program and its hidden subcommand) with the store's directory and the
// workspace as further arguments; there it calls [Store.Serve]. The child is
// detached and outlives this process. It is nil when none was started, because
// looking is off for this working tree (see [Store.Off]) or too many tickets
// wait. The caller releases it.
func (s *Store) Later(command []string, t Ticket) (*os.Process, error) {
	if _, off := s.Off(t.Workspace); off {
		return nil, nil
	}
	if waiting, _ := filepath.Glob(s.file(string(t.Workspace), ".*.ticket")); len(waiting) >= maxTickets {
		return nil, nil
	}
	if err := s.leave(key(string(t.Workspace))+".*.ticket", t); err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot write to " + s.Dir, Next: "check the disk and its rights", Err: err}
	}
	cmd := exec.Command(command[0], append(append([]string{}, command[1:]...), s.Dir, string(t.Workspace))...) // #nosec G204 -- our own program
	process.Detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot start " + command[0], Next: "install it again", Err: err}
	}
	return cmd.Process, nil
}
