package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

const day = 24 * time.Hour

// Keep says how long rows are kept.
type Keep struct {
	Events  time.Duration // events and file activity; 0 = 7 days
	Threads time.Duration // threads with their messages, and announcements, after the end; 0 = 30 days
	Agents  time.Duration // after they were last seen; the module map of a project without any, after it was set; 0 = 30 days
	Stats   time.Duration // tokens; 0 = 90 days
}

func (k *Keep) validate() error {
	for _, f := range []struct {
		name  string
		age   *time.Duration
		usual time.Duration
	}{{"Events", &k.Events, 7 * day}, {"Threads", &k.Threads, 30 * day}, {"Agents", &k.Agents, 30 * day}, {"Stats", &k.Stats, 90 * day}} {
		if *f.age < 0 {
			return coord.Errorf(coord.Invalid, "give a time of 0 or more", "sqlite: Options.Keep.%s is negative", f.name)
		}
		if *f.age == 0 {
			*f.age = f.usual
		}
	}
	return nil
}

// The ages of the policies.
func ofReplies(Keep) time.Duration   { return 10 * time.Minute }
func ofEvents(k Keep) time.Duration  { return k.Events }
func ofThreads(k Keep) time.Duration { return k.Threads }
func ofAgents(k Keep) time.Duration  { return k.Agents }
func ofStats(k Keep) time.Duration   { return k.Stats }

// sweepRows bounds one statement of a sweep, and so the time for which it keeps
// a batch waiting.
const sweepRows = 500

// retention is the policy of one table: rows that condition selects, of which
// the one parameter is the moment age ago, are deleted by their key.
type retention struct {
	table     string
	age       func(Keep) time.Duration
	key       string
	condition string
}

// policies hold for the tables that grow, in the order in which they are
// swept: what refers before what is referred to.
//
// An inbox keeps what its agent has not seen for as long as the agent's row
// exists, and always its newest entry, from which the chain of prev goes on. An
// event stays while it is in an inbox.
var policies = [...]retention{
	{"replies", ofReplies, "agent, key", `FROM replies WHERE time < ?`},
	{"edits", ofEvents, "id", `FROM edits WHERE time < ?`},
	{"inbox", ofEvents, "agent, seq", `FROM (SELECT i.agent, i.seq
		FROM events e JOIN inbox i ON i.seq = e.seq LEFT JOIN agents a ON a.id = i.agent
		WHERE e.time < ? AND (a.id IS NULL OR i.seq <= a.seen AND i.seq < (SELECT max(seq) FROM inbox WHERE agent = i.agent)))`},
	{"tokens", ofStats, "id", `FROM tokens WHERE time < ?`},
	{"events", ofEvents, "seq", `FROM events e WHERE time < ? AND NOT EXISTS (SELECT 1 FROM inbox WHERE seq = e.seq)`},
	{"leases", ofEvents, "project, id", `FROM leases WHERE ended > 0 AND ended < ?`},
	{"waits", ofEvents, "project, id", `FROM waits WHERE ended > 0 AND ended < ?`},
	{"announcements", ofThreads, "project, id", `FROM announcements WHERE live = 0 AND ended > 0 AND ended < ?`},
	{"messages", ofThreads, "project, id", `FROM (SELECT m.project, m.id
		FROM threads t JOIN messages m ON m.project = t.project AND m.thread = t.id
		WHERE t.live = 0 AND t.ended > 0 AND t.ended < ?)`},
	{"threads", ofThreads, "project, id", `FROM threads t WHERE live = 0 AND ended > 0 AND ended < ?
		AND NOT EXISTS (SELECT 1 FROM messages WHERE project = t.project AND thread = t.id)`},
	{"agents", ofAgents, "id", `FROM agents WHERE live = 0 AND last_seen < ?`},
	{"modules", ofAgents, "project, id", `FROM modules m WHERE updated < ? AND NOT EXISTS (SELECT 1 FROM agents WHERE project = m.project)`},
}

// kept tables do not grow, or go with another: the credentials of an agent and
// the parties of a thread are deleted with it.
var kept = [...]string{"meta", "counters", "fold_case", "credentials", "parties"}

func (r retention) sql() string {
	return fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (SELECT %s %s LIMIT %d)", r.table, r.key, r.key, r.condition, sweepRows)
}

// Sweep deletes what is older than it is kept at the moment now. It is meant
// to be called every few minutes, at any time: each statement deletes at most
// 500 rows and takes its turn between batches. An agent that goes takes its
// credentials along: the owner of the state forgets it at the same age.
func (s *Store) Sweep(ctx context.Context, now coord.Millis) error {
	var errs []error
	for _, r := range policies {
		if err := s.sweep(ctx, r, now); err != nil {
			errs = append(errs, s.explain("sweep "+r.table, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Store) sweep(ctx context.Context, r retention, now coord.Millis) error {
	for total := int64(0); ; {
		n, err := s.sweepOnce(ctx, r.sql(), now.Add(-r.age(s.keep)))
		if err != nil {
			return err
		}
		total += n
		if n < sweepRows {
			if total > 0 {
				s.log.Info("swept", "table", r.table, "rows", total)
			}
			return nil
		}
	}
}

func (s *Store) sweepOnce(ctx context.Context, text string, before coord.Millis) (rows int64, err error) {
	if err := s.acquire(ctx); err != nil {
		return 0, err
	}
	defer s.release()
	res, err := s.writer.conn.ExecContext(context.WithoutCancel(ctx), text, int64(before))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
