package hook

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// claudeOutput is what Claude Code reads from a hook's standard output. We never
// answer "allow": that would take the user's own prompt away.
type claudeOutput struct {
	Decision string         `json:"decision,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Message  string         `json:"systemMessage,omitempty"`
	Specific *claudeSpecial `json:"hookSpecificOutput,omitempty"`
}

type claudeSpecial struct {
	Event    string `json:"hookEventName"`
	Decision string `json:"permissionDecision,omitempty"`
	Reason   string `json:"permissionDecisionReason,omitempty"`
	Context  string `json:"additionalContext,omitempty"`
}

// maxOutput is what Claude Code shows of one string, in characters: more would
// go to a file.
const maxOutput = 10_000

// takesContext are the events whose additionalContext reaches the model. Stop
// takes it too, but goes on working then.
var takesContext = []coord.HookEvent{coord.HookSessionStart, coord.HookPrompt, coord.HookBeforeTool, coord.HookAfterTool, coord.HookToolFailed, coord.HookSubagentStart}

// printClaude prints an answer in one write, nothing for silence.
func printClaude(w io.Writer, in input, a coord.HookAnswer) error {
	out := claudeOutput{Message: cut(a.Note)}
	special := claudeSpecial{Event: claudeNameOf(in)}
	switch {
	case a.Refused && in.event == coord.HookBeforeTool:
		special.Decision, special.Reason = "deny", cut(a.Reason)
	case a.Refused && (in.event == coord.HookStop || in.event == coord.HookSubagentStop):
		out.Decision, out.Reason = "block", cut(a.Reason)
	}
	if slices.Contains(takesContext, in.event) {
		special.Context = cut(a.Context)
	}
	if special.Decision != "" || special.Context != "" {
		out.Specific = &special
	}
	if out == (claudeOutput{}) {
		return nil
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// claudeNameOf gives the name that the client uses for the event, which it
// checks in the answer.
func claudeNameOf(in input) string {
	if in.name != "" {
		return in.name
	}
	for name, e := range claudeEvents {
		if e == in.event {
			return name
		}
	}
	return ""
}

func cut(s string) string {
	r := []rune(s)
	if len(r) <= maxOutput {
		return s
	}
	return string(r[:maxOutput-1]) + "…"
}
