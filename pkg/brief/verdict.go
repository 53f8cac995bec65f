package brief

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
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

	// File is how the user names the file from where they are; "" = as the
	// verdict does.
	File string
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
	for _, r := range []room{{80, 120, 240}, {40, 80, 240}, {0, 40, 200}, {0, 20, 120}, {0, 20, 0}} {
		out = refusal(v, o, r)
		if utf8.RuneCountInString(out) <= maxRefusal {
			return out
		}
	}
	return cut(out, maxRefusal)
}

// room is how many characters parts of a refusal may take.
type room struct{ subject, path, release int }

// reason words a row of the gate that refuses: %s is who, then how long ago.
type reason struct{ who, since string }

var reasons = map[coord.Gate]reason{
	coord.GateHeld:       {"%s is editing it in this working tree", ", since %s ago"},
	coord.GateReserved:   {"it is kept for %s, who has waited for it", ", since %s ago"},
	coord.GateRightOfWay: {"%s announced it earlier and goes first", ", announced %s ago"},
}

func refusal(v coord.Verdict, o RefusalOptions, room room) string {
	n := v.Notes[0]
	who := o.name(n.Agent)
	if n.Gate == coord.GateChanged {
		return unseen(v, o, room.path)
	}
	words, known := reasons[n.Gate]
	if !known {
		words = reason{"%s is in the way (" + name(string(n.Gate)) + ")", ", since %s ago"}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "coord: not written: %s. "+words.who, quote(v.Path.String(), room.path), who)
	if n.Subject != "" && room.subject > 0 {
		fmt.Fprintf(&b, " (%s)", quote(n.Subject, room.subject))
	}
	if n.Since > 0 {
		fmt.Fprintf(&b, words.since, coord.Ago(o.Now.Sub(n.Since)))
	}
	b.WriteString(o.end(n))
	if n.Waits {
		fmt.Fprintf(&b, " %s waits for you elsewhere, so your edit tool may go first here; a command may not.", who)
	} else {
		b.WriteString(" Writing it by other means (shell, script, another tool) is the same conflict.")
	}
	b.WriteString(place(v.Place))
	b.WriteString(" Now: work on something else" + o.choices(n) + ".")
	b.WriteString(" Your user can override: coord-hub release" + o.released(v, room.release))
	return b.String()
}

// place says where in the waiting line a session stands, from 1.
func place(n int) string {
	const told = " and will be told when it is free."
	switch n {
	case 0:
		return ""
	case 1:
		return " You are next in line" + told
	case 2:
		return " You are in line behind 1 other" + told
	}
	return fmt.Sprintf(" You are in line behind %d others%s", n-1, told)
}

// released says what to release, as a shell takes it, in at most so many
// characters: the file; the lease, where the file has a name that cannot be
// shown as it is or is too long; or else words.
func (o RefusalOptions) released(v coord.Verdict, limit int) string {
	file := o.File
	if file == "" {
		file = v.Path.String()
	}
	switch lease := v.Notes[0].Lease; {
	case utf8.RuneCountInString(file) <= limit && typeable(file):
		return " " + typed(file)
	case lease != "":
		return " " + string(lease)
	}
	return ", with the path of the file"
}

// typeable reports whether a file's name can be shown as it is, and typed so.
func typeable(file string) bool {
	return quote(file, len(file)) == `"`+file+`"` && !strings.ContainsAny(file, "'`")
}

// typed writes a file's name so that a shell and the command take it as one.
func typed(file string) string {
	if _, lease := coord.Ordinal("L", coord.LeaseID(file)); lease || strings.HasPrefix(file, "-") {
		file = "./" + file
	}
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-./@%+,:", r)
	}
	if strings.TrimFunc(file, plain) == "" {
		return file
	}
	return "'" + file + "'"
}

// unseen words the refusal of a command that would write over work the session
// does not know: it is made once, nobody has to be waited for.
func unseen(v coord.Verdict, o RefusalOptions, path int) string {
	n := v.Notes[0]
	file, made := quote(v.Path.String(), path), "made"
	if ago, ok := strings.CutPrefix(o.ago(n), ","); ok {
		made += ago + ","
	}
	return fmt.Sprintf("coord: not run: it would write over %s, where uncommitted changes of %s%s lie, %s after you last read or wrote it. "+
		"Writing it by other means (script, another tool) is the same conflict. Now: read it first, then go on and keep those changes: this is said once. Your user can run the command.",
		file, o.name(n.Agent), state(n), made)
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
		return fmt.Sprintf("%s is in the way here and waits for you elsewhere, so you go first: read it again and keep the changes made there.", o.name(n.Agent))
	},
	coord.GateHeld: func(n coord.Note, o RefusalOptions) string {
		return fmt.Sprintf("%s is editing it in this working tree%s: read it again and keep the changes made there.", o.name(n.Agent), subject(n))
	},
	coord.GateReserved: func(n coord.Note, o RefusalOptions) string {
		return fmt.Sprintf("it is kept for %s, who has waited for it.", o.name(n.Agent))
	},
	coord.GateRightOfWay: func(n coord.Note, o RefusalOptions) string {
		return fmt.Sprintf("%s announced it earlier%s and goes first.", o.name(n.Agent), subject(n))
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
