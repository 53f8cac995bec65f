package brief

import (
	"fmt"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// maxStanding bounds each list of a standing.
const maxStanding = 10

// StandingThread is a thread that an agent takes part in.
type StandingThread struct {
	ID      coord.ThreadID
	Subject string // peer text
	Status  coord.ThreadStatus
	Waiting bool // for the agent's own answer
}

// StandingPath is a path that an agent holds or waits for.
type StandingPath struct {
	Path coord.Path
	With string // who waits for it, or is in the way; peer text, may be empty
}

// Standing is where an agent stands: what its model must know again after a
// compaction or in a resumed session.
type Standing struct {
	Name    string
	Leases  []StandingPath
	Waits   []StandingPath
	Work    []string // subjects of its live announcements; its own text
	Threads []StandingThread
}

// Empty reports whether there is nothing to say.
func (s *Standing) Empty() bool {
	return len(s.Leases)+len(s.Waits)+len(s.Work)+len(s.Threads) == 0
}

// String words where an agent stands, "" when there is nothing to say.
func (s *Standing) String() string {
	if s.Empty() {
		return ""
	}
	lines := []string{"[coord: you are " + name(s.Name) + "; this is where you stand]"}
	lines = append(lines, list("you hold", s.Leases, func(p StandingPath) string { return p.words("wanted by") })...)
	lines = append(lines, list("you wait for", s.Waits, func(p StandingPath) string { return p.words("after") })...)
	lines = append(lines, list("you announced", s.Work, func(w string) string { return quote(w, maxWords) })...)
	lines = append(lines, list("threads", s.Threads, StandingThread.words)...)
	return strings.Join(lines, "\n")
}

func (p StandingPath) words(relation string) string {
	if p.With == "" {
		return file(p.Path.String())
	}
	return fmt.Sprintf("%s (%s %s)", file(p.Path.String()), relation, name(p.With))
}

func (t StandingThread) words() string {
	s := fmt.Sprintf("%s %s, %s", name(string(t.ID)), quote(t.Subject, maxWords), name(string(t.Status)))
	if t.Waiting {
		s += ", waits for your answer"
	}
	return s
}

// list words one line of at most maxStanding items, none for an empty list.
func list[T any](what string, items []T, say func(T) string) []string {
	if len(items) == 0 {
		return nil
	}
	var out []string
	for _, it := range items[:min(len(items), maxStanding)] {
		out = append(out, say(it))
	}
	s := "- " + what + ": " + strings.Join(out, "; ")
	if n := len(items) - maxStanding; n > 0 {
		s += fmt.Sprintf("; and %d more", n)
	}
	return []string{s}
}
