package sqlite

import (
	"context"
	"io/fs"
)

// MinVersion is the oldest SQLite that does not corrupt databases.
const MinVersion = minVersion

// AtLeast compares versions.
var AtLeast = atLeast

// Needing gives options that want another SQLite than ours.
func (o Options) Needing(version string) Options {
	o.oldest = version
	return o
}

// Retention gives the tables that are swept and those that are kept.
func Retention() (swept, held []string) {
	for _, r := range policies {
		swept = append(swept, r.table)
	}
	return swept, kept[:]
}

// HotQueries gives the SQL that runs often or over tables that grow.
func HotQueries() []string {
	out := append([]string(nil), queries[:]...)
	for _, r := range policies {
		out = append(out, r.sql())
	}
	return append(out, statements[getReply])
}

// Migrate applies other migrations than ours.
func (s *Store) Migrate(ctx context.Context, files fs.FS) error {
	return migrate(ctx, s.writer.conn, files, "test.db")
}

// Pragma reads a setting of the writing connection.
func (s *Store) Pragma(ctx context.Context, name string) (value string, err error) {
	err = s.writer.conn.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}
