package sqlite_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// childEnv makes the test binary run as the process that a test kills.
const childEnv = "COORD_SQLITE_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		if err := commitForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// now is the moment at which the tests' nouns live.
var now = coord.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

// temp names a database that is not there yet.
func temp(t testing.TB) string { return filepath.Join(t.TempDir(), "coordinator.db") }

// open opens a database for the time of the test.
func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	return openWith(t, sqlite.Options{Path: path})
}

func openWith(t testing.TB, o sqlite.Options) *sqlite.Store {
	t.Helper()
	if o.Now == nil {
		o.Now = now.Time
	}
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// rawSQL opens a database behind the store's back.
func rawSQL(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func mustExec(t testing.TB, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func begin(t testing.TB, s *sqlite.Store) hub.Batch {
	t.Helper()
	b, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Rollback)
	return b
}

// store commits changes, one savepoint each.
func store(t testing.TB, s *sqlite.Store, changes ...*hub.Changes) {
	t.Helper()
	b := begin(t, s)
	for _, c := range changes {
		if err := b.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, s *sqlite.Store) *hub.Snapshot {
	t.Helper()
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// equal compares values that may hold paths.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	paths := cmp.Comparer(func(a, b coord.Path) bool { return a == b })
	if diff := cmp.Diff(want, got, paths); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func wantCode(t testing.TB, err error, code coord.Code) {
	t.Helper()
	if got := coord.CodeOf(err); got != code {
		t.Errorf("error %v has code %q, want %q", err, got, code)
	}
}

// logger gives a log and what is written to it.
func logger() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}
