package tool

import "github.com/coordhq/coord/pkg/coord"

// ListThreads finds threads, ended ones included.
var ListThreads = declare[ListThreadsIn, ListThreadsOut](Op{
	Name:     "list_threads",
	Text:     "List threads and offered tasks of this project, newest first, ended ones too.",
	ReadOnly: true,
})

// ListThreadsIn is the argument of list_threads; what is given must all hold.
type ListThreadsIn struct {
	Status coord.ThreadStatus `json:"status,omitempty" enum:",open,resolving,claimed,resolved,unresolved,cancelled,expired,abandoned,poisoned"`
	Agent  string             `json:"agent,omitempty" max:"64" doc:"id or name of one who takes part"`
	Module string             `json:"module,omitempty" max:"200" line:"true" doc:"this module, one inside or around it"`
	Mine   bool               `json:"mine,omitempty" doc:"only those you take part in"`
	RunID  string             `json:"run_id,omitempty" max:"64" line:"true"`
	Limit  int                `json:"limit,omitempty" max:"200" doc:"default 20"`
	Cursor string             `json:"cursor,omitempty" max:"64" doc:"next_cursor of the page before"`
}

// ThreadRow is one row of list_threads.
type ThreadRow struct {
	ThreadID        coord.ThreadID       `json:"thread_id"`
	Status          coord.ThreadStatus   `json:"status"`
	Type            coord.Resolution     `json:"type,omitempty"`
	Subject         string               `json:"subject"`
	AnnouncementID  coord.AnnouncementID `json:"announcement_id,omitempty"`
	Initiator       AgentRef             `json:"initiator"`
	Respondents     []AgentRef           `json:"respondents"`
	MoreRespondents int                  `json:"more_respondents,omitempty"`
	Claimer         *AgentRef            `json:"claimer,omitempty"`
	AssignedTo      coord.AgentID        `json:"assigned_to,omitempty"`
	KeepOpen        bool                 `json:"keep_open,omitempty"` // a task that is offered
	RunID           string               `json:"run_id,omitempty"`
	Files           []coord.Path         `json:"files"` // the first 3
	MoreFiles       int                  `json:"more_files,omitempty"`
	Score           int                  `json:"score"`
	Round           int                  `json:"round"`
	Deadline        coord.Millis         `json:"deadline,omitempty"`
	Created         coord.Millis         `json:"created"`
	Ended           coord.Millis         `json:"ended,omitempty"`
}

// ListThreadsOut answers list_threads.
type ListThreadsOut struct {
	Threads    []ThreadRow `json:"threads"`
	NextCursor string      `json:"next_cursor,omitempty"`
}

// GetThreadUpdates reads on in all of one's threads.
var GetThreadUpdates = declare[GetThreadUpdatesIn, GetThreadUpdatesOut](Op{
	Name:     "get_thread_updates",
	Text:     "Messages of the threads you take part in, oldest first, after since_seq.",
	ReadOnly: true,
})

// GetThreadUpdatesIn is the argument of get_thread_updates.
type GetThreadUpdatesIn struct {
	SinceSeq coord.Seq      `json:"since_seq,omitempty" alias:"since" doc:"next_seq of the call before"`
	ThreadID coord.ThreadID `json:"thread_id,omitempty" max:"32" doc:"only this thread"`
	Limit    int            `json:"limit,omitempty" max:"200" doc:"default 20"`
}

// GetThreadUpdatesOut answers get_thread_updates.
type GetThreadUpdatesOut struct {
	Messages []MessageView `json:"messages"`
	NextSeq  coord.Seq     `json:"next_seq"`       // give as since_seq next time
	More     bool          `json:"more,omitempty"` // there are more already
}
