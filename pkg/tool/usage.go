package tool

import "github.com/coordhq/coord/pkg/coord"

// RecordTokens adds to what a session's model has cost; the hooks call it at the
// end of a turn, and POST /api/tokens leads to it.
var RecordTokens = declare[RecordTokensIn, RecordTokensOut](Op{
	Name:   "record_tokens",
	Text:   "Record the tokens that turns of an agent's model used.",
	Hidden: true,
})

// RecordTokensIn is the argument of record_tokens.
type RecordTokensIn struct {
	Agent coord.AgentID  `json:"agent,omitempty" max:"64" doc:"whose; a session may name itself only"`
	Uses  []coord.Tokens `json:"uses" req:"true" max:"100"` // a model of 1 to 100 characters each
}

// RecordTokensOut answers record_tokens.
type RecordTokensOut struct {
	Recorded int `json:"recorded"` // without those that repeat a turn with the same numbers
}

// TokensUsed sums up the tokens of agents; GET /api/tokens leads to it.
var TokensUsed = declare[TokensUsedIn, TokensUsedOut](Op{
	Name:     "tokens_used",
	Text:     "Tokens used, per agent and model.",
	ReadOnly: true,
	Hidden:   true,
})

// TokensUsedIn is the argument of tokens_used.
type TokensUsedIn struct {
	Agent  coord.AgentID `json:"agent,omitempty" max:"64"`
	Limit  int           `json:"limit,omitempty" max:"200"`
	Cursor string        `json:"cursor,omitempty" max:"64"`
}

// TokenTotal is the sum of one agent and model.
type TokenTotal struct {
	Agent         AgentRef        `json:"agent"`
	Project       coord.ProjectID `json:"project"`
	Model         string          `json:"model"`
	Turns         int             `json:"turns"`
	Input         int64           `json:"input"`
	Output        int64           `json:"output"`
	CacheRead     int64           `json:"cache_read"`
	CacheCreation int64           `json:"cache_creation"`
	Thinking      int64           `json:"thinking"`
	Last          coord.Millis    `json:"last"`
}

// TokensUsedOut answers tokens_used, the greatest sums first.
type TokensUsedOut struct {
	Totals     []TokenTotal `json:"totals"`
	NextCursor string       `json:"next_cursor,omitempty"`
}
