//go:build !cgo

package sqlite

import (
	"database/sql"

	"github.com/coordhq/coord/pkg/coord"
)

// checkDriver reports whether a real SQLite is linked in. Without cgo the
// driver compiles to a stub that would fail later and say less.
func checkDriver() error {
	return coord.Errorf(coord.Internal, "build it again with CGO_ENABLED=1 and a C compiler (gcc or clang) on PATH",
		"this coord-hub was built with CGO_ENABLED=0 and has no SQLite in it")
}

func resultCode(error) (code int, ok bool) { return 0, false }

func copyAll(_, _ *sql.Conn) error { return checkDriver() }
