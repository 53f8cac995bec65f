package brief

import (
	"fmt"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// maxStanding bounds each list of a standing.
const maxStanding = 10

// Standing words where an agent stands, for a model that has forgotten it; ""
// when there is nothing to say.
func Standing(s coord.Standing) string {
	if s.Empty() {
		return ""
	}
	lines := []string{"[coord: you are " + name(s.Name) + "; this is where you stand]"}
	lines = append(lines, list("you hold", s.Leases, pathWords("wanted by"))...)
	lines = append(lines, list("you left uncommitted, others may go on with it", s.Left, pathWords("wanted by"))...)
	lines = append(lines, list("you wait for", s.Waits, pathWords("after"))...)
	lines = append(lines, list("you announced", s.Work, func(w string) string { return quote(w, maxWords) })...)
	lines = append(lines, list("threads", s.Threads, threadWords)...)
	return strings.Join(lines, "\n")
}

func pathWords(relation string) func(coord.StandingPath) string {
	return func(p coord.StandingPath) string {
		if p.With == "" {
			return file(p.Path.String())
		}
		return fmt.Sprintf("%s (%s %s)", file(p.Path.String()), relation, name(p.With))
	}
}

func threadWords(t coord.StandingThread) string {
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
