package top

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/coordhq/coord/pkg/coord"
)

// panelID names a panel.
type panelID int

// The panels, in the order in which they stand in one column.
const (
	agentsPanel panelID = iota
	threadsPanel
	leasesPanel
	filesPanel
	eventsPanel
	panels // how many there are
)

// needs is the order in which panels get room when there is little.
var needs = [panels]panelID{threadsPanel, agentsPanel, leasesPanel, eventsPanel, filesPanel}

// panel is one list on the screen, for a width.
type panel struct {
	title string
	note  string
	rows  []row
	empty string // in place of rows
	must  int    // how many of the first rows matter most
}

// row is one thing in a panel.
type row struct {
	key    string         // tells it from the others, over redraws
	lines  []string       // at least one, drawn already
	text   string         // what is searched
	thread coord.ThreadID // that Enter opens; "" = none
}

// lines counts the lines of the title and the first rows.
func (p *panel) lines(rows int) int {
	n := 1
	for _, r := range p.rows[:min(rows, len(p.rows))] {
		n += len(r.lines)
	}
	return n
}

// draw gives exactly height lines of the width. at is the chosen row, -1 = none.
func (p *panel) draw(width, height, at int) []string {
	if height <= 0 {
		return nil
	}
	body := height - 1
	first, last := p.window(body, at)
	note := p.note
	if hidden := len(p.rows) - (last - first); hidden > 0 && len(p.rows) > 0 {
		shown := fmt.Sprintf("%d–%d of %d", first+1, last, len(p.rows))
		if last <= first+1 {
			shown = fmt.Sprintf("%d of %d", last, len(p.rows))
		}
		note = join(note, shown)
	}
	if len(p.rows) == 0 {
		note = p.empty
	}
	out := []string{p.heading(width, note)}
	for i := first; i < last; i++ {
		for j, l := range p.rows[i].lines {
			gutter := "  "
			if i == at && j == 0 {
				gutter = strong.Render("▌") + " "
			}
			out = append(out, gutter+fit(l, width-2))
		}
	}
	for len(out) < height {
		out = append(out, "")
	}
	return out[:height]
}

func (p *panel) heading(width int, note string) string {
	head := title.Render(p.title)
	if note != "" {
		head += "  " + faint.Render(note)
	}
	head = fit(head, width)
	if left := width - lipgloss.Width(head) - 1; left > 2 {
		head += " " + faint.Render(strings.Repeat("─", left))
	}
	return head
}

// window chooses the rows that fit into so many lines and hold the chosen one.
func (p *panel) window(room, at int) (first, last int) {
	used := 0
	for last < len(p.rows) && used < room { // the last one may be cut
		used += len(p.rows[last].lines)
		last++
	}
	if used > room && at == last-1 && first < at { // but not the chosen one
		used -= len(p.rows[first].lines)
		first++
	}
	for at >= last && last < len(p.rows) {
		used += len(p.rows[last].lines)
		last++
		for used > room && first < last-1 {
			used -= len(p.rows[first].lines)
			first++
		}
	}
	return first, last
}

// allot shares a column's height among its panels, those of greatest need first:
// each gets a title and a line if it wants that and there is room at all, then
// one after the other what matters most of it, then what they want, line by line.
// What nobody wants goes to the last one.
func allot(height int, ids []panelID, musts, wants [panels]int) (room [panels]int) {
	const least = 2
	in := map[panelID]bool{}
	for _, id := range ids {
		in[id] = true
	}
	for _, id := range needs {
		if n := min(least, wants[id]); in[id] && height >= n {
			room[id], height = n, height-n
		}
	}
	for _, id := range needs {
		if n := min(musts[id]-room[id], height); room[id] > 0 && n > 0 {
			room[id], height = room[id]+n, height-n
		}
	}
	for again := true; again && height > 0; {
		again = false
		for _, id := range needs {
			if room[id] > 0 && room[id] < wants[id] && height > 0 {
				room[id]++
				height--
				again = true
			}
		}
	}
	if n := len(ids); n > 0 && height > 0 {
		room[ids[n-1]] += height
	}
	return room
}

// fit cuts a drawn line to a width.
func fit(s string, width int) string { return ansi.Truncate(s, max(width, 0), "…") }

// cell is fit, filled up with blanks.
func cell(s string, width int) string {
	s = fit(s, width)
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

// tail cuts a path from its left, so that the file's name stays.
func tail(path string, width int) string {
	if n := lipgloss.Width(path); n > width && width > 1 {
		return "…" + ansi.TruncateLeft(path, n-width+1, "")
	}
	return path
}

// ends puts two texts at the ends of a line; the left one gives way.
func ends(left, right string, width int) string {
	room := width - lipgloss.Width(right) - 1
	if right == "" || room < 8 {
		return fit(left, width)
	}
	return cell(left, room) + " " + right
}
