package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// Threads gives at most limit threads, ended ones included, the newest first.
func (s *Store) Threads(ctx context.Context, f hub.ThreadFilter, limit int) ([]*coord.Thread, error) {
	before := f.Before
	if before == 0 {
		before = math.MaxInt64
	}
	status, run, agent := string(f.Status), f.RunID, string(f.Agent)
	out, err := collect(ctx, s.reader.queries[selectThreads], func(rows *sql.Rows) (*coord.Thread, error) {
		var id string
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, err
		}
		t := new(coord.Thread)
		if err := json.Unmarshal(body, t); err != nil {
			return nil, s.skip("thread", id, err)
		}
		return t, nil
	}, string(f.Project), before, status, status, run, run, agent, agent, max(limit, 0))
	return out, s.explain("list threads", err)
}

// Updates gives at most limit messages of the threads that the agent takes or
// took part in, with a seq greater than after, in order.
func (s *Store) Updates(ctx context.Context, project coord.ProjectID, agent coord.AgentID, after coord.Seq, limit int) ([]coord.Message, error) {
	out, err := collect(ctx, s.reader.queries[selectUpdates], func(rows *sql.Rows) (m coord.Message, err error) {
		var at int64
		var thread string
		var body []byte
		if err := rows.Scan(&at, &thread, &body); err != nil {
			return m, err
		}
		if err := json.Unmarshal(body, &m); err != nil {
			return m, s.skip("message", fmt.Sprintf("%s at %d", thread, at), err)
		}
		return m, nil
	}, string(project), int64(after), string(agent), max(limit, 0))
	return out, s.explain("read updates of "+string(agent), err)
}

// EditedFiles gives at most limit files that the agent has edited, by path,
// those after the given path.
func (s *Store) EditedFiles(ctx context.Context, project coord.ProjectID, agent coord.AgentID, after string, limit int) ([]hub.EditedFile, error) {
	out, err := collect(ctx, s.reader.queries[selectEditedFiles], func(rows *sql.Rows) (f hub.EditedFile, err error) {
		var path string
		if err := rows.Scan(&path, &f.Edits, &f.Last, &f.Summary); err != nil { // the summary of the row with the largest time
			return f, err
		}
		if f.Path, err = coord.ParsePath(path); err != nil {
			return f, s.skip("edit", path, err)
		}
		return f, nil
	}, string(project), string(agent), after, max(limit, 0))
	return out, s.explain("list edits of "+string(agent), err)
}
