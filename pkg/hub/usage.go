package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// tally names one sum of tokens.
type tally struct {
	agent coord.AgentID
	model string
}

// maxModels bounds how many models one agent's tokens are counted under, so that
// a caller cannot grow the state without end.
const maxModels = 50

// recordTokens makes the handler of record_tokens: a session records its own
// use, the operator that of the agent it names.
func recordTokens() handler {
	return func(h *Hub, ctx context.Context, c coord.Caller, args json.RawMessage, key string) (json.RawMessage, error) {
		in, err := tool.RecordTokens.Read(args, c.Agent)
		if err != nil {
			return nil, err
		}
		switch {
		case c.Agent == "" && in.Agent == "":
			return nil, coord.Errorf(coord.Invalid, "name the agent, or call with a session key", "whose tokens these are is not said")
		case c.Agent != "" && in.Agent != "" && in.Agent != c.Agent:
			return nil, coord.Errorf(coord.Forbidden, "leave agent out", "a session records its own tokens only")
		}
		of := cmp.Or(c.Agent, in.Agent)
		for i, use := range in.Uses {
			if !plausible(use) {
				return nil, coord.Errorf(coord.Invalid, "correct it and call again", "use %d: it wants a model of 1 to 100 characters and numbers from 0 to %d", i+1, maxTokens)
			}
		}
		return h.submit(ctx, tool.RecordTokens.Name, ReplyKey{Agent: of, Key: key}, func(t *txn) (any, error) {
			return t.recordTokens(of, in.Uses)
		})
	}
}

// maxTokens bounds each number of one turn.
const maxTokens = 1_000_000_000

func plausible(u coord.Tokens) bool {
	for _, n := range []int64{int64(u.Turn), u.Input, u.Output, u.CacheRead, u.CacheCreation, u.Thinking} {
		if n < 0 || n > maxTokens {
			return false
		}
	}
	model := coord.CleanText(u.Model)
	return model == u.Model && strings.TrimSpace(model) != "" && utf8.RuneCountInString(model) <= 100
}

func (t *txn) recordTokens(of coord.AgentID, uses []coord.Tokens) (tool.RecordTokensOut, error) {
	a := t.agents[of]
	if a == nil {
		return tool.RecordTokensOut{}, coord.Errorf(coord.NotFound, "GET /api/agents lists them", "there is no agent %s", of)
	}
	recorded := 0
	for _, in := range uses {
		if in.Turn > 0 && !t.once("turn", a.ID, in) {
			continue // the same turn with the same numbers: a report that is repeated
		}
		if _, known := t.tokens[tally{a.ID, in.Model}]; !known && t.models(a.ID) >= maxModels {
			return tool.RecordTokensOut{}, coord.Errorf(coord.TooLarge, "sum the uses up under one name", "more than %d models for one agent", maxModels)
		}
		t.putTokens(coord.TokenUse{Tokens: in, Agent: a.ID, Project: a.Project, Time: t.now})
		t.emit(news{kind: coord.KindTokensUsed, project: a.Project, actor: a.ID, priority: coord.Low, payload: in})
		recorded++
	}
	return tool.RecordTokensOut{Recorded: recorded}, nil
}

func (s *state) models(of coord.AgentID) (n int) {
	for k := range s.tokens {
		if k.agent == of {
			n++
		}
	}
	return n
}

func (t *txn) putTokens(u coord.TokenUse) {
	k := tally{u.Agent, u.Model}
	before, was := t.tokens[k]
	t.tokens[k] = before.Add(u)
	t.undo = append(t.undo, func() {
		if was {
			t.tokens[k] = before
		} else {
			delete(t.tokens, k)
		}
	})
	t.changes.Tokens = append(t.changes.Tokens, u)
}

// tokensUsed answers tokens_used: the sums of the project's agents, or of all
// projects for the operator, those that used most first.
func (h *Hub) tokensUsed(_ *coord.Agent, c coord.Caller, in tool.TokensUsedIn) (tool.TokensUsedOut, error) {
	var all []coord.TokenTotal
	for _, sum := range h.state.tokens {
		if (c.Project == "" || sum.Project == c.Project) && (in.Agent == "" || sum.Agent == in.Agent) {
			all = append(all, sum)
		}
	}
	slices.SortFunc(all, func(a, b coord.TokenTotal) int {
		return cmp.Or(cmp.Compare(b.Input+b.Output+b.CacheCreation, a.Input+a.Output+a.CacheCreation),
			cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Model, b.Model))
	})
	skip, err := offset(in.Cursor)
	if err != nil {
		return tool.TokensUsedOut{}, err
	}
	p := newPage[tool.TokenTotal](in.Limit)
	p.room = math.MaxInt // an operation of the operator: no model reads it
	next := fill(p, all, skip, func(sum coord.TokenTotal) tool.TokenTotal {
		return tool.TokenTotal{Agent: h.state.refOf(sum.Agent), Project: sum.Project, Model: sum.Model, Turns: sum.Turns,
			Input: sum.Input, Output: sum.Output, CacheRead: sum.CacheRead, CacheCreation: sum.CacheCreation, Thinking: sum.Thinking, Last: sum.Time}
	})
	return tool.TokensUsedOut{Totals: p.rows, NextCursor: next}, nil
}

// RecordQuota makes a new measurement of the user's quota known: to status, and
// as an event to every project with a live agent; another project hears of it
// when its first agent comes. One that says what the last one said is no news.
func (h *Hub) RecordQuota(ctx context.Context, uses []coord.QuotaUse) error {
	if _, ok := coord.HighestQuota(uses); !ok {
		return coord.Errorf(coord.Invalid, "give at least one bucket", "an empty quota")
	}
	_, err := h.submit(ctx, "record_quota", ReplyKey{}, func(t *txn) (any, error) {
		if slices.Equal(t.quota, uses) {
			return nil, nil
		}
		before, told := t.quota, t.quotaTo
		t.quota, t.quotaTo = slices.Clone(uses), map[coord.ProjectID]bool{}
		t.undo = append(t.undo, func() { t.quota, t.quotaTo = before, told })
		for _, id := range slices.Sorted(maps.Keys(t.projects)) {
			if t.liveAgents(id) > 0 {
				t.tellQuota(id)
			}
		}
		return nil, nil
	})
	return err
}

// tellQuota tells a project of the newest measurement, once.
func (t *txn) tellQuota(id coord.ProjectID) {
	top, ok := coord.HighestQuota(t.quota)
	if !ok || t.quotaTo[id] {
		return
	}
	told := t.quotaTo
	told[id] = true
	t.undo = append(t.undo, func() { delete(told, id) })
	t.emit(news{kind: coord.KindQuotaUpdated, project: id, priority: coord.Low, payload: coord.QuotaUpdated{
		Usage: top.Utilization, Limit: 100, Utilization: top.Utilization, ResetsAt: top.ResetsAt, Buckets: t.quota}})
}

func (s *state) liveAgents(id coord.ProjectID) (n int) {
	for _, a := range s.project(id).agents {
		if a.Live() {
			n++
		}
	}
	return n
}
