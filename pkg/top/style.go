package top

import "charm.land/lipgloss/v2"

// The colours are the terminal's own sixteen, so they fit a light and a dark
// one; what they say stands in letters and words too.
var (
	plain  = lipgloss.NewStyle()
	strong = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Foreground(lipgloss.BrightBlack)
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	busy   = lipgloss.NewStyle().Foreground(lipgloss.Blue).Bold(true)
	warm   = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	title  = lipgloss.NewStyle().Foreground(lipgloss.Cyan).Bold(true)
	chosen = lipgloss.NewStyle().Bold(true).Reverse(true)
)
