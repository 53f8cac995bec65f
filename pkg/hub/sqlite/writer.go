package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// minVersion is the first SQLite without the race of two connections that
// reset the -wal file at once, which could corrupt the database.
const minVersion = "3.51.3"

// settings of the writing connection that its DSN cannot express. In memory, a
// savepoint keeps old pages at half the cost of an Apply; by default they spill
// into a file in /var/tmp, which can be full.
var settings = [...]string{
	"temp_store = MEMORY",
	"journal_size_limit = 16777216", // bytes that the -wal file is cut back to after a checkpoint
}

// statement names one of the writer's prepared statements.
type statement int

const (
	begin statement = iota
	commit
	rollback
	savepoint
	releaseSavepoint
	rollbackToSavepoint
	putAgent
	putCredential
	putAnnouncement
	putThread
	putParty
	putLease
	putWait
	putMessage
	putEdit
	putEvent
	putInbox
	putReceipt
	putFoldCase
	dropModules
	putModule
	putTokens
	putReply
	putCounters
	getReply
	statementCount
)

// statements holds the SQL of each. Nouns are inserted or updated in place,
// never replaced: REPLACE would delete the row first, and what refers to it.
// All else is inserted, so a second row of the same key is an error.
var statements = [statementCount]string{
	begin:               `BEGIN IMMEDIATE`,
	commit:              `COMMIT`,
	rollback:            `ROLLBACK`,
	savepoint:           `SAVEPOINT request`,
	releaseSavepoint:    `RELEASE request`,
	rollbackToSavepoint: `ROLLBACK TO request`,
	putAgent: `INSERT INTO agents (id, project, status, live, last_seen, seen, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET project = excluded.project, status = excluded.status, live = excluded.live,
			last_seen = excluded.last_seen, seen = excluded.seen, body = excluded.body`,
	putCredential: `INSERT INTO credentials (hash, agent, created) VALUES (?, ?, ?)`,
	putAnnouncement: `INSERT INTO announcements (project, id, agent, state, live, created, ended, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (project, id) DO UPDATE SET agent = excluded.agent, state = excluded.state, live = excluded.live,
			created = excluded.created, ended = excluded.ended, body = excluded.body`,
	putThread: `INSERT INTO threads (project, id, number, run, initiator, status, live, created, ended, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (project, id) DO UPDATE SET run = excluded.run, initiator = excluded.initiator, status = excluded.status, live = excluded.live,
			created = excluded.created, ended = excluded.ended, body = excluded.body`,
	putParty: `INSERT INTO parties (project, agent, thread) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
	putLease: `INSERT INTO leases (project, id, agent, workspace, path, taken, ended, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (project, id) DO UPDATE SET agent = excluded.agent, workspace = excluded.workspace, path = excluded.path,
			taken = excluded.taken, ended = excluded.ended, body = excluded.body`,
	putWait: `INSERT INTO waits (project, id, agent, since, ended, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (project, id) DO UPDATE SET agent = excluded.agent, since = excluded.since, ended = excluded.ended, body = excluded.body`,
	putMessage: `INSERT INTO messages (project, id, thread, seq, time, body) VALUES (?, ?, ?, ?, ?, ?)`,
	putEdit:    `INSERT INTO edits (project, workspace, path, agent, time, summary) VALUES (?, ?, ?, ?, ?, ?)`,
	putEvent: `INSERT INTO events (seq, project, kind, actor, thread, time, priority, payload)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
	putInbox:    `INSERT INTO inbox (agent, seq, prev) VALUES (?, ?, ?)`,
	putReceipt:  `UPDATE inbox SET state = ?, rung = ?, at = ?, offers = ? WHERE agent = ? AND seq = ?`,
	putFoldCase: `INSERT INTO fold_case (project) VALUES (?) ON CONFLICT DO NOTHING`,
	putTokens: `INSERT INTO tokens (agent, project, model, turn, input, output, cache_read, cache_creation, thinking, time)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	dropModules: `DELETE FROM modules WHERE project = ?`,
	putModule: `INSERT INTO modules (project, id, updated, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (project, id) DO UPDATE SET updated = excluded.updated, body = excluded.body`,
	putReply:    `INSERT INTO replies (agent, key, op, result, code, error, time) VALUES (?, ?, ?, ?, ?, ?, ?)`,
	putCounters: `UPDATE counters SET seq = ?, announcement = ?, thread = ?, message = ?, lease = ?, wait = ?`,
	getReply:    `SELECT op, result, code, error, time FROM replies WHERE agent = ? AND key = ?`,
}

// writer is the one connection that writes, with its statements. Whoever has
// the store's turn uses it.
//
// It works without a cancellable context: a statement takes microseconds, the
// watching of a context costs as much again, and a batch carries the requests
// of many callers.
type writer struct {
	db         *sql.DB
	conn       *sql.Conn
	statements [statementCount]*sql.Stmt
}

func openWriter(ctx context.Context, path string, o Options) (*writer, error) {
	db, err := openDB(writerDSN(path, o.Durability), 1)
	if err != nil {
		return nil, err
	}
	w := &writer{db: db}
	if err := w.prepare(ctx, path, o.oldest); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) prepare(ctx context.Context, path, oldest string) (err error) {
	if w.conn, err = w.db.Conn(ctx); err != nil {
		return err
	}
	var version string
	if err := w.conn.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		return err
	}
	if err := checkVersion(version, oldest); err != nil {
		return err
	}
	if err := migrate(ctx, w.conn, migrations(), path); err != nil {
		return err
	}
	for _, setting := range settings {
		if _, err := w.conn.ExecContext(ctx, "PRAGMA "+setting); err != nil {
			return fmt.Errorf("set %s: %w", setting, err)
		}
	}
	for i, text := range statements {
		if w.statements[i], err = w.conn.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
	}
	return nil
}

// checkVersion refuses a SQLite that is known to corrupt databases.
func checkVersion(version, oldest string) error {
	if !atLeast(version, oldest) {
		return coord.Errorf(coord.Internal, "build coord-hub with the SQLite of its own driver, without the tag libsqlite3",
			"SQLite %s can corrupt a database; %s is the oldest that does not", version, oldest)
	}
	return nil
}

// atLeast compares dotted numbers; what is no number counts as 0.
func atLeast(version, least string) bool {
	have, want := strings.Split(version, "."), strings.Split(least, ".")
	for i, w := range want {
		var h string
		if i < len(have) {
			h = have[i]
		}
		a, _ := strconv.Atoi(h)
		b, _ := strconv.Atoi(w)
		if a != b {
			return a > b
		}
	}
	return true
}

func (w *writer) exec(s statement, args ...any) error {
	_, err := w.statements[s].ExecContext(context.Background(), args...)
	return err
}

// tidy is done before the last close: fresh statistics for the query planner,
// and an empty -wal file.
func (w *writer) tidy() error {
	ctx := context.Background()
	_, err := w.conn.ExecContext(ctx, `PRAGMA optimize`)
	_, err2 := w.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(err, err2)
}

// close closes the connection; SQLite drops a transaction that is open. The
// statements go first: database/sql does not own those of a single connection,
// and one that is left keeps the file open.
func (w *writer) close() error {
	var errs []error
	for _, s := range w.statements {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if w.conn != nil {
		errs = append(errs, w.conn.Close())
	}
	return errors.Join(append(errs, w.db.Close())...)
}
