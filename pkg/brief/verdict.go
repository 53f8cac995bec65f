package brief

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
)

// maxRefusal is the longest refusal, in characters.
const maxRefusal = 600

// RefusalOptions are what a verdict does not know.
type RefusalOptions struct {
	Now   coord.Millis
	Names map[coord.AgentID]string // of the agents in the notes; one that is missing is "another session"
	Tools []string                 // coord's tools that this session can call, by their plain names; none = it has hooks only

	// Release is what the user would type to take the path away from its
	// holder; "" = "coord-hub release " and the path.
	Release string
}

// Refusal says why an edit was stopped, in at most 600 characters: who is in the
// way and for what, for how long, when that ends by itself, that another way of
// writing is the same conflict, the place in line, what this session can do with
// the tools it has, and how the user overrides. It is "" for a verdict that does
// not refuse.
func Refusal(v coord.Verdict, o RefusalOptions) string {
	if v.Decision != coord.DecisionRefuse || len(v.Notes) == 0 {
		return ""
	}
	var out string
	for _, room := range []struct{ subject, path int }{{80, 120}, {40, 80}, {0, 40}, {0, 20}} {
		out = refusal(v, o, room.subject, room.path)
		if utf8.RuneCountInString(out) <= maxRefusal {
			return out
		}
	}
	return cut(out, maxRefusal)
}

// reasons word the rows of the gate that refuse: %s is who.
var reasons = map[coord.Gate]string{
	coord.GateHeld:       "%s is editing it in this working tree",
	coord.GateReserved:   "it is kept for %s, who waited for it",
	coord.GateRightOfWay: "%s announced it earlier and goes first",
}

func refusal(v coord.Verdict, o RefusalOptions, subject, path int) string {
	n := v.Notes[0]
	who := o.name(n.Agent)
	if n.Gate == coord.GateChanged {
		return unseen(v, o, path)
	}
	reason := reasons[n.Gate]
	if reason == "" {
		reason = "%s is in the way (" + name(string(n.Gate)) + ")"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "coord: not written: %s. "+reason, quote(v.Path.String(), path), who)
	if n.Subject != "" && subject > 0 {
		fmt.Fprintf(&b, " (%s)", quote(n.Subject, subject))
	}
	if n.Since > 0 {
		b.WriteString(", since " + coord.Ago(o.Now.Sub(n.Since)))
	}
	b.WriteString(o.end(n))
	b.WriteString(" Writing it by other means (shell, script, another tool) is the same conflict.")
	if v.Place > 0 {
		fmt.Fprintf(&b, " You are number %d in line and will be told when it is free.", v.Place)
	}
	b.WriteString(" Now: work on something else" + o.choices(n) + ".")
	release := o.Release
	if release == "" {
		release = "coord-hub release " + quote(v.Path.String(), path)
	}
	b.WriteString(" Your user can override: " + release)
	return b.String()
}

// unseen words the refusal of a command that would write over work the session
// does not know: it is made once, nobody has to be waited for.
func unseen(v coord.Verdict, o RefusalOptions, path int) string {
	n := v.Notes[0]
	file := quote(v.Path.String(), path)
	return fmt.Sprintf("coord: not run: it would write over %s, where uncommitted changes of %s%s lie, made%s, since you last read or wrote it. "+
		"Writing it by other means (script, another tool) is the same conflict. Now: read it first, then go on and keep those changes: this is said once. Your user can run the command.",
		file, o.name(n.Agent), state(n), o.ago(n))
}

// state says what the owner of uncommitted work is at.
func state(n coord.Note) string {
	if n.State == "" {
		return ""
	}
	return " (" + string(n.State) + ")"
}

// end says when the obstacle goes away by itself.
func (o RefusalOptions) end(n coord.Note) string {
	if n.Until <= o.Now {
		return "; it ends with that session's turn."
	}
	left := coord.Ago(n.Until.Sub(o.Now))
	if n.Gate == coord.GateReserved {
		return "; it ends by itself in " + left + "."
	}
	return "; it ends with that session's turn, or untouched in " + left + "."
}

// choices says what the session can do with the tools it has.
func (o RefusalOptions) choices(n coord.Note) string {
	var s string
	if n.Thread != "" && o.has("post_to_thread") {
		s += ", settle it in " + name(string(n.Thread)) + " with post_to_thread"
		if o.has("propose_resolution") {
			s += " or propose_resolution"
		}
	} else if o.has("announce_work") {
		s += ", announce_work it to talk"
	}
	if o.has("wait_for_message") {
		s += ", or wait_for_message"
	}
	return s
}

func (o RefusalOptions) has(tool string) bool { return slices.Contains(o.Tools, tool) }

func (o RefusalOptions) name(id coord.AgentID) string {
	if n := o.Names[id]; n != "" {
		return name(n)
	}
	return "another session"
}

// ContextOptions are what a verdict does not know.
type ContextOptions struct {
	Now   coord.Millis
	Names map[coord.AgentID]string // see RefusalOptions
}

// Context says what a session should know of an edit that was let through, one
// line per note; "" when there is nothing to say.
func Context(v coord.Verdict, o ContextOptions) string {
	if v.Decision != coord.DecisionContext {
		return ""
	}
	lines := []string{"[coord: " + file(v.Path.String()) + "]"}
	for _, n := range v.Notes[:min(len(v.Notes), maxLines)] {
		if say := contexts[n.Gate]; say != nil {
			lines = append(lines, "- "+say(n, RefusalOptions{Now: o.Now, Names: o.Names}))
		}
	}
	if len(lines) == 1 {
		return ""
	}
	return strings.Join(lines, "\n")
}

// contexts word the rows of the gate that let an edit through.
var contexts = map[coord.Gate]func(coord.Note, RefusalOptions) string{
	coord.GateSubagent: func(n coord.Note, o RefusalOptions) string {
		return fmt.Sprintf("your subagent %s edited it%s: read it again before you go on.", name(n.Subagent), o.ago(n))
	},
	coord.GateCircle: func(n coord.Note, o RefusalOptions) string {
		return fmt.Sprintf("%s is in the way here and waits for you elsewhere, so you go first: keep its changes.", o.name(n.Agent))
	},
	coord.GateUncommitted: func(n coord.Note, o RefusalOptions) string {
		if n.Agent == "" {
			return fmt.Sprintf("uncommitted changes that this session did not make lie here%s: keep them.", o.ago(n))
		}
		return fmt.Sprintf("uncommitted changes of %s%s lie here%s: keep them.", o.name(n.Agent), state(n), o.ago(n))
	},
	coord.GateElsewhere: func(n coord.Note, o RefusalOptions) string {
		return fmt.Sprintf("%s works on it in another working tree%s%s: expect a conflict at merge.", o.name(n.Agent), o.ago(n), subject(n))
	},
	coord.GateAnnounced: func(n coord.Note, o RefusalOptions) string {
		return fmt.Sprintf("%s announced work on it%s%s.", o.name(n.Agent), o.ago(n), subject(n))
	},
}

func (o RefusalOptions) ago(n coord.Note) string {
	if n.Since == 0 {
		return ""
	}
	return ", " + coord.Ago(o.Now.Sub(n.Since)) + " ago"
}

func subject(n coord.Note) string {
	if n.Subject == "" {
		return ""
	}
	return " (" + quote(n.Subject, maxWords) + ")"
}
