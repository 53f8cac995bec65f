package top

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// talk is an open conversation.
type talk struct {
	id      coord.ThreadID
	view    *tool.ThreadView // nil = not read yet
	err     error
	reading bool
	again   bool // it has changed while it was read
	top     int  // first line that is shown
	end     bool // follow the end
}

// talked is a conversation that has been read.
type talked struct {
	id   coord.ThreadID
	view tool.ThreadView
	err  error
}

// reread reads the open conversation; while that is under way, once more
// afterwards.
func (m *Model) reread() tea.Cmd {
	if m.talk.reading {
		m.talk.again = true
		return nil
	}
	m.talk.reading = true
	load, id := m.load, m.talk.id
	return func() tea.Msg {
		view, err := load(id)
		return talked{id, view, err}
	}
}

func (m *Model) talked(msg talked) tea.Cmd {
	if m.talk == nil || m.talk.id != msg.id {
		return nil
	}
	m.talk.reading, m.talk.err = false, msg.err
	if msg.err == nil {
		m.talk.view = &msg.view
	}
	if m.talk.again {
		m.talk.again = false
		return m.reread()
	}
	return nil
}

// talkKey handles a key in a conversation.
func (m *Model) talkKey(name string) tea.Cmd {
	page := max(1, m.talkRoom()-1)
	by := map[string]int{"j": 1, "down": 1, "k": -1, "up": -1, "pgdown": page, "ctrl+d": page, "space": page, "pgup": -page, "ctrl+u": -page, "g": -1 << 30, "home": -1 << 30, "G": 1 << 30, "end": 1 << 30}
	switch step, scrolls := by[name]; {
	case scrolls:
		last := max(0, len(m.talkLines())-m.talkRoom())
		m.talk.top = min(max(m.talkTop(last)+step, 0), last)
		m.talk.end = m.talk.top == last
	case name == "esc" || name == "q" || name == "backspace" || name == "left" || name == "enter":
		m.talk = nil
	case name == "?":
		m.help = true
	}
	return nil
}

func (m *Model) talkTop(last int) int {
	if m.talk.end {
		return last
	}
	return min(m.talk.top, last)
}

// talkRoom is how many lines of messages are on the screen: all but title,
// header and footer.
func (m *Model) talkRoom() int { return max(1, m.height-3-len(m.header())-len(m.talkFacts())) }

// talkFacts are the lines that stay on top: how the thread stands.
func (m *Model) talkFacts() []string {
	v := m.talk.view
	if v == nil {
		return nil
	}
	state := []string{outcome(v.Status, v.Type)}
	if v.Round > 1 {
		state = append(state, fmt.Sprintf("round %d", v.Round))
	}
	parties := nameOf(v.Initiator)
	if len(v.Respondents) > 0 {
		parties += " → " + names(v.Respondents, v.MoreRespondents)
	}
	state = append(state, parties)
	if f := line(some(texts(v.Files), nil)); f != "" {
		state = append(state, f)
	}
	facts := []string{fit(strings.Join(state, " · "), m.width)}
	if p := v.Proposal; p != nil {
		words := strong.Render(fmt.Sprintf("Proposal %d by %s: ", p.Number, nameOf(p.By))) + line(p.Summary)
		facts = append(facts, fit(words, m.width))
		if len(p.Awaiting) > 0 && v.Status.Live() {
			facts = append(facts, fit(warm.Render("awaits "+names(p.Awaiting, 0)), m.width))
		}
	}
	if v.Summary != "" && !v.Status.Live() {
		facts = append(facts, fit(good.Render("Settled: ")+line(v.Summary), m.width))
	}
	return facts
}

// talkLines are the messages, wrapped.
func (m *Model) talkLines() []string {
	t := m.talk
	switch {
	case t.err != nil:
		return []string{bad.Render(fit("It cannot be read: "+line(t.err.Error()), m.width))}
	case t.view == nil:
		return []string{faint.Render("Reading…")}
	case len(t.view.Messages) == 0:
		return []string{faint.Render("Nobody has said anything yet.")}
	}
	var out []string
	for i, msg := range t.view.Messages {
		if i > 0 {
			out = append(out, "")
		}
		how := string(msg.Type)
		if msg.Late {
			how += ", late"
		}
		out = append(out, fit(strong.Render(nameOf(msg.Author))+" "+faint.Render(msg.Time.Time().In(m.zone).Format("15:04:05")+"  "+line(how)), m.width))
		text := coord.CleanText(strings.ReplaceAll(msg.Content, "\t", "    "))
		for l := range strings.SplitSeq(ansi.Wrap(text, max(10, m.width-2), ""), "\n") {
			out = append(out, "  "+l)
		}
	}
	if t.view.More > 0 {
		out = append(out, "", faint.Render(fmt.Sprintf("and %d more", t.view.More)))
	}
	return out
}

func (m *Model) drawTalk() []string {
	head, clock := warm.Bold(true).Render(line(m.talk.id)), ""
	if v := m.talk.view; v != nil {
		head += " " + strong.Render(line(v.Subject))
		if v.Deadline != 0 && v.Status.Live() {
			clock = strong.Render(countdown(v.Deadline.Time().Sub(m.now)))
		}
	}
	out := append([]string{ends(head, clock, m.width)}, m.talkFacts()...)
	out = append(out, faint.Render(strings.Repeat("─", m.width)))
	lines, room := m.talkLines(), m.talkRoom()
	top := m.talkTop(max(0, len(lines)-room))
	return append(out, lines[top:min(top+room, len(lines))]...)
}
