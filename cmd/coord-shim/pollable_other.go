//go:build !unix

package main

import "os"

// pollable leaves a file as it is: elsewhere a thread has to wait for it.
func pollable(f *os.File) *os.File { return f }
