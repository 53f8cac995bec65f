package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// Prepare makes the home's directories, each 0700, and refuses a directory that
// is a symlink, belongs to somebody else or that anybody may write, and so may
// have filled; the error (coord.Forbidden) spells out the fix. One of ours that
// is else open to group or others it closes to them, and says so in the hub's log.
//
// The run directory is <home>/run. When a socket path there would be over 100
// bytes, or the home is on a network file system, it is a short directory of
// this user on this machine instead, recorded in <home>/run.path so that a
// process with another environment finds it too.
func (h Home) Prepare() error {
	var closed []string
	for _, dir := range []string{h.dir, h.data, filepath.Dir(h.LogFile()), h.run} {
		was, err := prepareDir(dir)
		if err != nil {
			return err
		}
		if was != 0 {
			closed = append(closed, fmt.Sprintf("%s was open to other users (mode %04o), and is 0700 now", dir, was))
		}
	}
	if err := h.note(closed); err != nil {
		return err
	}
	return h.recordRun()
}

// note adds warnings to the hub's log, which any process of the user may write.
func (h Home) note(words []string) error {
	if len(words) == 0 {
		return nil
	}
	f, err := os.OpenFile(h.LogFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return cannotMake(filepath.Dir(h.LogFile()), err)
	}
	log := slog.New(slog.NewJSONHandler(f, nil))
	for _, w := range words {
		log.Warn(w)
	}
	return f.Close()
}

// prepareDir makes one directory. It gives the mode of one that was there and
// open to others, 0 otherwise.
func prepareDir(dir string) (was fs.FileMode, err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return 0, cannotMake(dir, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return 0, cannotMake(dir, err)
	}
	if was, err = tighten(dir); err != nil {
		return 0, cannotMake(dir, err)
	}
	return was, checkDir(dir)
}

// tighten closes a directory of ours to others, unless anybody may write it.
// Nothing else is touched.
func tighten(dir string) (was fs.FileMode, err error) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || !ownedByUs(info) || !openToOthers(info) || info.Mode().Perm()&0o002 != 0 {
		return 0, err
	}
	d, err := openNoFollow(dir) // of what was looked at, whatever takes its name meanwhile
	if err != nil {
		return 0, err
	}
	defer d.Close()
	now, err := d.Stat()
	if err != nil || !os.SameFile(info, now) {
		return 0, err
	}
	return info.Mode().Perm(), d.Chmod(0o700)
}

func cannotMake(dir string, err error) error {
	return &coord.Error{Code: coord.Forbidden, What: "cannot make the directory " + dir + " (" + reason(err) + ")",
		Next: "make it yourself with mode 0700, or set COORDINATOR_HOME to a directory of your own", Err: err}
}

// reason is the bare cause of a file error: its path is in the message already.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

func checkDir(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return cannotMake(dir, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return coord.Errorf(coord.Forbidden, "remove it, or set COORDINATOR_HOME to the directory it points to", "%s is a symbolic link", dir)
	case !info.IsDir():
		return coord.Errorf(coord.Forbidden, "move it away, or set COORDINATOR_HOME to another directory", "%s is not a directory", dir)
	case !ownedByUs(info):
		return coord.Errorf(coord.Forbidden, "set COORDINATOR_HOME to a directory of your own", "%s belongs to another user", dir)
	case openToOthers(info):
		return coord.Errorf(coord.Forbidden, "run: chmod 700 "+shellQuote(dir), "%s is open to other users (mode %04o)", dir, info.Mode().Perm())
	}
	return nil
}

// shellQuote makes a path safe to paste into a shell.
func shellQuote(s string) string {
	if strings.ContainsAny(s, " \t\"'$`\\&|;<>()*?[]{}~#!") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

func (h Home) runRecord() string { return filepath.Join(h.dir, "run.path") }

// recordedRun gives the run directory another process has recorded, "" when
// there is none that could be ours.
func (h Home) recordedRun() string {
	raw, err := readOwn(h.runRecord(), 4096)
	if err != nil {
		return ""
	}
	run := strings.TrimSpace(string(raw))
	if !filepath.IsAbs(run) || len(filepath.Join(run, longestSocket)) > maxSocketPath {
		return ""
	}
	if !couldPrepare(run) {
		return ""
	}
	return run
}

// couldPrepare tells, without making anything, whether dir is a directory of
// ours or could become one. A runtime directory is emptied at logout or boot,
// so a missing one is fine as long as its base is there.
func couldPrepare(dir string) bool {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		base, err := os.Stat(filepath.Dir(dir))
		return err == nil && base.IsDir()
	}
	return checkDir(dir) == nil
}

func (h Home) recordRun() error {
	if h.run == filepath.Join(h.dir, "run") {
		return nil
	}
	if old, err := readOwn(h.runRecord(), 4096); err == nil && strings.TrimSpace(string(old)) == h.run {
		return nil
	}
	return WriteOwn(h.runRecord(), []byte(h.run+"\n"))
}
