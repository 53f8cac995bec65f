package coord

// Standing is where an agent stands: what its model must know again after a
// compaction or in a resumed session. Each list is in the order of its ids.
type Standing struct {
	Name    string           `json:"name"`
	Leases  []StandingPath   `json:"leases"`
	Left    []StandingPath   `json:"left"` // leases that others may take over
	Waits   []StandingPath   `json:"waits"`
	Work    []string         `json:"work"` // subjects of its live announcements
	Threads []StandingThread `json:"threads"`
}

// StandingPath is a path that an agent holds, has left or waits for.
type StandingPath struct {
	Path Path   `json:"path"`
	With string `json:"with,omitempty"` // who waits for it, or is in the way; peer text
}

// StandingThread is a live thread that an agent takes part in.
type StandingThread struct {
	ID      ThreadID     `json:"id"`
	Subject string       `json:"subject"` // peer text
	Status  ThreadStatus `json:"status"`
	Waiting bool         `json:"waiting,omitempty"` // for the agent's own answer
}

// Empty reports whether there is nothing to say.
func (s *Standing) Empty() bool {
	return len(s.Leases)+len(s.Left)+len(s.Waits)+len(s.Work)+len(s.Threads) == 0
}
