package sqlite

import (
	"errors"
	"fmt"

	"github.com/coordhq/coord/pkg/coord"
)

// SQLite's primary result codes that a person can do something about
// (sqlite.org/rescode.html).
const (
	resultPerm     = 3
	resultBusy     = 5
	resultLocked   = 6
	resultNoMem    = 7
	resultReadOnly = 8
	resultIOErr    = 10
	resultCorrupt  = 11
	resultFull     = 13
	resultCantOpen = 14
	resultNotADB   = 26
)

type advice struct {
	code       coord.Code
	what, next string
}

var (
	closedAdvice  = advice{coord.Unavailable, "the hub's database is closed", "call again when the hub has started anew"}
	waitingAdvice = advice{coord.Unavailable, "the hub's database is busy with other writes", "call again; nothing was stored"}
	busyAdvice    = advice{coord.Storage, "the hub's database is locked by another program",
		"close what has the file open, then call again; nothing was stored"}
	accessAdvice = advice{coord.Storage, "the hub's database cannot be read or written",
		"check that the coord home exists and belongs to you and that its disk is healthy and writable, then call again; nothing was stored"}
	damagedAdvice = advice{coord.Internal, "the hub's database is damaged",
		"run coord-hub restore FILE with a backup, or move data/coordinator.db away to begin anew"}
	brokenAdvice = advice{coord.Storage, "the hub's database dropped this transaction after an error",
		"call again; nothing was stored"}

	// advices says what each failure means to the user of the hub.
	advices = map[int]advice{
		resultFull: {coord.Storage, "the disk of the hub's database is full",
			"free space on the disk that holds the coord home, then call again; nothing was stored"},
		resultNoMem:    {coord.Storage, "the hub's database is out of memory", "free memory, then call again; nothing was stored"},
		resultBusy:     busyAdvice,
		resultLocked:   busyAdvice,
		resultPerm:     accessAdvice,
		resultReadOnly: accessAdvice,
		resultIOErr:    accessAdvice,
		resultCantOpen: accessAdvice,
		resultCorrupt:  damagedAdvice,
		resultNotADB:   damagedAdvice,
	}
)

// because makes the error, with its cause for the log.
func (a advice) because(cause error) *coord.Error {
	return &coord.Error{Code: a.code, What: a.what, Next: a.next, Err: cause}
}

// explain turns an error of the driver into one that can leave the process, if
// somebody outside can act on it; else it only adds what was being done.
func explain(doing string, err error) error {
	var known *coord.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	err = fmt.Errorf("%s: %w", doing, err)
	if code, ok := resultCode(err); ok {
		if a, ok := advices[code]; ok {
			return a.because(err)
		}
	}
	return err
}

// explain is like the function; after Close every failure is the closing.
func (s *Store) explain(doing string, err error) error {
	if err != nil && s.isClosed() {
		return closedAdvice.because(fmt.Errorf("%s: %w", doing, err))
	}
	return explain(doing, err)
}
