//go:build !unix

package config

import (
	"io/fs"
	"os"
)

// Elsewhere access control is the directory's own (an ACL of the user profile).

var sharedTemp = os.TempDir()

func ownedByUs(fs.FileInfo) bool    { return true }
func openToOthers(fs.FileInfo) bool { return false }
func uidText() string               { return "0" }

func runtimeBases(func(string) string) []string { return nil }

func openNoFollow(name string) (*os.File, error) { return os.Open(name) }
