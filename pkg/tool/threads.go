package tool

import "github.com/coordhq/coord/pkg/coord"

// AnnounceWork says what the caller is about to touch and learns who is affected.
var AnnounceWork = declare[AnnounceWorkIn, AnnounceWorkOut](Op{
	Name:       "announce_work",
	Text:       "Before you edit: say which files or modules you will touch. The answer is clear, or names the agents whose work overlaps and the consultation thread to settle it in before writing. Directories end in /; globs (* ? {a,b}, beside them [ab]) work, and [ ] alone is a name. Set depends_on_files for files you rely on but do not change.",
	AlwaysLoad: true,
	Core:       true,
})

// AnnounceWorkIn is the argument of announce_work.
type AnnounceWorkIn struct {
	Subject         string               `json:"subject" req:"true" max:"200" line:"true" doc:"what you are going to do, in one line"`
	TargetFiles     []string             `json:"target_files,omitempty" max:"500" path:"target" doc:"files, directories (trailing /) or globs you will change"`
	TargetModules   []string             `json:"target_modules,omitempty" max:"50" line:"true" doc:"modules you will change, like auth or api/users"`
	DependsOnFiles  []string             `json:"depends_on_files,omitempty" max:"500" path:"file" doc:"files you rely on and will not change"`
	ExportsAffected []string             `json:"exports_affected,omitempty" max:"100" line:"true" doc:"public names whose meaning changes"`
	TargetSymbols   []string             `json:"target_symbols,omitempty" max:"100" line:"true" doc:"functions or types you will change"`
	Plan            string               `json:"plan,omitempty" max:"2000" doc:"how you will do it"`
	KeepOpen        bool                 `json:"keep_open,omitempty" doc:"offer this as a task that another agent may claim"`
	AssignedTo      coord.AgentID        `json:"assigned_to,omitempty" max:"64" doc:"with keep_open: only this agent may claim it"`
	RunID           string               `json:"run_id,omitempty" max:"64" line:"true" doc:"groups announcements of one run"`
	Replaces        coord.AnnouncementID `json:"replaces,omitempty" max:"32" doc:"your earlier announcement (A-n) this one takes the place of; seniority is kept"`
	Expansions      map[string][]string  `json:"expansions,omitempty" max:"500" wire:"true" doc:"per pattern of target_files: the names it stands for now; more than 500 is sent as null"`
}

// AnnounceWorkOut answers announce_work.
type AnnounceWorkOut struct {
	ThreadID        *coord.ThreadID      `json:"thread_id"` // null when nobody is concerned
	AnnouncementID  coord.AnnouncementID `json:"announcement_id"`
	Status          string               `json:"status"` // clear, open or auto_resolved; how the thread ended, when an announcement that replaces one has had it and nothing was agreed
	Category        coord.Category       `json:"category"`
	Score           int                  `json:"score"`
	Layer           *coord.Layer         `json:"layer"` // null when nothing overlaps
	ConcernedAgents []AgentRef           `json:"concerned_agents"`
	GrayZoneAgents  []AgentRef           `json:"gray_zone"`
	MoreConcerned   int                  `json:"more_concerned,omitempty"`
	MoreGray        int                  `json:"more_gray,omitempty"`
	Reasons         []ReasonView         `json:"reasons"`
	More            int                  `json:"more_reasons,omitempty"`
	Next            string               `json:"next"`
}

// ReasonView is one typed reason with the peer it is about.
type ReasonView struct {
	Agent AgentRef `json:"agent"`
	Score int      `json:"score"`
	coord.Reason
}

// PostToThread adds a message to a consultation.
var PostToThread = declare[PostToThreadIn, MessageView](Op{
	Name:       "post_to_thread",
	Text:       "Say something in a consultation thread; its other participants get it at once.",
	AlwaysLoad: true,
	Core:       true,
})

// PostToThreadIn is the argument of post_to_thread.
type PostToThreadIn struct {
	ThreadID  coord.ThreadID    `json:"thread_id" req:"true" max:"32"`
	Content   string            `json:"content" req:"true" max:"4000"`
	Type      coord.MessageType `json:"type,omitempty" enum:"context,question,warning,suggestion"`
	InReplyTo coord.MessageID   `json:"in_reply_to,omitempty" max:"32" doc:"message id (M-n)"`
}

// MessageView is a post as readers get it.
type MessageView struct {
	MessageID coord.MessageID   `json:"message_id"`
	Seq       coord.Seq         `json:"seq"`
	ThreadID  coord.ThreadID    `json:"thread_id"`
	Author    AgentRef          `json:"author"`
	Type      coord.MessageType `json:"type"`
	Content   string            `json:"content"`
	Cut       bool              `json:"cut,omitempty"` // the content goes on: get_thread gives it in parts
	InReplyTo coord.MessageID   `json:"in_reply_to,omitempty"`
	Late      bool              `json:"late,omitempty"`
	Time      coord.Millis      `json:"time"`
}

// ThreadView is a thread as readers get it.
type ThreadView struct {
	ThreadID        coord.ThreadID       `json:"thread_id"`
	Status          coord.ThreadStatus   `json:"status"`
	Type            coord.Resolution     `json:"type,omitempty"`
	Subject         string               `json:"subject"`
	AnnouncementID  coord.AnnouncementID `json:"announcement_id"`
	Initiator       AgentRef             `json:"initiator"`
	Respondents     []AgentRef           `json:"respondents"`
	MoreRespondents int                  `json:"more_respondents,omitempty"`
	Files           []coord.Path         `json:"files"`
	MoreFiles       int                  `json:"more_files,omitempty"`
	Category        coord.Category       `json:"category"`
	Score           int                  `json:"score"`
	Layer           coord.Layer          `json:"layer,omitempty"`
	Round           int                  `json:"round"`
	Deadline        coord.Millis         `json:"deadline,omitempty"`
	Proposal        *ProposalView        `json:"proposal,omitempty"`
	Summary         string               `json:"summary,omitempty"`
	Task            *TaskView            `json:"task,omitempty"`     // of an offered task
	Messages        []MessageView        `json:"messages,omitempty"` // get_thread only
	More            int                  `json:"more_messages,omitempty"`
	NextSeq         coord.Seq            `json:"next_seq,omitempty"`    // give as since_seq for the rest; absent = as in this call
	NextOffset      int                  `json:"next_offset,omitempty"` // give as offset too: the last message here goes on
	Next            string               `json:"next,omitempty"`
}

// ProposalView is the proposal on the table.
type ProposalView struct {
	Number   int        `json:"number"`
	By       AgentRef   `json:"by"`
	Summary  string     `json:"summary"`
	Order    []AgentRef `json:"order,omitempty"`
	Approved []AgentRef `json:"approved"`
	Awaiting []AgentRef `json:"awaiting"`
}

// ProposeResolution puts a way out on the table.
var ProposeResolution = declare[ProposeResolutionIn, ThreadView](Op{
	Name: "propose_resolution",
	Text: "Propose how to settle a thread. It is settled when every other participant approves. order lists agent ids that go one after the other; without it all may go ahead.",
	Core: true,
})

// ProposeResolutionIn is the argument of propose_resolution.
type ProposeResolutionIn struct {
	ThreadID coord.ThreadID  `json:"thread_id" req:"true" max:"32"`
	Summary  string          `json:"summary" req:"true" max:"2000" alias:"content" doc:"what each side will do"`
	Order    []coord.AgentID `json:"order,omitempty" max:"50" doc:"participants in the order they may write"`
}

// ApproveResolution agrees to the proposal on the table.
var ApproveResolution = declare[ApproveResolutionIn, ThreadView](Op{
	Name: "approve_resolution",
	Text: "Approve the current proposal of a thread. Give its number so that a newer one is not approved unread.",
	Core: true,
})

// ApproveResolutionIn is the argument of approve_resolution.
type ApproveResolutionIn struct {
	ThreadID coord.ThreadID `json:"thread_id" req:"true" max:"32"`
	Proposal int            `json:"proposal,omitempty" max:"1000000" doc:"number of the proposal you read"`
}

// ContestResolution disagrees with the proposal on the table.
var ContestResolution = declare[ContestResolutionIn, ThreadView](Op{
	Name: "contest_resolution",
	Text: "Disagree with the current proposal, saying why. The thread is open again for a new proposal; the fourth contest ends it unresolved.",
	Core: true,
})

// ContestResolutionIn is the argument of contest_resolution.
type ContestResolutionIn struct {
	ThreadID coord.ThreadID `json:"thread_id" req:"true" max:"32"`
	Reason   string         `json:"reason" req:"true" max:"2000"`
	Proposal int            `json:"proposal,omitempty" max:"1000000" doc:"number of the proposal you read"`
}

// CloseThread says the caller's work is done.
var CloseThread = declare[CloseThreadIn, CloseThreadOut](Op{
	Name: "close_thread",
	Text: "Say you are done: closes your announcement and its thread and frees the files. thread_id may also be an announcement (A-n), a lease (L-n) or a path you hold.",
	Core: true,
})

// CloseThreadIn is the argument of close_thread.
type CloseThreadIn struct {
	ThreadID string `json:"thread_id" req:"true" max:"1024" path:"id" doc:"T-n, A-n, L-n or a path"`
	Summary  string `json:"summary,omitempty" max:"2000" alias:"content" doc:"what was done"`
}

// CloseThreadOut answers close_thread.
type CloseThreadOut struct {
	Closed []string `json:"closed"` // ids of what was closed
	Next   string   `json:"next"`
}

// CancelThread withdraws an announcement.
var CancelThread = declare[CancelThreadIn, ThreadView](Op{
	Name: "cancel_thread",
	Text: "Withdraw a consultation you opened and the announcement behind it: you will not do this work.",
})

// CancelThreadIn is the argument of cancel_thread.
type CancelThreadIn struct {
	ThreadID coord.ThreadID `json:"thread_id" req:"true" max:"32"`
	Reason   string         `json:"reason,omitempty" max:"2000"`
}

// GetThread reads one thread with its messages.
var GetThread = declare[GetThreadIn, ThreadView](Op{
	Name:     "get_thread",
	Text:     "Read a thread: state, proposal, who is awaited, messages. Page with since_seq = next_seq and offset = next_offset.",
	ReadOnly: true,
})

// GetThreadIn is the argument of get_thread.
type GetThreadIn struct {
	ThreadID coord.ThreadID `json:"thread_id" req:"true" max:"32"`
	SinceSeq coord.Seq      `json:"since_seq,omitempty" alias:"since" doc:"only messages after this seq"`
	Offset   int            `json:"offset,omitempty" max:"4000" doc:"next_offset of the answer before: characters of a long message that you have"`
	Limit    int            `json:"limit,omitempty" max:"200" doc:"at most this many messages (default 20)"`
}
