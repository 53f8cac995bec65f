package tool

import "github.com/coordhq/coord/pkg/coord"

// TaskView is what an offered task says beside its thread.
type TaskView struct {
	TargetFiles []string      `json:"target_files"` // the first 20, as they were announced
	MoreFiles   int           `json:"more_files,omitempty"`
	Plan        string        `json:"plan,omitempty"`
	AssignedTo  coord.AgentID `json:"assigned_to,omitempty"`
	Claimer     *AgentRef     `json:"claimer,omitempty"`
	RunID       string        `json:"run_id,omitempty"`
	Unclaims    int           `json:"unclaims,omitempty"` // the second one poisons it
}

// ClaimTask takes an offered task.
var ClaimTask = declare[ClaimTaskIn, ClaimTaskOut](Op{
	Name: "claim_task",
	Text: "Take a task that was offered with announce_work keep_open. One agent gets it; its announcement is then yours.",
})

// ClaimTaskIn is the argument of claim_task.
type ClaimTaskIn struct {
	ThreadID coord.ThreadID `json:"thread_id" req:"true" max:"32"`
}

// ClaimTaskOut answers claim_task.
type ClaimTaskOut struct {
	ThreadView
	ConcernedAgents []AgentRef `json:"concerned_agents"` // who works on its files already
}

// UnclaimTask gives a task back.
var UnclaimTask = declare[UnclaimTaskIn, ThreadView](Op{
	Name: "unclaim_task",
	Text: "Give a task back that you claimed; another agent may take it. The second time it is given back it is withdrawn as poisoned.",
})

// UnclaimTaskIn is the argument of unclaim_task.
type UnclaimTaskIn struct {
	ThreadID coord.ThreadID `json:"thread_id" req:"true" max:"32"`
	Reason   string         `json:"reason,omitempty" max:"2000" alias:"content"`
}

// CompleteTask ends a claimed task.
var CompleteTask = declare[CompleteTaskIn, ThreadView](Op{
	Name: "complete_task",
	Text: "Say that the task you claimed is done; its files are free again.",
})

// CompleteTaskIn is the argument of complete_task.
type CompleteTaskIn struct {
	ThreadID coord.ThreadID `json:"thread_id" req:"true" max:"32"`
	Summary  string         `json:"summary,omitempty" max:"2000" alias:"content" doc:"what was done"`
}
