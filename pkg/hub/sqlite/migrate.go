package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

//go:embed migrations/*.sql
var embedded embed.FS

// migrations gives our schema steps: files named by their number and a word,
// "0001_start.sql", counted from 1 without a hole.
func migrations() fs.FS { return embedded }

// migrate applies the steps that the database at path does not have yet, each
// in a transaction of its own with the number it brings the schema to.
func migrate(ctx context.Context, conn *sql.Conn, files fs.FS, path string) error {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	var version int
	if err := conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if version > len(names) {
		return coord.Errorf(coord.Conflict, "install that newer coord, or set COORDINATOR_HOME to begin with another database",
			"the database %s was written by a newer coord (schema %d; this one knows %d)", path, version, len(names))
	}
	for i, name := range names[version:] {
		step := version + i + 1
		if !strings.HasPrefix(name, fmt.Sprintf("migrations/%04d_", step)) {
			return fmt.Errorf("migration %d is missing: found %s in its place", step, name)
		}
		if err := apply(ctx, conn, files, name, step); err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
	}
	return makeEpoch(ctx, conn)
}

func apply(ctx context.Context, conn *sql.Conn, files fs.FS, name string, step int) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, text := range []string{string(text), fmt.Sprintf("PRAGMA user_version = %d", step)} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

// makeEpoch names the life of this event log, once.
func makeEpoch(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING`, newEpoch())
	if err != nil {
		return fmt.Errorf("make epoch: %w", err)
	}
	return nil
}

func newEpoch() string {
	const bits60 = 12 // characters of base 32: enough for one hub's few restores, short in each event
	return strings.ToLower(rand.Text()[:bits60])
}
