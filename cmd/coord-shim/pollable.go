//go:build unix

package main

import (
	"os"
	"syscall"
)

// pollable lets the runtime wait for a pipe or socket itself: a thread that sits
// in the read would keep the only processor from the next step for a while. A
// terminal stays as it is, since others read it too.
func pollable(f *os.File) *os.File {
	if onTerminal(f) || syscall.SetNonblock(int(f.Fd()), true) != nil {
		return f
	}
	return os.NewFile(f.Fd(), f.Name())
}
