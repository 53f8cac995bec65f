package coord

import "strings"

// TargetKind says how a target names files.
type TargetKind string

// A target is a concrete file, a directory with all below it, or a doublestar glob.
const (
	FileTarget TargetKind = "file"
	DirTarget  TargetKind = "dir"
	GlobTarget TargetKind = "glob"
)

// MaxExpansion is the largest number of names a shim sends for one pattern;
// more makes the target wide.
const MaxExpansion = 500

// Target is one entry of target_files after normalisation.
type Target struct {
	Kind     TargetKind `json:"kind"`
	Path     Path       `json:"path"`               // the file, the directory, or the glob itself
	Expanded []Path     `json:"expanded,omitempty"` // names a pattern stood for when it was announced
	Wide     bool       `json:"wide,omitempty"`     // a pattern too broad to expand: overlaps on layer 3 only
	Order    Seq        `json:"order"`              // seniority: the number of the announcement that first named it; kept by replaces
}

// ParseTarget reads one target as a client writes it: a trailing slash or "."
// makes a directory, the characters * ? { make a glob, all else is a file.
// (Brackets alone do not: app/[id]/page.tsx is a file.)
func ParseTarget(s string) (Target, error) {
	p, err := ParsePath(s)
	if err != nil {
		return Target{}, err
	}
	switch {
	case strings.ContainsAny(s, "*?{"):
		return Target{Kind: GlobTarget, Path: p}, nil
	case strings.HasSuffix(s, "/") || p.String() == ".":
		return Target{Kind: DirTarget, Path: p}, nil
	default:
		return Target{Kind: FileTarget, Path: p}, nil
	}
}

// String gives the target as a client would write it.
func (t Target) String() string {
	if t.Kind == DirTarget {
		return t.Path.String() + "/"
	}
	return t.Path.String()
}

// AnnouncementState is where an announcement is in its life.
type AnnouncementState string

// Active ones can refuse, dormant ones score and warn, closed ones are history.
const (
	Active  AnnouncementState = "active"
	Dormant AnnouncementState = "dormant"
	Closed  AnnouncementState = "closed"
)

// Announcement is an intention: what an agent is about to touch, and why.
type Announcement struct {
	ID         AnnouncementID    `json:"id"`
	Project    ProjectID         `json:"project"`
	Agent      AgentID           `json:"agent"`
	Workspace  WorkspaceID       `json:"workspace"`
	Thread     ThreadID          `json:"thread,omitempty"` // the consultation it opened or joined
	Subject    string            `json:"subject"`
	Plan       string            `json:"plan,omitempty"`
	Targets    []Target          `json:"targets,omitempty"`
	DependsOn  []Path            `json:"depends_on,omitempty"`
	Modules    []string          `json:"modules,omitempty"`
	Symbols    []string          `json:"symbols,omitempty"`
	Exports    []string          `json:"exports,omitempty"`
	KeepOpen   bool              `json:"keep_open,omitempty"` // a task offered to others: never scored, never gates
	AssignedTo AgentID           `json:"assigned_to,omitempty"`
	RunID      string            `json:"run_id,omitempty"`
	State      AnnouncementState `json:"state"`
	Created    Millis            `json:"created"`
	Claimed    Millis            `json:"claimed,omitempty"`   // an offered task: when its owner took it
	LastEdit   Millis            `json:"last_edit,omitempty"` // of its owner, inside its targets
	Yielded    []Path            `json:"yielded,omitempty"`   // a person took its right of way for these
	Ended      Millis            `json:"ended,omitempty"`
}

// Live reports whether the announcement still scores.
func (a *Announcement) Live() bool { return a.State != Closed }
