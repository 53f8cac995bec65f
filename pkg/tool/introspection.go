package tool

import (
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// Introspection describes the operations, and what the caller has been asked.
var Introspection = declare[IntrospectionIn, IntrospectionOut](Op{
	Name:     "introspection",
	Text:     "The tools with their argument schemas, and the introspections that wait for your answer.",
	ReadOnly: true,
})

// IntrospectionIn is the argument of introspection.
type IntrospectionIn struct {
	Tool   string `json:"tool,omitempty" max:"64" doc:"only this tool"`
	Limit  int    `json:"limit,omitempty" max:"200"`
	Cursor string `json:"cursor,omitempty" max:"64"`
}

// ToolSchema is one operation as a client may call it.
type ToolSchema struct {
	Name   string          `json:"name"`
	Text   string          `json:"text"`
	Schema json.RawMessage `json:"schema"`
}

// AskedView is an introspection that the caller can answer.
type AskedView struct {
	ThreadID  coord.ThreadID `json:"thread_id"`
	Subject   string         `json:"subject"`
	Initiator AgentRef       `json:"initiator"`
	Score     int            `json:"score"`
	Layer     coord.Layer    `json:"layer,omitempty"`
}

// IntrospectionOut answers introspection.
type IntrospectionOut struct {
	Asked      []AskedView  `json:"asked"` // of live announcements; the newest 5, on the first page
	Tools      []ToolSchema `json:"tools"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

// AnswerIntrospection tells whether somebody's announced work concerns the
// caller after all.
var AnswerIntrospection = declare[AnswerIntrospectionIn, AnswerIntrospectionOut](Op{
	Name: "answer_introspection",
	Text: "Answer an introspection event: does that work concern you? concerned=true re-opens the thread with you as respondent while the announcement lives; later it is kept as a comment.",
})

// AnswerIntrospectionIn is the argument of answer_introspection.
type AnswerIntrospectionIn struct {
	ThreadID  coord.ThreadID `json:"thread_id" req:"true" max:"32"`
	Concerned bool           `json:"concerned" req:"true"`
	Reason    string         `json:"reason,omitempty" max:"2000" alias:"content"`
}

// AnswerIntrospectionOut answers answer_introspection.
type AnswerIntrospectionOut struct {
	ThreadView
	Late bool `json:"late,omitempty"` // the announcement was over: kept as a comment
}
