package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// recent is how far back Load reads edits and ended threads.
const recent = 24 * time.Hour

// loaders fill the parts of a Snapshot.
var loaders = [...]func(*Store, context.Context, *sql.Tx, *hub.Snapshot) error{
	(*Store).loadNumbers,
	(*Store).loadNouns,
	(*Store).loadHeads,
	(*Store).loadMail,
	(*Store).loadCredentials,
	(*Store).loadEdits,
	(*Store).loadFoldCase,
	(*Store).loadModules,
	(*Store).loadTokens,
}

// Load reads what the in-memory state is built from, all as of one moment.
// Nouns come in the order in which they were first stored. A row that cannot be
// read is skipped and logged.
func (s *Store) Load(ctx context.Context) (*hub.Snapshot, error) {
	tx, err := s.reader.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.explain("load", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	snap := new(hub.Snapshot)
	for _, load := range loaders {
		if err := load(s, ctx, tx, snap); err != nil {
			return nil, s.explain("load", err)
		}
	}
	return snap, nil
}

func (s *Store) loadNumbers(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) error {
	if err := tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'epoch'`).Scan(&snap.Epoch); err != nil {
		return fmt.Errorf("epoch: %w", err)
	}
	c := &snap.Counters
	row := tx.QueryRowContext(ctx, `SELECT seq, announcement, thread, message, lease, wait FROM counters`)
	if err := row.Scan(&c.Seq, &c.Announcement, &c.Thread, &c.Message, &c.Lease, &c.Wait); err != nil {
		return fmt.Errorf("counters: %w", err)
	}
	return nil
}

func (s *Store) loadNouns(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) (err error) {
	var errs [5]error
	snap.Agents, errs[0] = nouns(ctx, s, text{tx, `SELECT project, id, body FROM agents ORDER BY rowid`},
		func(a *coord.Agent) key { return key{"agent", string(a.Project), string(a.ID)} })
	snap.Announcements, errs[1] = nouns(ctx, s, text{tx, `SELECT project, id, body FROM announcements WHERE live = 1 ORDER BY rowid`},
		func(a *coord.Announcement) key { return key{"announcement", string(a.Project), string(a.ID)} })
	since := coord.At(s.now()).Add(-recent)
	snap.Threads, errs[2] = nouns(ctx, s, text{tx, `SELECT project, id, body FROM threads WHERE live = 1 OR ended >= ? ORDER BY rowid`},
		func(t *coord.Thread) key { return key{"thread", string(t.Project), string(t.ID)} }, int64(since))
	snap.Leases, errs[3] = nouns(ctx, s, text{tx, `SELECT project, id, body FROM leases WHERE ended = 0 ORDER BY rowid`},
		func(l *coord.Lease) key { return key{"lease", string(l.Project), string(l.ID)} })
	snap.Waits, errs[4] = nouns(ctx, s, text{tx, `SELECT project, id, body FROM waits WHERE ended = 0 ORDER BY rowid`},
		func(w *coord.Wait) key { return key{"wait", string(w.Project), string(w.ID)} })
	return errors.Join(errs[:]...)
}

// key is what a noun says of itself; its row must say the same.
type key struct{ kind, project, id string }

// nouns reads rows of project, id and body.
func nouns[T any](ctx context.Context, s *Store, q source, keyOf func(*T) key, args ...any) ([]*T, error) {
	return collect(ctx, q, func(rows *sql.Rows) (*T, error) {
		var body []byte
		noun := new(T)
		row := key{kind: keyOf(noun).kind}
		if err := rows.Scan(&row.project, &row.id, &body); err != nil {
			return nil, err
		}
		err := json.Unmarshal(body, noun)
		if err == nil && keyOf(noun) != row {
			err = fmt.Errorf("it calls itself %s of project %s", keyOf(noun).id, keyOf(noun).project)
		}
		if err != nil {
			return nil, s.skip(row.kind, row.id, err)
		}
		return noun, nil
	}, args...)
}

func (s *Store) loadHeads(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) error {
	snap.Heads = map[coord.AgentID]coord.Seq{}
	_, err := collect(ctx, text{tx, `SELECT id, (SELECT max(seq) FROM inbox WHERE agent = id) AS head
		FROM agents WHERE head IS NOT NULL`},
		func(rows *sql.Rows) (seq coord.Seq, err error) {
			var agent coord.AgentID
			err = rows.Scan(&agent, &seq)
			snap.Heads[agent] = seq
			return seq, err
		})
	return err
}

// loadMail reads what the agents have not seen. An event is kept while it is in
// an inbox.
func (s *Store) loadMail(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) (err error) {
	snap.Mail, err = collect(ctx, text{tx, `SELECT i.agent, i.state, i.rung, i.at, i.offers, e.seq, e.project, e.kind, e.actor, e.thread, e.time, e.priority, e.payload
		FROM agents a JOIN inbox i ON i.agent = a.id AND i.seq > a.seen JOIN events e ON e.seq = i.seq ORDER BY i.agent, i.seq`},
		func(rows *sql.Rows) (l hub.Letter, err error) {
			e, r := &l.Event, &l.Receipt
			var payload []byte
			err = rows.Scan(&r.Agent, &r.State, &r.Rung, &r.At, &r.Offers, &e.Seq, &e.Project, &e.Kind, &e.Actor, &e.Thread, &e.Time, &e.Priority, &payload)
			r.Seq, e.Payload = e.Seq, payload
			return l, err
		})
	return err
}

func (s *Store) loadCredentials(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) (err error) {
	snap.Credentials, err = collect(ctx, text{tx, `SELECT hash, agent, created FROM credentials ORDER BY created, hash`},
		func(rows *sql.Rows) (c hub.Credential, err error) {
			var hash []byte
			if err := rows.Scan(&hash, &c.Agent, &c.Created); err != nil {
				return c, err
			}
			if copy(c.Hash[:], hash) != len(c.Hash) || len(hash) != len(c.Hash) {
				return c, s.skip("credential", string(c.Agent), fmt.Errorf("hash of %d bytes", len(hash)))
			}
			return c, nil
		})
	return err
}

func (s *Store) loadEdits(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) (err error) {
	since := coord.At(s.now()).Add(-recent)
	snap.Edits, err = collect(ctx, text{tx, `SELECT project, workspace, path, agent, time, summary
		FROM edits WHERE time > ? ORDER BY time, id`},
		func(rows *sql.Rows) (e coord.Edit, err error) {
			var path string
			if err := rows.Scan(&e.Project, &e.Workspace, &path, &e.Agent, &e.Time, &e.Summary); err != nil {
				return e, err
			}
			if path == "" { // a note about no file
				return e, nil
			}
			if e.Path, err = coord.ParsePath(path); err != nil {
				return e, s.skip("edit", path, err)
			}
			return e, nil
		}, int64(since))
	return err
}

func (s *Store) loadFoldCase(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) (err error) {
	snap.FoldCase, err = collect(ctx, text{tx, `SELECT project FROM fold_case ORDER BY project`},
		func(rows *sql.Rows) (p coord.ProjectID, err error) {
			err = rows.Scan(&p)
			return p, err
		})
	return err
}

func (s *Store) loadModules(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) (err error) {
	snap.Modules, err = nouns(ctx, s, text{tx, `SELECT project, id, body FROM modules ORDER BY project, id`},
		func(m *coord.Module) key { return key{"module", string(m.Project), string(m.ID)} })
	return err
}

func (s *Store) loadTokens(ctx context.Context, tx *sql.Tx, snap *hub.Snapshot) (err error) {
	snap.Tokens, err = collect(ctx, text{tx, `SELECT agent, project, model, max(turn), sum(input), sum(output), sum(cache_read),
		sum(cache_creation), sum(thinking), max(time), count(*) FROM tokens WHERE agent IN (SELECT id FROM agents) GROUP BY agent, model ORDER BY agent, model`},
		func(rows *sql.Rows) (t coord.TokenTotal, err error) {
			err = rows.Scan(&t.Agent, &t.Project, &t.Model, &t.Turn, &t.Input, &t.Output, &t.CacheRead, &t.CacheCreation, &t.Thinking, &t.Time, &t.Turns)
			return t, err
		})
	return err
}

// skip logs a row that cannot be read and tells collect to leave it out: one
// damaged row must not keep the hub from starting.
func (s *Store) skip(kind, id string, err error) error {
	s.log.Error("a stored row cannot be read and is skipped", "kind", kind, "id", id, "error", err)
	return errSkip
}
