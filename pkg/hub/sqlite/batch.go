package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// batch is an open transaction on the writing connection.
type batch struct {
	store    *Store
	done     bool
	dirty    bool         // something has been applied
	counters hub.Counters // of the last applied changes

	// broken is set when the transaction may be gone: SQLite drops all of it
	// after a full disk or an I/O error. A savepoint would then begin a
	// transaction by itself, and its release commit a part of the batch; so
	// nothing is done in a broken batch any more.
	broken error
}

// Begin waits until no batch and no sweep is on, then opens a transaction. ctx
// bounds the waiting, not the batch. It fails with coord.Unavailable
// when the wait is over or the store is closed, else with coord.Storage.
func (s *Store) Begin(ctx context.Context) (hub.Batch, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	if err := s.writer.exec(begin); err != nil {
		s.release()
		return nil, s.explain("begin", err)
	}
	return &batch{store: s}, nil
}

// Reply looks up the answer to an earlier call, those of this batch included.
func (b *batch) Reply(key hub.ReplyKey) (hub.Reply, bool, error) {
	if err := b.usable(); err != nil {
		return hub.Reply{}, false, err
	}
	r := hub.Reply{Key: key}
	var result []byte
	row := b.store.writer.statements[getReply].QueryRowContext(context.Background(), string(key.Agent), key.Key)
	err := row.Scan(&r.Op, &result, &r.Code, &r.Error, &r.Time)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return hub.Reply{}, false, nil
	case err != nil:
		b.broken = err
		return hub.Reply{}, false, b.store.explain("read reply", err)
	}
	r.Result = raw(result)
	return r, true, nil
}

// Apply stores the changes of one request, all or nothing.
func (b *batch) Apply(c *hub.Changes) error {
	if err := b.usable(); err != nil {
		return err
	}
	w := b.store.writer
	if err := w.exec(savepoint); err != nil {
		b.broken = err
		return b.store.explain("open savepoint", err)
	}
	if err := w.put(c); err != nil {
		// Without its savepoint the transaction is gone, and this fails.
		if lost := errors.Join(w.exec(rollbackToSavepoint), w.exec(releaseSavepoint)); lost != nil {
			b.broken = errors.Join(err, lost)
		}
		return b.store.explain("store changes", err)
	}
	if err := w.exec(releaseSavepoint); err != nil {
		b.broken = err
		return b.store.explain("close savepoint", err)
	}
	b.dirty, b.counters = true, c.Counters
	return nil
}

// Commit writes the counters and makes all durable.
func (b *batch) Commit() error {
	err := b.usable()
	if err == nil {
		err = b.store.explain("commit", b.commit())
	}
	if err != nil {
		b.Rollback()
		return err
	}
	b.finish()
	return nil
}

func (b *batch) commit() error {
	w := b.store.writer
	if b.dirty {
		c := b.counters
		if err := w.exec(putCounters, c.Seq, c.Announcement, c.Thread, c.Message, c.Lease, c.Wait); err != nil {
			return err
		}
	}
	return w.exec(commit)
}

// Rollback drops everything. It does nothing to a finished batch.
func (b *batch) Rollback() {
	if b.done {
		return
	}
	// Where SQLite has rolled back by itself this fails, and all is well.
	_ = b.store.writer.exec(rollback)
	b.finish()
}

func (b *batch) finish() {
	b.done = true
	b.store.release()
}

func (b *batch) usable() error {
	switch {
	case b.done:
		return coord.Errorf(coord.Internal, "begin another", "the batch is finished")
	case b.broken != nil:
		err := b.store.explain("an earlier request of this batch", b.broken)
		if coord.CodeOf(err) == coord.Internal {
			return brokenAdvice.because(err)
		}
		return err
	default:
		return nil
	}
}
