package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/coordhq/coord/pkg/coord"
)

// busyTimeout is how long SQLite waits for a lock of another process. The hub
// is alone with its file; a backup or a curious shell is not.
const busyTimeout = "5000" // ms

// writerDSN opens the one connection that writes. The driver sets synchronous
// to NORMAL unless told otherwise, so it is always told.
func writerDSN(path string, durability string) string {
	return dsn(path, url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {durability},
		"_txlock":       {"immediate"},
		"_foreign_keys": {"on"},
		"_busy_timeout": {busyTimeout},
	})
}

// readerDSN opens connections that cannot change the file.
func readerDSN(path string) string {
	return dsn(path, url.Values{
		"mode":          {"ro"},
		"_query_only":   {"on"},
		"_busy_timeout": {busyTimeout},
	})
}

// dsn writes an absolute path as a URI, in which "?", "%" and "#" of the path
// mean themselves.
func dsn(path string, settings url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}

// prepareFile makes the database file if there is none and closes it, and what
// lies beside it, to everybody but the owner. SQLite gives -wal and -shm the
// mode of the database, so this must come first. An existing file is not
// opened here: closing it would drop the locks of another connection of this
// process.
func prepareFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createFile(path)
	}
	if err != nil {
		return accessAdvice.because(err)
	}
	if !info.Mode().IsRegular() {
		return coord.Errorf(coord.Invalid, "move it away or set COORDINATOR_HOME", "the database %s is not a regular file", path)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return accessAdvice.because(err)
		}
	}
	return nil
}

func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the owner of the hub names it
	if err != nil {
		return accessAdvice.because(fmt.Errorf("create the database: %w", err))
	}
	return errors.Join(f.Chmod(0o600), f.Close()) // a umask may have taken bits away
}
