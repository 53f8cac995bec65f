package tool

import "github.com/coordhq/coord/pkg/coord"

// HotFiles shows where agents meet.
var HotFiles = declare[HotFilesIn, HotFilesOut](Op{
	Name:     "hot_files",
	Text:     "Files that more than one agent has edited lately or holds now, the most crowded first.",
	ReadOnly: true,
})

// HotFilesIn is the argument of hot_files.
type HotFilesIn struct {
	SinceMinutes int    `json:"since_minutes,omitempty" max:"1440" doc:"default 30"`
	Limit        int    `json:"limit,omitempty" max:"200"`
	Cursor       string `json:"cursor,omitempty" max:"64"`
}

// HotFile is a path that more than one agent has edited lately or leased.
type HotFile struct {
	Path       coord.Path   `json:"path"`
	Agents     []AgentRef   `json:"agents"` // by name, the first 10
	MoreAgents int          `json:"more_agents,omitempty"`
	Edits      int          `json:"edits,omitempty"` // in the time looked at
	Last       coord.Millis `json:"last_edit,omitempty"`
}

// HotFilesOut answers hot_files.
type HotFilesOut struct {
	Files      []HotFile `json:"files"`
	NextCursor string    `json:"next_cursor,omitempty"`
}

// GetSessionFiles lists what an agent has edited.
var GetSessionFiles = declare[GetSessionFilesIn, GetSessionFilesOut](Op{
	Name:     "get_session_files",
	Text:     "Files an agent has edited in its session.",
	ReadOnly: true,
})

// GetSessionFilesIn is the argument of get_session_files.
type GetSessionFilesIn struct {
	Agent  string `json:"agent,omitempty" max:"64" doc:"id or name (default you)"`
	Limit  int    `json:"limit,omitempty" max:"200"`
	Cursor string `json:"cursor,omitempty" max:"2048"`
}

// SessionFile is what one agent did to one file.
type SessionFile struct {
	Path    coord.Path   `json:"path"`
	Edits   int          `json:"edits"`
	Last    coord.Millis `json:"last_edit"`
	Summary string       `json:"summary,omitempty"` // of the last edit
}

// GetSessionFilesOut answers get_session_files, by path.
type GetSessionFilesOut struct {
	Agent      AgentRef      `json:"agent"`
	Files      []SessionFile `json:"files"`
	NextCursor string        `json:"next_cursor,omitempty"`
}
