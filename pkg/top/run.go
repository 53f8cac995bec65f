package top

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Options of Run.
type Options struct {
	Hub     *client.Client // required
	In, Out *os.File       // required: a terminal
	Environ []string       // nil = os.Environ(); TERM, COLORTERM and NO_COLOR say what the terminal can do
}

func (o *Options) validate() error {
	if o.Hub == nil || o.In == nil || o.Out == nil {
		return errors.New("top: Options.Hub, In and Out are required")
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	return nil
}

// Run shows the page until the user quits or ctx ends.
func Run(ctx context.Context, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	load := func(id coord.ThreadID) (tool.ThreadView, error) { return conversation(ctx, o.Hub, id) }
	p := tea.NewProgram(NewModel(load, time.Now(), time.Local), tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out),
		tea.WithEnvironment(o.Environ), tea.WithoutSignalHandler())
	l := newLink(o.Hub, func(m any) { p.Send(m) })
	var wait sync.WaitGroup
	wait.Go(func() { l.run(ctx) })
	wait.Go(func() { l.count(ctx) })
	_, err := p.Run()
	interrupted := ctx.Err() != nil
	cancel()
	wait.Wait()
	if interrupted || errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// Snapshot is what is known at one moment.
type Snapshot struct {
	tool.OverviewOut
	Events []coord.Event    `json:"events"` // the newest, the oldest of them first
	Quota  []coord.QuotaUse `json:"quota"`  // empty when it is not measured
	Tokens *Tokens          `json:"tokens,omitempty"`

	at time.Time
}

// snapshotEvents is how many events a snapshot holds.
const snapshotEvents = 20

// errEnough ends the stream of a snapshot.
var errEnough = errors.New("enough")

// Take reads a snapshot from a hub that is there.
func Take(ctx context.Context, hub *client.Client) (Snapshot, error) {
	s := Snapshot{Events: []coord.Event{}, Quota: []coord.QuotaUse{}, at: time.Now()}
	l := newLink(hub, nil)
	done := false
	l.send = func(m any) {
		switch m := m.(type) {
		case News:
			s.Events = append(s.Events, m.Event)
		case State:
			s.OverviewOut, done = m.Overview, true
		}
	}
	err := hub.Follow(ctx, client.From{Tail: snapshotEvents, State: true}, func(m client.Message) error {
		if err := l.take(m); err != nil || !done {
			return err
		}
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		return s, err
	}
	c := costs(ctx, hub)
	s.Quota, s.Tokens = append(s.Quota, c.Quota...), c.Tokens
	return s, nil
}

// Print writes a snapshot in words, without colours, as wide as said and as long
// as need be.
func (s Snapshot) Print(w io.Writer, width int, zone *time.Location) error {
	m := NewModel(nil, s.at, zone)
	m.live, m.some, m.overview, m.events, m.quota, m.tokens = true, true, s.OverviewOut, s.Events, s.Quota, s.Tokens
	m.width, m.focus = width, panels
	m.width = min(width, broad-1) // one column: it is read from the top
	out := append([]string{}, m.header()...)
	for id := range panels {
		p := m.panel(id, m.width)
		out = append(out, p.draw(m.width, p.lines(len(p.rows))+1, -1)...)
	}
	for _, l := range out {
		if _, err := io.WriteString(w, strings.TrimRight(ansi.Strip(l), " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
