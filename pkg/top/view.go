package top

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/coordhq/coord/pkg/coord"
)

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView(m.Screen())
	v.AltScreen = true
	v.WindowTitle = "coord"
	return v
}

// Screen gives the lines of the screen, with colours.
func (m *Model) Screen() string {
	out := m.header()
	room := max(0, m.height-len(out)-1)
	body := m.body()
	if len(body) > room {
		body = body[:room]
	}
	for i := range body {
		body[i] = fit(body[i], m.width)
	}
	for len(body) < room {
		body = append(body, "")
	}
	return strings.Join(append(append(out, body...), m.footer()), "\n")
}

func (m *Model) body() []string {
	switch {
	case m.help:
		return m.drawHelp()
	case m.talk != nil:
		return m.drawTalk()
	case !m.some && m.err != nil && coord.CodeOf(m.err) != coord.Unavailable:
		return []string{"", "  " + strong.Render("The hub cannot be followed."), "", bad.Render(fit("  "+line(m.err.Error()), m.width))}
	case !m.some && !m.lost.IsZero():
		return []string{"", "  " + strong.Render("No hub is running."), "", faint.Render(fit("  It starts with the first session, or with coord-hub start.", m.width)), faint.Render(fit("  This page begins by itself then.", m.width))}
	case !m.some:
		return []string{"", "  " + faint.Render("Connecting…")}
	}
	var columns []string
	for _, c := range m.columns() {
		var lines []string
		for _, id := range c.ids {
			p := m.panel(id, c.width)
			lines = append(lines, p.draw(c.width, c.room[id], m.chosen(id, &p))...)
		}
		for i, l := range lines {
			lines[i] = cell(l, c.width)
		}
		columns = append(columns, strings.Join(lines, "\n"))
	}
	if len(columns) == 1 {
		return strings.Split(columns[0], "\n")
	}
	return strings.Split(lipgloss.JoinHorizontal(lipgloss.Top, columns[0], strings.Repeat(" ", between), columns[1]), "\n")
}

// between is the gap between two columns.
const between = 3

// column is panels above each other.
type column struct {
	ids   []panelID
	width int
	room  [panels]int
}

// columns lays the panels out: side by side where there is width for it.
func (m *Model) columns() []column {
	out := []column{{ids: []panelID{agentsPanel, threadsPanel, leasesPanel, filesPanel, eventsPanel}, width: m.width}}
	if m.width >= broad {
		left := (m.width - between) * 9 / 20
		out = []column{{ids: []panelID{agentsPanel, leasesPanel, filesPanel}, width: left}, {ids: []panelID{threadsPanel, eventsPanel}, width: m.width - between - left}}
	}
	height := m.height - len(m.header()) - 1
	for i := range out {
		var musts, wants [panels]int
		for n, id := range out[i].ids {
			p := m.panel(id, out[i].width)
			musts[id], wants[id] = min(p.lines(p.must), max(height/3, 2)), p.lines(len(p.rows))
			if n < len(out[i].ids)-1 {
				wants[id]++ // a blank line below, where there is room for it
			}
		}
		out[i].room = allot(height, out[i].ids, musts, wants)
	}
	return out
}

// header says how the hub is, and what the panels come to.
func (m *Model) header() []string {
	clock := faint.Render(m.now.In(m.zone).Format("15:04:05"))
	name := title.Render("coord") + " "
	switch {
	case m.live && m.some:
		name += good.Render("● live")
	case m.live || m.lost.IsZero():
		name += faint.Render("○ connecting")
	default:
		name += bad.Bold(true).Render("○ no hub; waiting " + ago(m.now.Sub(m.lost)))
		if m.some {
			name += faint.Render(" · this is of " + m.lost.In(m.zone).Format("15:04:05"))
		}
	}
	if m.project != "" {
		name += warm.Render("  project " + projectName(m.project))
	}
	if h := m.overview.Hub; m.some && m.live {
		parts := []string{"", "up " + m.since(h.Started), line(h.Version)}
		if m.project == "" && len(m.overview.Projects) > 1 {
			parts[0] = count(len(m.overview.Projects), "project") + " · "
		}
		if words := faint.Render("  " + parts[0] + parts[1] + " · " + parts[2]); m.width >= 60 {
			name += words
		}
	}
	out := []string{ends(name, clock, m.width)}
	if !m.some {
		return out
	}
	sums, costs := m.sums(), m.costs()
	if costs == "" || lipgloss.Width(sums)+lipgloss.Width(costs)+2 <= m.width {
		return append(out, ends(sums, costs, m.width), "")
	}
	return append(out, fit(sums, m.width), fit(costs, m.width), "")
}

// sums is the page in one line.
func (m *Model) sums() string {
	states := map[string]int{}
	for _, a := range m.overview.Agents {
		if m.shows(a.Project) {
			states[stateOf(&a)]++
		}
	}
	talks, wanted := 0, 0
	for _, t := range m.overview.Threads {
		if m.shows(t.Project) && t.Status.Live() && !t.KeepOpen {
			talks++
		}
	}
	for _, l := range m.overview.Leases {
		if m.shows(l.Project) && l.Wanted() {
			wanted++
		}
	}
	words := func(long string, n int, word string) string {
		if m.width < wordy {
			return fmt.Sprintf("%d %s", n, word)
		}
		return long
	}
	parts := []string{}
	for _, is := range []string{"working", "waiting", "idle"} {
		if n := states[is]; n > 0 {
			parts = append(parts, looks[is].style.Render(fmt.Sprintf("%d %s", n, is)))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, faint.Render("nobody here"))
	}
	if talks > 0 {
		parts = append(parts, warm.Render(words(count(talks, "consultation"), talks, "open")))
	}
	if wanted > 0 {
		parts = append(parts, warm.Render(words(count(wanted, "file")+" wanted", wanted, "wanted")))
	}
	return strings.Join(parts, faint.Render(" · "))
}

// bucketNames word the buckets of a plan.
var bucketNames = map[coord.QuotaBucket]string{coord.QuotaFiveHour: "5h", coord.QuotaSevenDay: "7d", coord.QuotaSevenDaySonnet: "Sonnet"}

// Uses of a plan, in percent, from which they are a warning.
const (
	much    = 80
	tooMuch = 95
)

// costs words quota and tokens, as far as they are known.
func (m *Model) costs() string {
	var parts []string
	for _, b := range m.quota {
		how := plain
		switch {
		case b.Utilization >= tooMuch:
			how = bad.Bold(true)
		case b.Utilization >= much:
			how = warm
		}
		parts = append(parts, faint.Render(cmp.Or(bucketNames[b.Bucket], line(b.Bucket))+" ")+how.Render(fmt.Sprintf("%.0f%%", b.Utilization)))
	}
	if len(parts) > 0 {
		parts[0] = faint.Render("quota ") + parts[0]
	}
	if t := m.tokens; t != nil {
		parts = append(parts, faint.Render("tokens ")+short(t.Input)+faint.Render(" in ")+short(t.Output)+faint.Render(" out"))
		if t.Priced {
			parts = append(parts, fmt.Sprintf("$%.2f", t.Cost))
		}
	}
	return strings.Join(parts, faint.Render(" · "))
}

// footer is the line of keys, or the search.
func (m *Model) footer() string {
	if m.typing {
		return fit(strong.Render("/")+m.search+chosen.Render(" ")+faint.Render("  enter keeps it, esc ends it"), m.width)
	}
	keys := "q quit  ↑↓ move  tab panel  ⏎ conversation  p project  / search  ? help"
	switch {
	case m.help:
		keys = "any key goes back"
	case m.talk != nil:
		keys = "esc back  ↑↓ scroll  G end"
	case m.width < 75:
		keys = "q quit  ↑↓  ⏎ open  / search  ? help"
	}
	if m.search != "" {
		keys = "esc ends the search  " + keys
		return fit(warm.Render("/"+m.search)+"  "+faint.Render(keys), m.width)
	}
	return faint.Render(fit(keys, m.width))
}

func (m *Model) drawHelp() []string {
	out := []string{title.Render("KEYS")}
	for _, row := range keyTable() {
		out = append(out, fit("  "+cell(strong.Render(strings.Join(row.keys, ", ")), 18)+row.help, m.width))
	}
	out = append(out, "", title.Render("AGENTS"))
	for _, is := range []string{"working", "waiting", "idle", "offline"} {
		l := looks[is]
		out = append(out, "  "+l.style.Render(l.letter+" "+is))
	}
	return out
}
