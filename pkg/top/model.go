package top

import (
	"cmp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Loader reads a thread with its messages. It is called beside the program.
type Loader func(coord.ThreadID) (tool.ThreadView, error)

// Model is everything that is shown. It changes by messages alone; Tick is its
// clock.
type Model struct {
	load Loader
	zone *time.Location

	now           time.Time
	width, height int

	live bool
	lost time.Time // since when there is no hub; zero = it has not been looked for in vain
	err  error

	overview tool.OverviewOut
	some     bool          // there is an overview
	events   []coord.Event // the oldest first
	quota    []coord.QuotaUse
	tokens   *Tokens

	project coord.ProjectID // the only one that is shown; "" = all
	search  string          // what rows must hold
	typing  bool            // the search is being typed
	focus   panelID
	at      [panels]string // key of the chosen row
	help    bool
	talk    *talk // the open conversation; nil = none
}

// NewModel gives a Model that knows nothing yet. Times are shown in the zone.
func NewModel(load Loader, now time.Time, zone *time.Location) *Model {
	return &Model{load: load, now: now, zone: zone, width: 80, height: 24, focus: threadsPanel}
}

// Init starts the clock.
func (m *Model) Init() tea.Cmd { return tick() }

func tick() tea.Cmd { return tea.Tick(time.Second, func(t time.Time) tea.Msg { return Tick{t} }) }

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return m, m.key(msg.String(), msg.Text)
	case Tick:
		m.now = msg.Now
		return m, tick()
	case Live:
		m.live, m.lost, m.err = true, time.Time{}, nil
		if msg.Forget {
			m.events = nil
		}
	case Lost:
		if m.lost.IsZero() {
			m.lost = msg.At
		}
		m.live, m.err, m.now = false, msg.Err, later(m.now, msg.At)
	case State:
		m.overview, m.some, m.now = msg.Overview, true, later(m.now, msg.At)
	case News:
		return m, m.news(msg.Event)
	case Costs:
		if msg.Quota != nil {
			m.quota = msg.Quota
		}
		m.tokens = cmp.Or(msg.Tokens, m.tokens)
	case talked:
		return m, m.talked(msg)
	}
	return m, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *Model) news(e coord.Event) tea.Cmd {
	m.events = append(m.events, e)
	if len(m.events) > keep {
		m.events = slices.Delete(m.events, 0, len(m.events)-keep)
	}
	if m.talk != nil && e.Thread == m.talk.id {
		return m.reread()
	}
	return nil
}

// shows reports whether what belongs to a project is shown.
func (m *Model) shows(id coord.ProjectID) bool { return m.project == "" || m.project == id }

// panel gives a panel for a width, filtered.
func (m *Model) panel(id panelID, width int) panel {
	draw := [panels]func(int) panel{agentsPanel: m.agentRows, threadsPanel: m.threadRows, leasesPanel: m.leaseRows, filesPanel: m.fileRows, eventsPanel: m.eventRows}
	p := draw[id](width - 2)
	if m.search == "" {
		return p
	}
	want := strings.ToLower(m.search)
	p.rows = slices.DeleteFunc(p.rows, func(r row) bool { return !strings.Contains(strings.ToLower(r.text), want) })
	p.empty = "Nothing here matches."
	return p
}

// chosen gives the index of the chosen row: the one that was chosen, or the
// first when that has gone; -1 in a panel that is not in focus.
func (m *Model) chosen(id panelID, p *panel) int {
	if m.focus != id || len(p.rows) == 0 {
		return -1
	}
	return max(0, slices.IndexFunc(p.rows, func(r row) bool { return r.key == m.at[id] }))
}
