package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

var _ hub.Store = (*Store)(nil)

// Values of Options.Durability.
const (
	// Full keeps every acknowledged write through a power cut: a commit waits
	// for the disk.
	Full = "full"
	// Normal may lose the last commits in a power cut, never in a crash of the
	// process; the file stays consistent.
	Normal = "normal"
)

const (
	readers = 4 // measured: one makes eight goroutines wait in line, four do not

	// closeWait bounds how long Close waits for the writing connection.
	closeWait = 5 * time.Second
)

// Options says which database to open.
type Options struct {
	Path       string           // of the file; its directory must exist. Required.
	Durability string           // Full or Normal; "" = Full
	Log        *slog.Logger     // nil = no log
	Now        func() time.Time // nil = time.Now
	Keep       Keep             // how long Sweep lets rows stay

	oldest string // SQLite that is good enough; "" = minVersion
}

func (o *Options) validate() error {
	if o.Path == "" || strings.ContainsRune(o.Path, 0) {
		return coord.Errorf(coord.Invalid, "name a file", "sqlite: Options.Path %q is no path", o.Path)
	}
	if o.Durability == "" {
		o.Durability = Full
	}
	if o.Durability != Full && o.Durability != Normal {
		return coord.Errorf(coord.Invalid, "set it to full or normal", "sqlite: Options.Durability is %q", o.Durability)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.oldest == "" {
		o.oldest = minVersion
	}
	return o.Keep.validate()
}

// Store is an open database. It is made by [Open].
type Store struct {
	log    *slog.Logger
	now    func() time.Time
	keep   Keep
	writer *writer
	reader *reader

	turn      chan struct{} // capacity 1; who has put into it owns the writer
	closed    chan struct{} // closed by Close
	closeOnce sync.Once
	closeErr  error
}

// Open opens the database, makes it if there is none and brings its schema up
// to date. It fails with coord.Conflict when a newer coord has written it. The
// caller makes sure that no other process has it open.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := checkDriver(); err != nil {
		return nil, err
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	s := &Store{
		log:    o.Log.With("component", "sqlite"),
		now:    o.Now,
		keep:   o.Keep,
		turn:   make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
	if s.writer, err = openWriter(ctx, path, o); err != nil {
		return nil, explain("open database", err)
	}
	if s.reader, err = openReader(ctx, path); err != nil {
		return nil, errors.Join(explain("open database", err), s.writer.close())
	}
	return s, nil
}

// acquire waits for the turn to write.
func (s *Store) acquire(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-s.closed:
		return closedAdvice.because(nil)
	case <-ctx.Done():
		return waitingAdvice.because(ctx.Err())
	}
}

func (s *Store) release() { <-s.turn }

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Close ends reading and writing, folds the -wal file into the database and
// closes it. It waits up to 5 s for an open batch; a batch that is still open
// then is dropped, which is an error. Further calls give the first result.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	close(s.closed)
	errs := []error{s.reader.close()}
	select {
	case s.turn <- struct{}{}:
		errs = append(errs, s.writer.tidy())
	case <-time.After(closeWait):
		errs = append(errs, errors.New("a batch was open and has been dropped"))
	}
	errs = append(errs, s.writer.close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// openDB opens a pool whose connections are all kept.
func openDB(dsn string, connections int) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}
