//go:build unix

package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// sharedTemp is where the run directory goes when the user has no runtime
// directory. The name carries the uid; Prepare checks the owner.
const sharedTemp = "/tmp"

func ownedByUs(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

func openToOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }

func uidText() string { return strconv.Itoa(os.Geteuid()) }

// runtimeBases are directories of this user alone, best first.
func runtimeBases(getenv func(string) string) []string {
	var bases []string
	if xdg := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(xdg) && len(xdg) < 60 {
		bases = append(bases, filepath.Clean(xdg))
	}
	return append(bases, "/run/user/"+uidText())
}

func openNoFollow(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) // #nosec G304 -- a fixed name below the home
}
