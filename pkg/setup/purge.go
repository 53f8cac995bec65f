package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// Purge removes the coord home and everything in it. Without force it refuses,
// with coord.Conflict, when there is a database or a record of files that init
// wrote and nobody has taken back. No hub may be running. It reports whether
// there was anything to remove.
//
// Only what coord makes is removed: a directory that holds something else, as a
// COORDINATOR_HOME chosen by mistake would, stays with that.
func Purge(home config.Home, force bool) (bool, error) {
	if _, err := os.Lstat(home.Dir()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var data []string
	for _, name := range []string{home.Database(), filepath.Join(home.Dir(), "setup.json")} {
		if info, err := os.Stat(name); err == nil && !emptyRecord(name, info) {
			data = append(data, name)
		}
	}
	if len(data) > 0 && !force {
		return false, coord.Errorf(coord.Conflict, "run it with --force to remove it all the same", "there is data in %s", data[0])
	}
	for _, name := range homeFiles(home) {
		if err := os.RemoveAll(name); err != nil {
			return false, cannot("remove", name, err)
		}
	}
	for _, dir := range []string{home.DataDir(), home.Dir()} {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, coord.Errorf(coord.Conflict, "look at what else is in it", "%s holds more than coord's own files and was left", dir)
		}
	}
	return true, nil
}

// homeFiles lists what coord makes in a home.
func homeFiles(home config.Home) []string {
	out := []string{home.LockFile(), home.Discovery(), home.ConfigFile(), home.TokenFile(), home.HostIDFile(), filepath.Dir(home.LogFile()),
		home.RunDir()}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		out = append(out, home.Database()+suffix)
	}
	for _, name := range []string{"run.path", "setup.json", "setup.json.lock", "tokens", "plugin", "launched.json", "stopped.json", "doors.json", "backups"} {
		out = append(out, filepath.Join(home.Dir(), name))
	}
	return out
}

// emptyRecord reports whether the file is a record with nothing in it.
func emptyRecord(name string, info fs.FileInfo) bool {
	if filepath.Base(name) != "setup.json" || info.Size() > maxFile {
		return false
	}
	raw, err := os.ReadFile(name) // #nosec G304 -- our own record
	if err != nil {
		return false
	}
	t, err := readJSON(raw)
	if err != nil {
		return false
	}
	files, ok, err := walk(t.top(), []string{"files"})
	return err == nil && ok && (files.empty() || string(files.value.Pack()) == " null")
}
