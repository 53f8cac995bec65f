package tool

import (
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// The views are what a person looks at: they go over all projects for an
// operator who names none, and stay inside its own for a session. They are
// hidden from models; REST, the live stream and the dashboard are made of them.

// ViewWindow is how far back the views look: agents that left, threads that
// ended and consensus figures of the last 24 hours.
const ViewWindow = 24 * time.Hour

// ViewAgents lists agents with what they are at.
var ViewAgents = declare[ViewAgentsIn, ViewAgentsOut](Op{
	Name: "view_agents", Text: "Agents that are here or left within 24 hours, with what they do.", ReadOnly: true, Hidden: true,
})

// ViewAgentsIn is the argument of view_agents.
type ViewAgentsIn struct {
	Limit int `json:"limit,omitempty" max:"200" doc:"default 200"`
}

// AgentLine is one row of view_agents.
type AgentLine struct {
	AgentView
	Project     coord.ProjectID `json:"project"`
	CurrentFile coord.Path      `json:"current_file,omitzero"`
	ThreadID    coord.ThreadID  `json:"thread_id,omitempty"` // it waits in
	Since       coord.Millis    `json:"since"`               // of the activity
	Registered  coord.Millis    `json:"registered_at"`       // first of all
	LastAction  string          `json:"last_action,omitempty"`
	Hooks       bool            `json:"hooks,omitempty"`
}

// ViewAgentsOut answers view_agents: those who are here first, by name.
type ViewAgentsOut struct {
	Agents []AgentLine `json:"agents"`
	More   int         `json:"more,omitempty"`
}

// ViewThreads lists live threads and those that ended lately.
var ViewThreads = declare[ViewThreadsIn, ViewThreadsOut](Op{
	Name: "view_threads", Text: "Live threads and those that ended within 24 hours, the newest first.", ReadOnly: true, Hidden: true,
})

// ViewThreadsIn is the argument of view_threads.
type ViewThreadsIn struct {
	Status coord.ThreadStatus `json:"status,omitempty" enum:",open,resolving,claimed,resolved,unresolved,cancelled,expired,abandoned,poisoned"`
	Live   bool               `json:"live,omitempty" doc:"only those that have not ended"`
	Limit  int                `json:"limit,omitempty" max:"200" doc:"default 100"`
	Cursor string             `json:"cursor,omitempty" max:"64" doc:"next_cursor of the page before"`
}

// ThreadLine is one row of view_threads.
type ThreadLine struct {
	ThreadRow
	Project  coord.ProjectID `json:"project"`
	Category coord.Category  `json:"category"`
	Layer    coord.Layer     `json:"layer,omitempty"`
	Awaiting []AgentRef      `json:"awaiting"` // who has to answer before it goes on
	Summary  string          `json:"summary,omitempty"`
	Proposal *ProposalView   `json:"proposal,omitempty"`
}

// ViewThreadsOut answers view_threads.
type ViewThreadsOut struct {
	Threads    []ThreadLine `json:"threads"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

// ViewLeases lists who holds which file and who waits for it.
var ViewLeases = declare[ViewLeasesIn, ViewLeasesOut](Op{
	Name: "view_leases", Text: "Leases and the waiting lines behind them and behind announcements.", ReadOnly: true, Hidden: true,
})

// ViewLeasesIn is the argument of view_leases.
type ViewLeasesIn struct {
	Limit int `json:"limit,omitempty" max:"200" doc:"default 200"`
}

// LeaseLine is one path of one workspace that somebody holds or waits for.
type LeaseLine struct {
	ID           coord.LeaseID        `json:"id,omitempty"` // empty: an announcement is in the way, not a lease
	Project      coord.ProjectID      `json:"project"`
	Workspace    coord.WorkspaceID    `json:"workspace"`
	Path         coord.Path           `json:"path"`
	Holder       AgentRef             `json:"holder"`
	Subagent     string               `json:"subagent,omitempty"`
	Announcement coord.AnnouncementID `json:"announcement_id,omitempty"` // that is in the way
	Taken        coord.Millis         `json:"taken,omitempty"`
	Touched      coord.Millis         `json:"touched,omitempty"`
	Held         bool                 `json:"held"` // refuses others now; a left lease does not
	Waiting      []WaitLine           `json:"waiting"`
}

// WaitLine is one agent in a waiting line, the first one first.
type WaitLine struct {
	Agent    AgentRef     `json:"agent"`
	Since    coord.Millis `json:"since"`
	Reserved coord.Millis `json:"reserved_until,omitempty"`
	Told     coord.Millis `json:"told,omitempty"` // when it was told that the file is free; 0 = it still waits
}

// Wanted tells whether anybody still waits for the file.
func (l *LeaseLine) Wanted() bool {
	return slices.ContainsFunc(l.Waiting, func(w WaitLine) bool { return w.Told == 0 })
}

// ViewLeasesOut answers view_leases: the held ones and those with a line first.
type ViewLeasesOut struct {
	Leases []LeaseLine `json:"leases"`
	More   int         `json:"more,omitempty"`
}

// ViewFiles shows where the work is.
var ViewFiles = declare[ViewFilesIn, ViewFilesOut](Op{
	Name: "view_files", Text: "Files by how much was edited lately, and by whom.", ReadOnly: true, Hidden: true,
})

// ViewFilesIn is the argument of view_files.
type ViewFilesIn struct {
	SinceMinutes int `json:"since_minutes,omitempty" max:"1440" doc:"default 60"`
	Limit        int `json:"limit,omitempty" max:"200" doc:"default 50"`
}

// FileLine is one row of view_files.
type FileLine struct {
	Project coord.ProjectID `json:"project"`
	HotFile
}

// ViewFilesOut answers view_files, the files of most agents and edits first.
type ViewFilesOut struct {
	Files []FileLine `json:"files"`
	More  int        `json:"more,omitempty"`
}

// ViewStats counts how consultations went.
var ViewStats = declare[ViewStatsIn, ViewStatsOut](Op{
	Name: "view_stats", Text: "How the consultations of the last 24 hours went, and which layers opened them.", ReadOnly: true, Hidden: true,
})

// ViewStatsIn is the (empty) argument of view_stats.
type ViewStatsIn struct{}

// LayerCount is how many threads one scoring layer opened.
type LayerCount struct {
	Layer   coord.Layer `json:"layer"`
	Score   int         `json:"score"`
	Threads int         `json:"threads"`
}

// ViewStatsOut answers view_stats.
type ViewStatsOut struct {
	Since         coord.Millis   `json:"since"` // threads opened before this are not counted
	Opened        int            `json:"opened"`
	Outcomes      map[string]int `json:"outcomes"`      // by type of a resolved thread, else by status; live ones under "live"
	MedianMS      int64          `json:"median_ms"`     // from opening to agreement, of those with a consensus; 0 = none yet
	Rounds        float64        `json:"rounds"`        // mean of the same
	Layers        []LayerCount   `json:"layers"`        // all of them, strongest layer first
	Announcements int            `json:"announcements"` // live ones
	Edits         int            `json:"edits"`
}

// Overview is all views at one moment.
var Overview = declare[OverviewIn, OverviewOut](Op{
	Name: "overview", Text: "All views at one moment: what the dashboard shows.", ReadOnly: true, Hidden: true,
})

// OverviewIn is the argument of overview.
type OverviewIn struct {
	Steady bool `json:"steady,omitempty" doc:"give last_seen by the minute, so that the answer changes only when something did"`
}

// ProjectLine names a project that has agents or live work.
type ProjectLine struct {
	ID     coord.ProjectID `json:"id"`
	Online int             `json:"online"`
}

// OverviewOut answers overview.
type OverviewOut struct {
	Hub      HubStatus     `json:"hub"`
	Projects []ProjectLine `json:"projects"`
	Agents   []AgentLine   `json:"agents"`
	Threads  []ThreadLine  `json:"threads"`
	Leases   []LeaseLine   `json:"leases"`
	Files    []FileLine    `json:"files"`
	Stats    ViewStatsOut  `json:"stats"`
	MQTT     MQTTStatus    `json:"mqtt"`
}
