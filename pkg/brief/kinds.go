package brief

import (
	"fmt"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// payload is what the payloads of all kinds that are told have in them.
type payload struct {
	Subject       string          `json:"subject"`
	InitiatorName string          `json:"initiator_name"`
	TargetFiles   []string        `json:"target_files"`
	Overlap       []string        `json:"overlap"`
	KeepOpen      bool            `json:"keep_open"`
	Score         int             `json:"score"`
	Name          string          `json:"name"`
	Type          string          `json:"type"`
	Content       string          `json:"content"`
	Status        string          `json:"status"`
	Summary       string          `json:"summary"`
	Round         int             `json:"round"`
	Proposal      int             `json:"proposal"`
	Awaiting      []coord.AgentID `json:"awaiting"`
	Resolution    string          `json:"resolution"`
	Path          string          `json:"path"`
	Paths         []string        `json:"paths"`
	Until         coord.Millis    `json:"reserved_until"`
	Reason        string          `json:"reason"`
	From          coord.Seq       `json:"from"`
	To            coord.Seq       `json:"to"`
	Wakes         int             `json:"wakes"`
	By            coord.AgentID   `json:"by"`
	Held          bool            `json:"held"`
	Unsure        bool            `json:"unsure"`
	Closed        []string        `json:"closed"`
	Left          []string        `json:"left"`
	More          int             `json:"more"`
}

// tellers word each kind of event; the kinds that are not here are told by their
// payload.
var tellers = map[coord.EventKind]func(*coord.Event, *payload) string{
	coord.KindThreadOpened:  opened,
	coord.KindIntrospection: introspection,
	coord.KindMessagePosted: func(e *coord.Event, p *payload) string {
		return fmt.Sprintf("%s says (%s): %s", author(e, p), name(p.Type), Quote(p.Content))
	},
	coord.KindThreadStatus: status,
	coord.KindThreadClaimed: func(_ *coord.Event, p *payload) string {
		return name(p.Name) + " claimed the task"
	},
	coord.KindThreadCompleted: func(_ *coord.Event, p *payload) string {
		return "the claimed task is completed: " + Quote(p.Resolution)
	},
	coord.KindAgentStatus: func(_ *coord.Event, p *payload) string { return name(p.Name) + " is " + name(p.Status) },
	coord.KindFileEdited:  touching("edited %s"),
	coord.KindFileLeased:  touching("is editing %s"),
	coord.KindFileReleased: func(_ *coord.Event, p *payload) string {
		if p.By.IsHuman() {
			return fmt.Sprintf("%s released %s, which you held or announced: others may write it now; read it again before you edit it", person(p.By), file(p.Path))
		}
		return file(p.Path) + " was released"
	},
	coord.KindLeasePassed:      passed,
	coord.KindPathWanted:       touching("waits for %s, which you hold"),
	coord.KindPathFree:         freed,
	coord.KindOverlapEdit:      overlapping,
	coord.KindOverlapWritten:   overwritten,
	coord.KindOverlapMerge:     touching("edits %s in another working tree too: expect a conflict at merge"),
	coord.KindDependencyEdited: touching("edited %s, which you depend on"),
	coord.KindAgentLost:        lost,
	coord.KindNeedsHuman: func(_ *coord.Event, p *payload) string {
		return fmt.Sprintf("this thread woke you %d times without a word of your user and will not do so again: ask your user what to do", p.Wakes)
	},
	coord.KindResync: func(_ *coord.Event, p *payload) string {
		return fmt.Sprintf("events %d to %d are gone from the inbox: look at the state anew", p.From, p.To)
	},
}

// author names who wrote a message: a person is no peer.
func author(e *coord.Event, p *payload) string {
	if e.Actor.IsHuman() {
		return person(e.Actor)
	}
	return name(p.Name)
}

// person names somebody who acted through the hub's own commands, not as an
// agent. It is still no word of the session's own user.
func person(id coord.AgentID) string {
	return "a person (" + name(strings.TrimPrefix(string(id), string(coord.Human("")))) + ")"
}

func opened(_ *coord.Event, p *payload) string {
	if p.KeepOpen {
		return fmt.Sprintf("%s offers a task: %s", name(p.InitiatorName), quote(p.Subject, maxWords))
	}
	return fmt.Sprintf("%s opened a consultation that concerns you: %s%s", name(p.InitiatorName), quote(p.Subject, maxWords), about(p))
}

func introspection(_ *coord.Event, p *payload) string {
	return fmt.Sprintf("%s announced work that may touch yours: %s%s", name(p.InitiatorName), quote(p.Subject, maxWords), about(p))
}

// about names the first files that a consultation is about.
func about(p *payload) string {
	paths := p.Overlap
	if len(paths) == 0 {
		paths = p.TargetFiles
	}
	if len(paths) == 0 {
		return ""
	}
	return ", about " + files(paths)
}

func status(_ *coord.Event, p *payload) string {
	s := "the thread is " + name(p.Status)
	if p.Type != "" {
		s += " (" + name(p.Type) + ")"
	}
	if p.Name != "" {
		s += " by " + name(p.Name)
	}
	if p.Proposal > 0 {
		s += fmt.Sprintf(", proposal %d", p.Proposal)
	}
	if p.Round > 1 {
		s += fmt.Sprintf(", round %d", p.Round)
	}
	if len(p.Awaiting) > 0 {
		s += fmt.Sprintf(", %d to approve", len(p.Awaiting))
	}
	if p.Summary != "" {
		s += ": " + Quote(p.Summary)
	}
	if p.Status == string(coord.ThreadUnresolved) {
		s += "; there is no agreement: tell your user"
	}
	return s
}

func touching(format string) func(*coord.Event, *payload) string {
	return func(_ *coord.Event, p *payload) string {
		return name(p.Name) + " " + fmt.Sprintf(format, file(p.Path))
	}
}

func passed(_ *coord.Event, p *payload) string {
	if p.Held {
		return fmt.Sprintf("%s edits %s, which you held: you were waiting for others elsewhere, so nobody would have got on; read it again before you edit it", name(p.Name), file(p.Path))
	}
	return fmt.Sprintf("%s took over %s, which you had left; read it again before you edit it", name(p.Name), file(p.Path))
}

func overlapping(_ *coord.Event, p *payload) string {
	if p.Unsure {
		return fmt.Sprintf("%s may have written %s, which you hold, announced first or left uncommitted: it changed while commands of several sessions ran; read it again before you go on",
			name(p.Name), file(p.Path))
	}
	return fmt.Sprintf("%s wrote %s although you hold it or announced it first: read it again before you go on", name(p.Name), file(p.Path))
}

func overwritten(_ *coord.Event, p *payload) string {
	wrote := "a shell command of yours wrote "
	if p.Unsure {
		wrote = "a shell command of yours may have written "
	}
	return fmt.Sprintf("%s%s, which %s holds, announced first or left uncommitted: look at the difference before you go on, and leave it to them", wrote, file(p.Path), name(p.Name))
}

func freed(e *coord.Event, p *payload) string {
	s := files(p.Paths) + " is free for you"
	if p.Until > 0 {
		s += fmt.Sprintf(", kept for %s", coord.Ago(p.Until.Sub(e.Time)))
	}
	if p.Reason != "" {
		s += ": " + quote(p.Reason, maxWords)
	}
	return s + "; read it again before you edit it"
}

func lost(_ *coord.Event, p *payload) string {
	s := "you counted as gone for a while"
	if len(p.Closed) > 0 {
		s += ", which ended " + files(p.Closed)
	}
	if len(p.Left) > 0 {
		s += "; others may have edited " + files(p.Left)
	}
	if p.More > 0 {
		s += fmt.Sprintf(" and %d more", p.More)
	}
	return s + ": read files again before you edit them, and announce what you still work on"
}

func file(path string) string { return quote(path, maxPath) }

// files names the first three of some paths.
func files(paths []string) string {
	var out []string
	for _, p := range paths[:min(len(paths), 3)] {
		out = append(out, file(p))
	}
	s := strings.Join(out, ", ")
	if n := len(paths) - 3; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}
