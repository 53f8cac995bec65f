package coord

// HookFound is a file that a shell command has written, as its hook found out
// afterwards.
type HookFound struct {
	File     HookFile `json:"file"`
	Subagent string   `json:"subagent,omitempty"` // whose command it was, "" = the main thread
	From     Millis   `json:"from"`               // when the command ran, by the clock of the hook's host
	To       Millis   `json:"to"`
	Gone     bool     `json:"gone,omitempty"`   // it was removed
	Unsure   bool     `json:"unsure,omitempty"` // a tool call of another session ran at that time too
}

// HookWatchList is what a hook looks at after a shell command in one working
// tree.
type HookWatchList struct {
	Files  []Path     `json:"files"`  // leased, announced, or edited in the session; at most 500
	Others []HookSpan `json:"others"` // when tool calls of other sessions ran there
	Began  Millis     `json:"began"`  // when the command was let through, 0 = not known
}

// HookSpan is when something ran.
type HookSpan struct {
	From Millis `json:"from"`
	To   Millis `json:"to,omitempty"` // 0 = it still runs
}

// HookSpent is what the model of a session has used since the report before it.
type HookSpent struct {
	Key  string   `json:"key"` // of this report: a second one with it counts nothing
	Uses []Tokens `json:"uses"`
}
