package config

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// onNetwork looks at the deepest part of dir that exists.
func onNetwork(dir string) bool {
	for {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err == nil {
			return st.Flags&unix.MNT_LOCAL == 0
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}
