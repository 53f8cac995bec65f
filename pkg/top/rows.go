package top

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Widths, in columns, from which more is said.
const (
	wordy = 44  // of a panel: the state in words beside its letter
	broad = 100 // of the screen: two columns of panels
)

// look is how a state of an agent is shown: a letter that can be read without
// colour, and how it is drawn.
type look struct {
	letter string
	style  lipgloss.Style
	rank   int // those who are at something come first
}

// looks are the states of agents. A "?" asks and waits.
var looks = map[string]look{
	"working": {"W", busy, 0},
	"waiting": {"?", warm, 1},
	"idle":    {"I", good, 2},
	"offline": {"-", bad, 3},
}

// stateOf gives working, waiting, idle or offline.
// never is the deadline, for sorting, of what has none.
const never coord.Millis = math.MaxInt64

func stateOf(a *tool.AgentLine) string {
	if a.Status == coord.Offline {
		return "offline"
	}
	if _, known := looks[string(a.Activity)]; known {
		return string(a.Activity)
	}
	return "idle"
}

func (m *Model) since(t coord.Millis) string { return ago(m.now.Sub(t.Time())) }

func (m *Model) agentRows(width int) panel {
	p := panel{title: "AGENTS", empty: "Nobody is here. An agent appears when its session starts."}
	wants := map[coord.AgentID]tool.LeaseLine{}
	for _, l := range m.overview.Leases {
		for _, w := range l.Waiting {
			if w.Told == 0 {
				wants[w.Agent.ID] = l
			}
		}
	}
	list := slices.Clone(m.overview.Agents)
	slices.SortStableFunc(list, func(a, b tool.AgentLine) int {
		return cmp.Or(looks[stateOf(&a)].rank-looks[stateOf(&b)].rank, cmp.Compare(a.Name, b.Name))
	})
	widest := 5
	for _, a := range list {
		widest = max(widest, lipgloss.Width(line(a.Name)))
	}
	here := 0
	for _, a := range list {
		if !m.shows(a.Project) {
			continue
		}
		is := stateOf(&a)
		if is != "offline" {
			here++
		}
		name, doing := line(a.Name), m.doing(&a, is, wants[a.ID])
		how := looks[is]
		lead := how.style.Render(how.letter) + " " + strong.Render(cell(name, min(widest, max(8, width/4)))) + " "
		if width >= wordy {
			lead += how.style.Render(cell(is, 8))
		}
		lead += faint.Render(fmt.Sprintf("%4s ", m.since(a.Since)))
		place := ""
		if m.project == "" && len(m.overview.Projects) > 1 && width >= wordy {
			place = faint.Render(fit(projectName(a.Project), 20))
		}
		room := width - lipgloss.Width(lead) - 1
		if place != "" {
			room -= lipgloss.Width(place) + 1
		}
		l := ends(lead+" "+doing.draw(room), place, width)
		p.rows = append(p.rows, row{key: string(a.ID), lines: []string{l}, thread: a.ThreadID, text: strings.Join([]string{name, is, doing.text, line(a.Branch), line(a.Client)}, " ")})
	}
	if len(p.rows) > 0 {
		p.note, p.must = fmt.Sprintf("%d here", here), here
	}
	return p
}

// doing is what an agent is at.
type doing struct {
	lead string // before the text, like "waits for bob in T-3"
	text string // a path keeps its end when it is cut
	path bool
}

func (m *Model) doing(a *tool.AgentLine, is string, wants tool.LeaseLine) doing {
	switch {
	case is == "offline":
		return doing{}
	case a.ThreadID != "":
		who := ""
		for _, t := range m.overview.Threads {
			if t.ThreadID == a.ThreadID && len(t.Awaiting) > 0 {
				who = names(slices.DeleteFunc(slices.Clone(t.Awaiting), func(r tool.AgentRef) bool { return r.ID == a.ID }), 0)
			}
		}
		path := a.CurrentFile
		if is == "waiting" && !wants.Path.IsZero() {
			who, path = cmp.Or(who, nameOf(wants.Holder)), wants.Path
		}
		if who != "" {
			who = "for " + who + " "
		}
		return doing{lead: "waits " + who + "in " + line(a.ThreadID), text: line(path.String()), path: true}
	case is == "waiting" && !wants.Path.IsZero():
		return doing{lead: "waits for " + nameOf(wants.Holder), text: line(wants.Path.String()), path: true}
	case !a.CurrentFile.IsZero():
		return doing{text: line(a.CurrentFile.String()), path: true}
	default:
		return doing{text: line(a.LastAction)}
	}
}

// draw words it in so many columns.
func (d doing) draw(room int) string {
	lead := warm.Render(fit(d.lead, room))
	if d.lead != "" && d.text != "" {
		lead += "  "
	}
	room -= lipgloss.Width(lead)
	switch {
	case room < 4:
		return lead
	case d.path:
		return lead + tail(d.text, room)
	default:
		return lead + faint.Render(fit(d.text, room))
	}
}

// endedShown is how many threads that have ended are shown.
const endedShown = 8

func (m *Model) threadRows(width int) panel {
	p := panel{title: "CONSULTATIONS", empty: "Nothing to settle."}
	var live, ended []tool.ThreadLine
	for _, t := range m.overview.Threads {
		switch {
		case !m.shows(t.Project):
		case t.Status.Live():
			live = append(live, t)
		case len(ended) < endedShown:
			ended = append(ended, t)
		}
	}
	slices.SortStableFunc(live, func(a, b tool.ThreadLine) int {
		return cmp.Compare(cmp.Or(a.Deadline, never), cmp.Or(b.Deadline, never))
	})
	if len(live) > 0 {
		p.note, p.must = fmt.Sprintf("%d open", len(live)), len(live)
	}
	for _, t := range live {
		p.rows = append(p.rows, m.liveThread(&t, width))
	}
	for _, t := range ended {
		left := faint.Render(line(t.ThreadID)+" ") + faint.Render(line(t.Subject))
		right := ending(&t) + faint.Render(fmt.Sprintf(" %4s", m.since(t.Ended)))
		p.rows = append(p.rows, row{key: string(t.ThreadID), thread: t.ThreadID, text: threadText(&t), lines: []string{ends(left, right, width)}})
	}
	return p
}

// fine are the ends of a thread that let work go on.
var fine = map[coord.Resolution]bool{coord.Consensus: true, coord.Uncontested: true, coord.AutoResolved: true}

func ending(t *tool.ThreadLine) string {
	how := faint
	if fine[t.Type] {
		how = good
	} else if t.Status != coord.ThreadResolved && t.Status != coord.ThreadCancelled {
		how = bad
	}
	return how.Render(outcome(t.Status, t.Type))
}

func threadText(t *tool.ThreadLine) string {
	return strings.Join([]string{line(t.ThreadID), line(t.Subject), outcome(t.Status, t.Type), nameOf(t.Initiator), names(t.Respondents, 0), some(texts(t.Files), nil)}, " ")
}

// near is what is left when a countdown becomes a warning.
const near = time.Minute

func (m *Model) liveThread(t *tool.ThreadLine, width int) row {
	clock := ""
	if t.Deadline != 0 {
		left := t.Deadline.Time().Sub(m.now)
		how := strong
		if left < near {
			how = bad.Bold(true)
		}
		clock = how.Render(countdown(left))
	}
	first := ends(warm.Bold(true).Render(line(t.ThreadID))+" "+strong.Render(line(t.Subject)), clock, width)
	parties := nameOf(t.Initiator)
	if len(t.Respondents) > 0 {
		parties += " → " + names(t.Respondents, t.MoreRespondents)
	}
	words := []string{}
	if len(t.Awaiting) > 0 {
		words = append(words, warm.Render("awaits "+names(t.Awaiting, 0)))
	}
	state := outcome(t.Status, t.Type)
	switch {
	case t.KeepOpen && t.Status == coord.ThreadOpen:
		state = "task on offer"
	case t.Proposal != nil:
		state = fmt.Sprintf("proposal %d", t.Proposal.Number)
	}
	if t.Claimer != nil {
		state = "claimed by " + nameOf(*t.Claimer)
	}
	if t.Round > 1 {
		state += fmt.Sprintf(", round %d", t.Round)
	}
	words = append(words, state, parties)
	if f := line(some(texts(t.Files), nil)); f != "" {
		words = append(words, faint.Render(tail(f, max(12, width/3))))
	}
	if t.Score > 0 && width >= wordy {
		words = append(words, faint.Render(strings.TrimSpace(fmt.Sprintf("score %d %s", t.Score, line(t.Layer)))))
	}
	indent := strings.Repeat(" ", lipgloss.Width(line(t.ThreadID))+1)
	return row{key: string(t.ThreadID), thread: t.ThreadID, text: threadText(t), lines: []string{first, fit(indent+strings.Join(words, faint.Render(" · ")), width)}}
}

func (m *Model) leaseRows(width int) panel {
	p := panel{title: "LEASES AND LINES", empty: "No file is held."}
	lines := 0
	for _, l := range m.overview.Leases {
		if !m.shows(l.Project) {
			continue
		}
		state := "holds, " + m.since(l.Touched)
		switch {
		case l.ID == "":
			state = "announced"
		case !l.Held:
			state = "left it"
		}
		who := nameOf(l.Holder)
		right := who + " " + faint.Render(state)
		out := row{key: string(l.ID) + l.Path.String() + string(l.Workspace), text: line(l.Path.String()) + " " + who}
		path := tail(line(l.Path.String()), max(8, width-lipgloss.Width(right)-1))
		out.lines = []string{ends(path, right, width)}
		if l.Wanted() {
			lines++
		}
		if len(l.Waiting) > 0 {
			out.lines = append(out.lines, fit(m.waitingLine(&l), width))
			for _, w := range l.Waiting {
				out.text += " " + nameOf(w.Agent)
			}
		}
		p.rows = append(p.rows, out)
	}
	if len(p.rows) > 0 {
		p.note = count(len(p.rows), "file")
	}
	if lines > 0 {
		p.note, p.must = join(p.note, fmt.Sprintf("%d wanted", lines)), lines
	}
	return p
}

func (m *Model) waitingLine(l *tool.LeaseLine) string {
	var out []string
	for i, w := range l.Waiting {
		text := fmt.Sprintf("%d %s", i+1, nameOf(w.Agent))
		switch left := w.Reserved.Time().Sub(m.now); {
		case w.Reserved != 0 && left > 0:
			out = append(out, good.Render(text+" reserved "+countdown(left)))
		case w.Told != 0:
			out = append(out, text+faint.Render(" told it is free"))
		default:
			out = append(out, warm.Render(text)+faint.Render(" "+m.since(w.Since)))
		}
	}
	label := faint.Render("in line: ")
	if l.Wanted() {
		label = warm.Render("waiting: ")
	}
	return "  " + label + strings.Join(out, faint.Render(", "))
}

// heat is the longest bar of a file.
const heat = 8

func (m *Model) fileRows(width int) panel {
	p := panel{title: "HOT FILES", empty: "No file was edited in the last hour."}
	most := 1
	for _, f := range m.overview.Files {
		if m.shows(f.Project) {
			most = max(most, f.Edits)
		}
	}
	for _, f := range m.overview.Files {
		if !m.shows(f.Project) {
			continue
		}
		how := plain
		if len(f.Agents)+f.MoreAgents > 1 {
			how = warm
		}
		bar := how.Render(cell(strings.Repeat("▇", max(min(f.Edits, 1), f.Edits*heat/most)), heat))
		who := names(f.Agents, f.MoreAgents)
		lead := bar + fmt.Sprintf("%4d  ", f.Edits)
		right := faint.Render(fit(who, max(8, width/3)))
		path := tail(line(f.Path.String()), max(8, width-lipgloss.Width(lead)-lipgloss.Width(right)-1))
		p.rows = append(p.rows, row{key: string(f.Project) + f.Path.String(), text: line(f.Path.String()) + " " + who, lines: []string{ends(lead+path, right, width)}})
	}
	if len(p.rows) > 0 {
		p.note = "edits in the last hour"
	}
	return p
}

func (m *Model) eventRows(width int) panel {
	p := panel{title: "EVENTS", empty: "Nothing has happened yet.", must: 3}
	known := map[coord.AgentID]string{}
	for _, a := range m.overview.Agents {
		known[a.ID] = a.Name
	}
	for _, e := range slices.Backward(m.events) {
		if !m.shows(e.Project) {
			continue
		}
		who, verb, object := sentence(e, known)
		clock := e.Time.Time().In(m.zone).Format("15:04:05")
		left := faint.Render(clock) + " " + strong.Render(who) + " " + verb
		if object != "" {
			left += " " + faint.Render(object)
		}
		id := ""
		if e.Thread != "" && width >= wordy {
			id = warm.Render(line(e.Thread))
		}
		p.rows = append(p.rows, row{key: fmt.Sprint(e.Seq), thread: e.Thread, text: strings.Join([]string{who, verb, object, line(e.Thread)}, " "), lines: []string{ends(left, id, width)}})
	}
	return p
}
