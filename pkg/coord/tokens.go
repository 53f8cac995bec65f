package coord

// EstimateTokens says about how many tokens a text of so many bytes is to a
// model: one for four bytes, as English and code are.
func EstimateTokens(bytes int) int { return (bytes + 3) / 4 }

// Tokens is what one turn of a model cost. It is the payload of tokens.used.
type Tokens struct {
	Model         string `json:"model"`
	Turn          int    `json:"turn,omitempty"` // of the session, from 1; 0 = not said
	Input         int64  `json:"input"`
	Output        int64  `json:"output"` // thinking included
	CacheRead     int64  `json:"cache_read"`
	CacheCreation int64  `json:"cache_creation"`
	Thinking      int64  `json:"thinking"`
}

// TokenUse says whose tokens they were.
type TokenUse struct {
	Tokens
	Agent   AgentID
	Project ProjectID
	Time    Millis
}

// TokenTotal sums up what an agent used with one model. Its Turn is the newest,
// its Time that of the newest use.
type TokenTotal struct {
	TokenUse
	Turns int // how many uses are summed up
}

// Add gives the total with one more use.
func (t TokenTotal) Add(u TokenUse) TokenTotal {
	t.Agent, t.Project, t.Model = u.Agent, u.Project, u.Model
	t.Input += u.Input
	t.Output += u.Output
	t.CacheRead += u.CacheRead
	t.CacheCreation += u.CacheCreation
	t.Thinking += u.Thinking
	t.Turn, t.Time = max(t.Turn, u.Turn), max(t.Time, u.Time)
	t.Turns++
	return t
}
