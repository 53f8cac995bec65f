package tool

import "github.com/coordhq/coord/pkg/coord"

// StatusLine is what fits into the status line of a client.
var StatusLine = declare[StatusLineIn, StatusLineOut](Op{
	Name: "status_line", Text: "What the user of a session should see at a glance, for the status line of its client.", ReadOnly: true, Hidden: true,
})

// StatusLineIn names a session as its client's hooks do. It is for the user's
// own connection: a session asks about itself alone.
type StatusLineIn struct {
	Session  coord.SessionID `json:"session_id,omitempty" max:"200"`
	PID      int             `json:"pid,omitempty"` // of the client program; 0 = unknown
	PIDStart int64           `json:"pid_start,omitempty"`
	Host     coord.HostID    `json:"host_id,omitempty" max:"64"`
}

// StatusLineOut answers status_line.
type StatusLineOut struct {
	Known   bool             `json:"known"` // the session has an agent here; else all below is empty
	Name    string           `json:"name,omitempty"`
	Peers   int              `json:"peers"`           // who else is here, in the project
	Working int              `json:"working"`         // of them
	Answer  []coord.ThreadID `json:"answer"`          // threads that wait for this agent
	Wants   []coord.Path     `json:"wants"`           // files it was refused and stands in line for
	Waits   coord.ThreadID   `json:"waits,omitempty"` // a thread in which it waits for the word of others
	Wanted  int              `json:"wanted"`          // peers that wait for files of this agent
	Quota   *QuotaStatus     `json:"quota,omitempty"`
}
