package top

import (
	"slices"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// keyRow is what a key does on the page.
type keyRow struct {
	keys []string
	help string
	do   func(*Model) tea.Cmd
}

// keyTable is every key of the page; help is made of it.
func keyTable() []keyRow {
	return []keyRow{
		{[]string{"q", "ctrl+c"}, "quit", func(*Model) tea.Cmd { return tea.Quit }},
		{[]string{"j", "down"}, "next row", func(m *Model) tea.Cmd { m.move(1); return nil }},
		{[]string{"k", "up"}, "row before", func(m *Model) tea.Cmd { m.move(-1); return nil }},
		{[]string{"pgdown", "ctrl+d"}, "ten rows on", func(m *Model) tea.Cmd { m.move(10); return nil }},
		{[]string{"pgup", "ctrl+u"}, "ten rows back", func(m *Model) tea.Cmd { m.move(-10); return nil }},
		{[]string{"tab"}, "next panel", func(m *Model) tea.Cmd { m.turn(1); return nil }},
		{[]string{"shift+tab"}, "panel before", func(m *Model) tea.Cmd { m.turn(-1); return nil }},
		{[]string{"enter"}, "open the row's conversation", (*Model).open},
		{[]string{"p"}, "show one project, the next one, all", func(m *Model) tea.Cmd { m.nextProject(); return nil }},
		{[]string{"/"}, "search; esc ends it", func(m *Model) tea.Cmd { m.typing = true; return nil }},
		{[]string{"esc"}, "end search and help", func(m *Model) tea.Cmd { m.search = ""; return nil }},
		{[]string{"?", "h"}, "this help", func(m *Model) tea.Cmd { m.help = true; return nil }},
	}
}

// key handles one key.
func (m *Model) key(name, text string) tea.Cmd {
	switch {
	case name == "ctrl+c":
		return tea.Quit
	case m.typing:
		m.typed(name, text)
		return nil
	case m.help:
		m.help = false
		if name == "q" {
			return tea.Quit
		}
		return nil
	case m.talk != nil:
		return m.talkKey(name)
	}
	for _, row := range keyTable() {
		if slices.Contains(row.keys, name) {
			return row.do(m)
		}
	}
	return nil
}

// typed handles a key of the search line.
func (m *Model) typed(name, text string) {
	switch name {
	case "esc":
		m.search, m.typing = "", false
	case "enter":
		m.typing = false
	case "backspace":
		_, size := utf8.DecodeLastRuneInString(m.search)
		m.search = m.search[:len(m.search)-size]
	case "ctrl+u":
		m.search = ""
	default:
		for _, r := range text {
			if unicode.IsPrint(r) && len(m.search) < 100 {
				m.search += string(r)
			}
		}
	}
}

// order lists the panels that are on the screen, as they follow each other.
func (m *Model) order() []panelID {
	var out []panelID
	for _, c := range m.columns() {
		for _, id := range c.ids {
			if c.room[id] > 1 {
				out = append(out, id)
			}
		}
	}
	return out
}

// move chooses another row; beyond the end of a panel it goes on in the next one
// that has any.
func (m *Model) move(by int) {
	p := m.panel(m.focus, m.width)
	at := m.chosen(m.focus, &p)
	to := at + by
	switch {
	case at < 0 || to < 0 && at == 0:
		m.turn(sign(by))
		if by < 0 {
			p = m.panel(m.focus, m.width)
			if n := len(p.rows); n > 0 {
				m.at[m.focus] = p.rows[n-1].key
			}
		}
	case to >= len(p.rows) && at == len(p.rows)-1:
		m.turn(1)
		if p = m.panel(m.focus, m.width); len(p.rows) > 0 {
			m.at[m.focus] = p.rows[0].key
		}
	default:
		m.at[m.focus] = p.rows[min(max(to, 0), len(p.rows)-1)].key
	}
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// turn gives the focus to the next panel, or the one before, that has rows.
func (m *Model) turn(by int) {
	order := m.order()
	from := slices.Index(order, m.focus)
	for i := 1; i <= len(order); i++ {
		id := order[((from+by*i)%len(order)+len(order))%len(order)]
		if p := m.panel(id, m.width); len(p.rows) > 0 {
			m.focus = id
			return
		}
	}
}

// nextProject shows the first project, the next, and after the last all.
func (m *Model) nextProject() {
	list := m.overview.Projects
	at := -1
	for i, p := range list {
		if p.ID == m.project {
			at = i
		}
	}
	if at+1 < len(list) {
		m.project = list[at+1].ID
	} else {
		m.project = ""
	}
}

// open opens the conversation of the chosen row.
func (m *Model) open() tea.Cmd {
	p := m.panel(m.focus, m.width)
	at := m.chosen(m.focus, &p)
	if at < 0 || p.rows[at].thread == "" {
		return nil
	}
	m.talk = &talk{id: p.rows[at].thread, end: true}
	return m.reread()
}
