package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/coordhq/coord/pkg/coord"
)

// query names one of the readers' prepared statements.
type query int

const (
	selectInbox query = iota
	countInbox
	selectMessages
	countMessages
	selectEvents
	selectAllEvents
	selectThread
	selectThreads
	selectUpdates
	selectEditedFiles
	queryCount
)

var queries = [queryCount]string{
	selectInbox: `SELECT e.seq, e.kind, e.project, e.actor, e.thread, e.time, e.priority, e.payload, i.prev
		FROM inbox i JOIN events e ON e.seq = i.seq WHERE i.agent = ? AND i.seq > ? ORDER BY i.seq LIMIT ?`,
	countInbox:     `SELECT count(*) FROM inbox WHERE agent = ? AND seq > ?`,
	selectMessages: `SELECT seq, body FROM messages WHERE project = ? AND thread = ? AND seq > ? ORDER BY seq LIMIT ?`,
	countMessages:  `SELECT count(*) FROM messages WHERE project = ? AND thread = ? AND seq > ?`,
	selectEvents: `SELECT seq, kind, project, actor, thread, time, priority, payload
		FROM events WHERE project = ? AND seq > ? ORDER BY seq LIMIT ?`,
	selectAllEvents: `SELECT seq, kind, project, actor, thread, time, priority, payload
		FROM events WHERE seq > ? ORDER BY seq LIMIT ?`,
	selectThread: `SELECT body FROM threads WHERE project = ? AND id = ?`,
	selectThreads: `SELECT id, body FROM threads t WHERE project = ? AND number < ? AND (? = '' OR status = ?) AND (? = '' OR run = ?)
		AND (? = '' OR EXISTS (SELECT 1 FROM parties WHERE project = t.project AND agent = ? AND thread = t.id)) ORDER BY number DESC LIMIT ?`,
	selectUpdates: `SELECT seq, thread, body FROM messages m WHERE project = ? AND seq > ?
		AND EXISTS (SELECT 1 FROM parties WHERE project = m.project AND agent = ? AND thread = m.thread) ORDER BY seq LIMIT ?`,
	selectEditedFiles: `SELECT path, count(*), max(time), summary FROM edits INDEXED BY edits_agent
		WHERE project = ? AND agent = ? AND path > ? GROUP BY path ORDER BY path LIMIT ?`,
}

// reader is the pool of read-only connections, with its statements.
type reader struct {
	db      *sql.DB
	queries [queryCount]*sql.Stmt
}

func openReader(ctx context.Context, path string) (*reader, error) {
	db, err := openDB(readerDSN(path), readers)
	if err != nil {
		return nil, err
	}
	r := &reader{db: db}
	for i, text := range queries {
		if r.queries[i], err = db.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %q: %w", text, err), db.Close())
		}
	}
	return r, nil
}

func (r *reader) close() error { return r.db.Close() }

// Inbox gives at most limit deliveries of one agent with a seq greater than
// after, in order, and how many more there are.
func (s *Store) Inbox(ctx context.Context, agent coord.AgentID, after coord.Seq, limit int) ([]coord.Delivery, int, error) {
	last := after
	out, err := collect(ctx, s.reader.queries[selectInbox], func(rows *sql.Rows) (d coord.Delivery, err error) {
		err = scanEvent(rows, &d.Event, &d.Prev)
		last = d.Seq
		return d, err
	}, string(agent), int64(after), max(limit, 0))
	if err != nil {
		return nil, 0, s.explain("read inbox of "+string(agent), err)
	}
	remaining, err := s.remaining(ctx, countInbox, len(out) < limit, string(agent), int64(last))
	return out, remaining, err
}

// Messages gives at most limit messages of one thread with a seq greater than
// after, in order, and how many more there are.
func (s *Store) Messages(ctx context.Context, project coord.ProjectID, thread coord.ThreadID, after coord.Seq, limit int) ([]coord.Message, int, error) {
	last, read := after, 0 // of rows, the unreadable ones included
	out, err := collect(ctx, s.reader.queries[selectMessages], func(rows *sql.Rows) (m coord.Message, err error) {
		var body []byte
		read++
		if err := rows.Scan(&last, &body); err != nil {
			return m, err
		}
		if err := json.Unmarshal(body, &m); err != nil {
			return m, s.skip("message", fmt.Sprintf("%s at %d", thread, last), err)
		}
		return m, nil
	}, string(project), string(thread), int64(after), max(limit, 0))
	if err != nil {
		return nil, 0, s.explain("read messages of "+string(thread), err)
	}
	remaining, err := s.remaining(ctx, countMessages, read < limit, string(project), string(thread), int64(last))
	return out, remaining, err
}

// remaining counts what lies behind a page; none does behind one that was not
// full.
func (s *Store) remaining(ctx context.Context, q query, complete bool, args ...any) (n int, err error) {
	if complete {
		return 0, nil
	}
	err = s.reader.queries[q].QueryRowContext(ctx, args...).Scan(&n)
	return n, s.explain("count what remains", err)
}

// Events gives at most limit events of the log with a seq greater than after,
// in order; an empty project gives all projects.
func (s *Store) Events(ctx context.Context, project coord.ProjectID, after coord.Seq, limit int) ([]coord.Event, error) {
	q, args := selectEvents, []any{string(project), int64(after), max(limit, 0)}
	if project == "" {
		q, args = selectAllEvents, args[1:]
	}
	out, err := collect(ctx, s.reader.queries[q], func(rows *sql.Rows) (e coord.Event, err error) {
		err = scanEvent(rows, &e)
		return e, err
	}, args...)
	return out, s.explain("read events", err)
}

// Thread reads one thread, ended ones included.
func (s *Store) Thread(ctx context.Context, project coord.ProjectID, id coord.ThreadID) (*coord.Thread, error) {
	var body []byte
	err := s.reader.queries[selectThread].QueryRowContext(ctx, string(project), string(id)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, coord.Errorf(coord.NotFound, "list_threads shows those there are", "no thread %q in this project", id)
	}
	t := new(coord.Thread)
	if err == nil {
		err = json.Unmarshal(body, t)
	}
	if err != nil {
		return nil, s.explain("read thread "+string(id), err)
	}
	return t, nil
}

// source is a query to run: a prepared statement, or a text.
type source interface {
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
}

// text is a query that is run once, inside a transaction.
type text struct {
	tx  *sql.Tx
	sql string
}

func (t text) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.sql, args...)
}

// errSkip makes collect leave out a row.
var errSkip = errors.New("skip this row")

// collect runs a query and scans each row. The result is not nil.
func collect[T any](ctx context.Context, q source, scan func(*sql.Rows) (T, error), args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if errors.Is(err, errSkip) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// scanEvent reads the columns of an event, and what follows them into more.
func scanEvent(rows *sql.Rows, e *coord.Event, more ...any) error {
	var payload []byte
	to := [9]any{&e.Seq, &e.Kind, &e.Project, &e.Actor, &e.Thread, &e.Time, &e.Priority, &payload}
	if err := rows.Scan(append(to[:8], more...)...); err != nil {
		return err
	}
	e.Payload = raw(payload)
	return nil
}

// raw gives back JSON that was stored as text; none is stored as "".
func raw(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	return b
}
