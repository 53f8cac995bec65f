package sqlite_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func TestNewerSchemaIsRefusedUntouched(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, announce(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := rawSQL(t, file)
	mustExec(t, db, `PRAGMA user_version = 99`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	s, err = sqlite.Open(t.Context(), sqlite.Options{Path: file})
	if err == nil {
		t.Fatal("it opened", s.Close())
	}
	wantCode(t, err, coord.Conflict)
	for _, words := range []string{file, "schema 99", "newer coord", "install"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("error %q does not say %q", err, words)
		}
	}
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the database was changed")
	}
}

func TestMigrationIsAllOrNothing(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	files := fstest.MapFS{
		"migrations/0001_start.sql": {Data: []byte(`this has been applied and is not read`)},
		"migrations/0002_good.sql":  {Data: []byte("CREATE TABLE two (a);\nINSERT INTO two VALUES (1); -- the end\n")},
		"migrations/0003_bad.sql":   {Data: []byte(`CREATE TABLE three (a); INSERT INTO none VALUES (1);`)},
	}
	err := s.Migrate(t.Context(), files)
	if err == nil || !strings.Contains(err.Error(), "0003_bad.sql") {
		t.Errorf("error %v does not name the migration", err)
	}
	db := rawSQL(t, file)
	var version, two, three int
	row := db.QueryRowContext(t.Context(), `SELECT user_version, (SELECT count(*) FROM two),
		(SELECT count(*) FROM sqlite_schema WHERE name = 'three') FROM pragma_user_version`)
	if err := row.Scan(&version, &two, &three); err != nil {
		t.Fatal(err)
	}
	equal(t, "version, rows of two, tables three", []int{version, two, three}, []int{2, 1, 0})

	files["migrations/0003_bad.sql"] = &fstest.MapFile{Data: []byte(`CREATE TABLE three (a)`)}
	if err := s.Migrate(t.Context(), files); err != nil {
		t.Errorf("the repaired migration: %v", err)
	}
}

func TestMissingMigrationIsNoticed(t *testing.T) {
	s := open(t, temp(t))
	err := s.Migrate(t.Context(), fstest.MapFS{"migrations/0001_start.sql": {}, "migrations/0003_x.sql": {}})
	if err == nil || !strings.Contains(err.Error(), "migration 2 is missing") {
		t.Errorf("error %v", err)
	}
}

func TestSettingsOfTheWritingConnection(t *testing.T) {
	for durability, synchronous := range map[string]string{"": "2", sqlite.Full: "2", sqlite.Normal: "1"} {
		s := openWith(t, sqlite.Options{Path: temp(t), Durability: durability})
		for name, want := range map[string]string{
			"synchronous": synchronous, "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000", "journal_size_limit": "16777216",
			"temp_store": "2",
		} {
			if got, err := s.Pragma(t.Context(), name); err != nil || got != want {
				t.Errorf("durability %q: %s is %s, error %v, want %s", durability, name, got, err, want)
			}
		}
	}
}

func TestTooOldSQLiteIsRefused(t *testing.T) {
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: temp(t)}.Needing("99.0.0"))
	if err == nil {
		t.Fatal("it opened", s.Close())
	}
	if wantCode(t, err, coord.Internal); !strings.Contains(err.Error(), "99.0.0 is the oldest") {
		t.Errorf("error %q does not name the version", err)
	}
}

func TestVersionsCompareAsNumbers(t *testing.T) {
	for version, want := range map[string]bool{
		"3.40.1": false, "3.51.2": false, "3.51.3": true, "3.51.10": true, "3.54.1": true, "3.6.99": false, "4.0.0": true, "4": true, "": false,
	} {
		if got := sqlite.AtLeast(version, sqlite.MinVersion); got != want {
			t.Errorf("%q is at least %s: %t, want %t", version, sqlite.MinVersion, got, want)
		}
	}
}
