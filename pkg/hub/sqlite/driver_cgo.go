//go:build cgo

package sqlite

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// checkDriver reports whether a real SQLite is linked in.
func checkDriver() error { return nil }

// resultCode gives SQLite's primary result code; ok is false for an error that
// is not SQLite's.
func resultCode(err error) (code int, ok bool) {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	return int(e.Code), true
}

// copyAll copies the whole of one database over another, as of one moment.
// Others may write to the source meanwhile.
func copyAll(to, from *sql.Conn) error {
	return to.Raw(func(to any) error {
		return from.Raw(func(from any) error {
			dst, ok1 := to.(*sqlite3.SQLiteConn)
			src, ok2 := from.(*sqlite3.SQLiteConn)
			if !ok1 || !ok2 {
				return errors.New("not a connection of the SQLite driver")
			}
			b, err := dst.Backup("main", src, "main")
			if err != nil {
				return fmt.Errorf("begin the copy: %w", err)
			}
			done, err := b.Step(-1) // all pages under one read lock, which in WAL mode keeps nobody from writing
			if err == nil && !done {
				err = errors.New("the copy is not complete")
			}
			return errors.Join(err, b.Finish())
		})
	})
}
