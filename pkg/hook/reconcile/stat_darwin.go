package reconcile

import (
	"errors"
	"io/fs"
	"syscall"
	"time"
)

func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctimespec.Unix())
	}
	return time.Time{}
}

func notDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
