package top

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// line makes any text one harmless line.
func line[T ~string](s T) string { return coord.CleanLine(string(s)) }

// ago words how long something has lasted: 12s, 4m, 3h, 2d.
func ago(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// countdown gives 8:05 for what is left, never below 0:00.
func countdown(d time.Duration) string {
	s := max(0, int((d+time.Second-1)/time.Second))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// short words a number of tokens: 950, 12.3k, 4.5M.
func short(n int64) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%.1fk", float64(n)/1e3)
	default:
		return fmt.Sprint(n)
	}
}

// count gives "1 file", "2 files".
func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// projectName shortens a project's id to its last two parts.
func projectName(id coord.ProjectID) string {
	parts := strings.FieldsFunc(line(id), func(r rune) bool { return r == '/' })
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// names lists agents, the first few of them.
func names(refs []tool.AgentRef, more int) string {
	const shown = 3
	var out []string
	for _, r := range refs[:min(len(refs), shown)] {
		out = append(out, nameOf(r))
	}
	if more += len(refs) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("+%d", more))
	}
	return strings.Join(out, ", ")
}

func nameOf(r tool.AgentRef) string {
	if r.ID.IsHuman() {
		return line(strings.TrimPrefix(string(r.ID), "human:")) + " (a person)"
	}
	return line(cmp.Or(r.Name, string(r.ID)))
}

// outcomes words how a thread stands or ended.
var outcomes = map[string]string{
	"open": "open", "resolving": "proposal", "claimed": "claimed",
	"consensus": "agreed", "uncontested": "uncontested", "auto_resolved": "settled itself", "closed": "closed", "completed": "completed",
	"unresolved": "not agreed", "cancelled": "withdrawn", "expired": "no answer", "abandoned": "opener left", "poisoned": "given up",
}

func outcome(status coord.ThreadStatus, how coord.Resolution) string {
	word := cmp.Or(string(how), string(status))
	return cmp.Or(outcomes[word], line(word))
}

// said is what of an event's payload is shown.
type said struct {
	Name        string           `json:"name"`
	Initiator   string           `json:"initiator_name"`
	Subject     string           `json:"subject"`
	Content     string           `json:"content"`
	Summary     string           `json:"summary"`
	Status      string           `json:"status"`
	How         string           `json:"type"`
	Path        coord.Path       `json:"path"`
	Paths       []coord.Path     `json:"paths"`
	Files       []string         `json:"target_files"`
	Modules     []string         `json:"target_modules"`
	Model       string           `json:"model"`
	Input       int64            `json:"input"`
	Output      int64            `json:"output"`
	Utilization float64          `json:"utilization_pct"`
	KeepOpen    bool             `json:"keep_open"`
	Late        bool             `json:"late"`
	Resolution  coord.Resolution `json:"resolution"`
}

// steps words a transition of a thread by how it stands or ended.
var steps = map[string]string{
	"open": "disagrees", "resolving": "proposes", "consensus": "agrees", "uncontested": "goes uncontested", "auto_resolved": "needs no answer",
	"closed": "closes it", "completed": "completes it", "unresolved": "ends it without agreement", "cancelled": "withdraws it",
	"expired": "got no answer in time", "abandoned": "leaves it", "poisoned": "gives it up",
}

// tones words how a message is meant.
var tones = map[string]string{"question": "asks", "warning": "warns", "suggestion": "suggests"}

// arrivals words how an agent comes and goes.
var arrivals = map[string]string{"online": "is here", "offline": "has left", "returning": "is coming back"}

// sentences word each kind of event: what was done, and to what.
var sentences = map[coord.EventKind]func(said) (verb, object string){
	coord.KindAnnounced:        func(e said) (string, string) { return "announces", join(some(e.Files, e.Modules), e.Subject) },
	coord.KindAnnounceClosed:   func(e said) (string, string) { return "is done with", e.Subject },
	coord.KindThreadOpened:     func(e said) (string, string) { return opening(e.KeepOpen), e.Subject },
	coord.KindIntrospection:    func(e said) (string, string) { return "asks by the way", e.Subject },
	coord.KindThreadStatus:     func(e said) (string, string) { return cmp.Or(steps[e.How], steps[e.Status], e.Status), e.Summary },
	coord.KindThreadClaimed:    func(said) (string, string) { return "claims the task", "" },
	coord.KindThreadCompleted:  func(e said) (string, string) { return "completes the task", string(e.Resolution) },
	coord.KindMessagePosted:    func(e said) (string, string) { return tone(e), e.Content },
	coord.KindAgentStatus:      func(e said) (string, string) { return cmp.Or(arrivals[e.Status], e.Status), "" },
	coord.KindFileEdited:       func(e said) (string, string) { return "edits", e.Path.String() },
	coord.KindFileLeased:       func(e said) (string, string) { return "takes", e.Path.String() },
	coord.KindFileReleased:     func(e said) (string, string) { return "frees", e.Path.String() },
	coord.KindLeasePassed:      func(e said) (string, string) { return "takes over", e.Path.String() },
	coord.KindPathWanted:       func(e said) (string, string) { return "waits for", e.Path.String() },
	coord.KindPathFree:         func(e said) (string, string) { return "makes room at", some(texts(e.Paths), nil) },
	coord.KindOverlapMerge:     func(e said) (string, string) { return "also works on", e.Path.String() },
	coord.KindOverlapEdit:      func(e said) (string, string) { return "writes", e.Path.String() },
	coord.KindDependencyEdited: func(e said) (string, string) { return "edits what others need", e.Path.String() },
	coord.KindBroadcast:        func(said) (string, string) { return "broadcasts", "" },
	coord.KindQuotaUpdated:     func(e said) (string, string) { return "quota", fmt.Sprintf("%.0f %% used", e.Utilization) },
	coord.KindTokensUsed: func(e said) (string, string) {
		return "uses", fmt.Sprintf("%s + %s tokens of %s", short(e.Input), short(e.Output), e.Model)
	},
}

// sentence gives who did what to what, as harmless text. An event without an
// actor is the hub's.
func sentence(e coord.Event, known map[coord.AgentID]string) (who, verb, object string) {
	var p said
	_ = json.Unmarshal(e.Payload, &p) // a field of another shape stays empty
	verb = string(e.Kind)
	if say := sentences[e.Kind]; say != nil {
		verb, object = say(p)
	}
	who = cmp.Or(known[e.Actor], p.Name, p.Initiator, "coord")
	if e.Actor.IsHuman() { // whose act may name an agent
		who = nameOf(tool.AgentRef{ID: e.Actor})
	}
	return line(who), line(verb), line(object)
}

func opening(task bool) string {
	if task {
		return "offers a task"
	}
	return "opens a consultation"
}

func tone(e said) string {
	if e.Late {
		return "comments late"
	}
	return cmp.Or(tones[e.How], "says")
}

// some names the first thing of a list, else of the other one, and how many more
// there are.
func some(list, other []string) string {
	if len(list) == 0 {
		list = other
	}
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return fmt.Sprintf("%s +%d", list[0], len(list)-1)
}

func texts(paths []coord.Path) (out []string) {
	for _, p := range paths {
		out = append(out, p.String())
	}
	return out
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " · " + b
}
