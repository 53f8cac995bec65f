package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Copy says what a backup holds.
type Copy struct {
	File    string      `json:"file"`
	Bytes   int64       `json:"bytes"`
	Schema  int         `json:"schema"`
	Epoch   coord.Epoch `json:"epoch"`
	Seq     coord.Seq   `json:"seq"` // of the newest event
	Agents  int         `json:"agents"`
	Threads int         `json:"threads"`
	Events  int         `json:"events"`
}

// Backup copies the database at path, which a hub may be writing to, into the
// new file out, mode 0600. The copy is as of one moment: it holds every write
// that was acknowledged before Backup began. It is checked before it gets its
// name; an existing file is not replaced.
func Backup(ctx context.Context, path, out string) (Copy, error) {
	if _, err := os.Lstat(out); err == nil {
		return Copy{}, coord.Errorf(coord.Conflict, "name another file, or move it away", "%s exists", out)
	}
	temp, err := copyBeside(ctx, path, out)
	if err != nil {
		return Copy{}, err
	}
	defer removeDatabase(temp)
	made, err := Verify(ctx, temp)
	if err != nil {
		return Copy{}, err
	}
	if err := os.Link(temp, out); err != nil {
		return Copy{}, cannotBackup(out, err)
	}
	made.File = out
	return made, syncDir(filepath.Dir(out))
}

// Verify opens a backup for reading and checks it: every page, every index,
// every reference, every JSON text, and that this coord knows its schema. It changes nothing.
func Verify(ctx context.Context, file string) (Copy, error) {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return Copy{}, coord.Errorf(coord.NotFound, "name a file made by coord-hub backup", "there is no backup at %s", file)
	}
	if err := checkDriver(); err != nil {
		return Copy{}, err
	}
	db, err := openDB(dsn(file, url.Values{"mode": {"ro"}, "immutable": {"1"}, "_query_only": {"on"}}), 1)
	if err != nil {
		return Copy{}, err
	}
	defer func() { _ = db.Close() }() // it was only read
	made := Copy{File: file, Bytes: info.Size()}
	if err := examine(ctx, db, &made); err != nil {
		var known *coord.Error
		if errors.As(err, &known) {
			return Copy{}, err
		}
		return Copy{}, &coord.Error{Code: coord.Conflict, What: fmt.Sprintf("%s is no usable backup (%v)", file, err), Next: "use another one; nothing was changed", Err: err}
	}
	return made, nil
}

func examine(ctx context.Context, db *sql.DB, made *Copy) error {
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errors.New(verdict)
	}
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&made.Schema); err != nil {
		return err
	}
	names, err := fs.Glob(migrations(), "migrations/*.sql")
	if err != nil {
		return err
	}
	switch {
	case made.Schema == 0:
		return errors.New("it is not a database of coord")
	case made.Schema > len(names):
		return coord.Errorf(coord.Conflict, "install that newer coord first", "%s was written by a newer coord (schema %d; this one knows %d)", made.File, made.Schema, len(names))
	}
	broken, err := db.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return err
	}
	dangling := broken.Next()
	if err := errors.Join(broken.Err(), broken.Close()); err != nil {
		return err
	}
	if dangling {
		return errors.New("rows refer to others that are missing")
	}
	if err := examineJSON(ctx, db); err != nil {
		return err
	}
	return db.QueryRowContext(ctx, `SELECT (SELECT value FROM meta WHERE key = 'epoch'), seq, (SELECT count(*) FROM agents),
		(SELECT count(*) FROM threads), (SELECT count(*) FROM events) FROM counters`).
		Scan(&made.Epoch, &made.Seq, &made.Agents, &made.Threads, &made.Events)
}

// examineJSON finds texts that no hub could read: the checks of SQLite do not
// look into them.
func examineJSON(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
		WHERE t.type = 'table' AND c.name IN ('body', 'payload') ORDER BY t.name`)
	if err != nil {
		return err
	}
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			return errors.Join(err, rows.Close())
		}
		columns = append(columns, c)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, c := range columns {
		var n int
		query := fmt.Sprintf(`SELECT count(*) FROM %q WHERE NOT json_valid(%q)`, c[0], c[1]) // #nosec G201 -- names of the schema, quoted
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("damaged: %d rows of %s hold no valid JSON", n, c[0])
		}
	}
	return nil
}

// Restorable tells whether Restore would take the backup for the database at
// path. It changes nothing.
func Restorable(ctx context.Context, backup, path string) error {
	if b, err := os.Stat(backup); err == nil {
		if p, err := os.Stat(path); err == nil && os.SameFile(b, p) {
			return coord.Errorf(coord.Conflict, "name a file made by coord-hub backup", "%s is the database itself", backup)
		}
	}
	_, err := Verify(ctx, backup)
	return err
}

// Restore puts a backup in the place of the database at path. The backup is
// verified first; the database that was there is kept under the name that is
// given back ("" = there was none). The restored one gets a new epoch, so that
// readers know that their place in the log is void. Of what earlier restores have
// kept the oldest go, so that there are MaxAside in all. The caller makes sure
// that no hub runs.
func Restore(ctx context.Context, backup, path string) (restored Copy, kept string, err error) {
	if err := Restorable(ctx, backup, path); err != nil {
		return Copy{}, "", err
	}
	temp, err := copyBeside(ctx, backup, path)
	if err != nil {
		return Copy{}, "", err
	}
	defer removeDatabase(temp)
	if err := renewEpoch(ctx, temp); err != nil {
		return Copy{}, "", explain("give the restored database its epoch", err)
	}
	if restored, err = Verify(ctx, temp); err != nil {
		return Copy{}, "", err
	}
	if kept, err = keepAside(ctx, path); err != nil {
		return Copy{}, "", err
	}
	if err := os.Rename(temp, path); err != nil {
		return Copy{}, kept, cannotBackup(path, err)
	}
	dropAside(path, backup)
	restored.File = path
	return restored, kept, syncDir(filepath.Dir(path))
}

// MaxAside is how many databases of before a restore are kept.
const MaxAside = 3

// asideMark stands between the name of a database and the time at which a
// restore has put it aside.
const asideMark = ".before-restore-"

// Aside lists the databases that restores have kept of the one at path, the
// newest first.
func Aside(path string) (kept []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("look for databases of before a restore: %w", err)
	}
	for _, e := range slices.Backward(entries) { // sorted by name, that is by time
		name := e.Name()
		if strings.HasPrefix(name, filepath.Base(path)+asideMark) && !strings.HasSuffix(name, "-wal") && !strings.HasSuffix(name, "-shm") {
			kept = append(kept, filepath.Join(filepath.Dir(path), name))
		}
	}
	return kept, nil
}

// dropAside removes the oldest of what is kept aside, but not the backup that the
// user has just named. What cannot be removed stays, and shows in the status.
func dropAside(path, backup string) {
	kept, err := Aside(path)
	if err != nil {
		return
	}
	used, _ := os.Stat(backup) // nil is no file of ours
	for _, old := range kept[min(len(kept), MaxAside):] {
		if info, err := os.Stat(old); err == nil && !os.SameFile(info, used) {
			removeDatabase(old)
		}
	}
}

// copyBeside copies a database into a new file, in the directory of beside, that
// is whole by itself.
func copyBeside(ctx context.Context, from, beside string) (temp string, err error) {
	if err := checkDriver(); err != nil {
		return "", err
	}
	if _, err := os.Stat(from); err != nil {
		return "", coord.Errorf(coord.NotFound, "start a session first", "there is no database at %s", from)
	}
	f, err := os.CreateTemp(filepath.Dir(beside), "."+filepath.Base(beside)+"-*") // 0600
	if err != nil {
		return "", cannotBackup(beside, err)
	}
	if err := f.Close(); err != nil {
		return "", cannotBackup(beside, err)
	}
	if err := copyInto(ctx, from, f.Name()); err != nil {
		removeDatabase(f.Name())
		return "", explain("copy the database", err)
	}
	return f.Name(), nil
}

func copyInto(ctx context.Context, from, to string) (err error) {
	src, err := openDB(readerDSN(from), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := openDB(dsn(to, url.Values{"_busy_timeout": {busyTimeout}}), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	srcConn, err := src.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srcConn.Close()) }()
	dstConn, err := dst.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dstConn.Close()) }()
	if err := copyAll(dstConn, srcConn); err != nil {
		return err
	}
	_, err = dstConn.ExecContext(ctx, `PRAGMA journal_mode = DELETE`) // one file, which nothing beside it completes
	return err
}

func renewEpoch(ctx context.Context, path string) (err error) {
	db, err := openDB(dsn(path, url.Values{"_synchronous": {Full}}), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `UPDATE meta SET value = ? WHERE key = 'epoch'`, newEpoch())
	return err
}

// keepAside keeps the database at path, with what lies beside it, under another
// name. The file itself stays where it is until something takes its place.
func keepAside(ctx context.Context, path string) (kept string, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	fold(ctx, path)
	kept = path + asideMark + time.Now().UTC().Format("20060102-150405.000") + "-" + strings.ToLower(rand.Text()[:4])
	if err := os.Link(path, kept); err != nil {
		return "", cannotBackup(kept, err)
	}
	for _, beside := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+beside, kept+beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", cannotBackup(kept+beside, err)
		}
	}
	return kept, nil
}

// fold brings the -wal file into the database. It may fail: a database that is
// damaged keeps its -wal file, which is then kept aside with it.
func fold(ctx context.Context, path string) {
	db, err := openDB(dsn(path, url.Values{"_busy_timeout": {busyTimeout}}), 1)
	if err != nil {
		return
	}
	_, _ = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	_ = db.Close()
}

// removeDatabase removes a file of ours and what SQLite may have put beside it.
func removeDatabase(path string) {
	for _, name := range []string{path, path + "-wal", path + "-shm", path + "-journal"} {
		_ = os.Remove(name) // usually there is none
	}
}

func cannotBackup(name string, err error) error {
	return &coord.Error{Code: coord.Unavailable, What: fmt.Sprintf("cannot write %s (%v)", name, err),
		Next: "check the disk and the rights of " + filepath.Dir(name), Err: err}
}

// syncDir makes a new name in a directory survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir) // #nosec G304 -- the directory of a file we have just written
	if err != nil {
		return cannotBackup(dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
