package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// How long rows are kept (CONTRACT 9).
const (
	replyAge  = 10 * time.Minute
	newsAge   = 7 * 24 * time.Hour  // events and file activity
	threadAge = 30 * 24 * time.Hour // after the end
	agentAge  = 30 * 24 * time.Hour // after it was last seen
	statsAge  = 90 * 24 * time.Hour
	moduleAge = 30 * 24 * time.Hour // after it was set, when no agent of the project is known any more
)

// sweepRows bounds one statement of a sweep, and so the time for which it keeps
// a batch waiting.
const sweepRows = 500

// retention is the policy of one table: rows that condition selects, of which
// the one parameter is the moment age ago, are deleted by their key.
type retention struct {
	table     string
	age       time.Duration
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
	{"replies", replyAge, "agent, key", `FROM replies WHERE time < ?`},
	{"edits", newsAge, "id", `FROM edits WHERE time < ?`},
	{"inbox", newsAge, "agent, seq", `FROM (SELECT i.agent, i.seq
		FROM events e JOIN inbox i ON i.seq = e.seq LEFT JOIN agents a ON a.id = i.agent
		WHERE e.time < ? AND (a.id IS NULL OR i.seq <= a.seen AND i.seq < (SELECT max(seq) FROM inbox WHERE agent = i.agent)))`},
	{"tokens", statsAge, "id", `FROM tokens WHERE time < ?`},
	{"events", newsAge, "seq", `FROM events e WHERE time < ? AND NOT EXISTS (SELECT 1 FROM inbox WHERE seq = e.seq)`},
	{"leases", newsAge, "project, id", `FROM leases WHERE ended > 0 AND ended < ?`},
	{"waits", newsAge, "project, id", `FROM waits WHERE ended > 0 AND ended < ?`},
	{"announcements", threadAge, "project, id", `FROM announcements WHERE live = 0 AND ended > 0 AND ended < ?`},
	{"messages", threadAge, "project, id", `FROM (SELECT m.project, m.id
		FROM threads t JOIN messages m ON m.project = t.project AND m.thread = t.id
		WHERE t.live = 0 AND t.ended > 0 AND t.ended < ?)`},
	{"threads", threadAge, "project, id", `FROM threads t WHERE live = 0 AND ended > 0 AND ended < ?
		AND NOT EXISTS (SELECT 1 FROM messages WHERE project = t.project AND thread = t.id)`},
	{"agents", agentAge, "id", `FROM agents WHERE live = 0 AND last_seen < ?`},
	{"modules", moduleAge, "project, id", `FROM modules m WHERE updated < ? AND NOT EXISTS (SELECT 1 FROM agents WHERE project = m.project)`},
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
		n, err := s.sweepOnce(ctx, r.sql(), now.Add(-r.age))
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
