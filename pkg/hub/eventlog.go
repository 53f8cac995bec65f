package hub

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/coordhq/coord/pkg/coord"
)

// told is how a committed event stands in the log: under which component, and
// which fields of its payload. What happens with every edit is left out; the
// event log has it.
type told struct {
	component string
	message   string
	fields    []string
}

// logged says which events are logged, at level info. Texts of agents are not:
// a log is read by tools that nobody has taught to distrust them.
var logged = map[coord.EventKind]told{
	coord.KindAnnounced:        {"conflict", "announcement scored", []string{"announcement_id", "category", "score", "layer", "concerned"}},
	coord.KindPathWanted:       {"conflict", "an edit waits", []string{"path", "workspace"}},
	coord.KindOverlapEdit:      {"conflict", "an edit overlaps", []string{"path", "workspace", "announcement_id"}},
	coord.KindOverlapMerge:     {"conflict", "an edit in another workspace overlaps", []string{"path", "workspace"}},
	coord.KindDependencyEdited: {"conflict", "a dependency was edited", []string{"path", "workspace"}},
	coord.KindThreadOpened:     {"consultation", "thread opened", []string{"initiator_id", "respondents", "score", "layer", "deadline"}},
	coord.KindMessagePosted:    {"consultation", "message posted", []string{"message_id", "type"}},
	coord.KindThreadStatus:     {"consultation", "thread changed", []string{"status", "type", "round", "proposal", "awaiting"}},
	coord.KindThreadClaimed:    {"consultation", "task claimed", []string{"claimed_by"}},
	coord.KindThreadCompleted:  {"consultation", "task completed", nil},
	coord.KindNeedsHuman:       {"consultation", "a thread needs its user", []string{"wakes"}},
	coord.KindAgentStatus:      {"consultation", "agent changed", []string{"status"}},
	coord.KindTokensUsed:       {"tokens", "tokens used", []string{"model", "turn", "input", "output", "cache_read", "cache_creation", "thinking"}},
}

// chronicle writes committed events into the log.
type chronicle map[string]*slog.Logger

func newChronicle(log *slog.Logger) chronicle {
	c := chronicle{}
	for _, t := range logged {
		c[t.component] = log.With("component", t.component)
	}
	return c
}

func (c chronicle) write(published []Publication) {
	for _, p := range published {
		e := p.Event
		t, known := logged[e.Kind]
		if !known || !c[t.component].Enabled(context.Background(), slog.LevelInfo) {
			continue
		}
		var payload map[string]json.RawMessage
		_ = json.Unmarshal(e.Payload, &payload) // our own; a broadcast is not in the table
		args := []any{"seq", e.Seq, "project", e.Project, "agent", e.Actor}
		if e.Thread != "" {
			args = append(args, "thread", e.Thread)
		}
		for _, name := range t.fields {
			if raw, ok := payload[name]; ok {
				var v any
				_ = json.Unmarshal(raw, &v) // a part of what has been read
				args = append(args, name, v)
			}
		}
		c[t.component].Info(t.message, args...)
	}
}
