//go:build cgo

package sqlite

import (
	"errors"

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
