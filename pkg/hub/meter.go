package hub

import (
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Meter is told what the hub does and how long it takes. Its methods are called
// by the goroutines at work and must not block. It is implemented by
// hub/metrics.
type Meter interface {
	// Called is told of every operation: its name, "" as the code of a success.
	Called(op string, code coord.Code, took time.Duration)

	// Announced is told of every announcement that was stored: its category, and
	// how long it took to score and decide.
	Announced(category coord.Category, took time.Duration)

	// Committed is told of every batch that was stored: how many requests shared
	// it, and how long the commit took.
	Committed(requests int, took time.Duration)

	// Hooked is told of every call of a client's hook: what it came to, one of
	// HookDecisions, and how long it took.
	Hooked(event coord.HookEvent, decision string, took time.Duration)

	// Delivered is told of every step of an event on its way to a model.
	Delivered(rung coord.Rung, state coord.DeliveryState)

	// Used is told of the tokens that a turn cost.
	Used(u coord.TokenUse)
}

// HookDecisions are what the call of a hook can come to, the strongest first.
var HookDecisions = []string{"failed", "refused", "asked", "context", "note", "silent"}

// decisionOf tells what a hook was answered.
func decisionOf(a coord.HookAnswer) string {
	for _, d := range []struct {
		is   bool
		word string
	}{{a.Refused, "refused"}, {len(a.Look)+len(a.Check) > 0 || a.Watch != nil, "asked"}, {a.Context != "", "context"}, {a.Note != "" || a.Wake != "", "note"}} {
		if d.is {
			return d.word
		}
	}
	return "silent"
}

// noMeter counts nothing.
type noMeter struct{}

func (noMeter) Called(string, coord.Code, time.Duration) {}
func (noMeter) Announced(coord.Category, time.Duration)  {}
func (noMeter) Committed(int, time.Duration)             {}
func (noMeter) Used(coord.TokenUse)                      {}

func (noMeter) Hooked(coord.HookEvent, string, time.Duration) {}
func (noMeter) Delivered(coord.Rung, coord.DeliveryState)     {}

// Gauges is how much of what there is now.
type Gauges struct {
	Agents  map[coord.AgentStatus]int
	Threads map[coord.ThreadStatus]int // live ones
	Leases  int
	Waits   int // places in waiting lines
	Events  coord.Seq
	Unread  int              // events that live agents have not been handed
	Deepest int              // the most of one agent
	Quota   []coord.QuotaUse // nil = not measured
}

// Gauges counts what there is now.
func (h *Hub) Gauges() Gauges {
	h.mu.RLock()
	defer h.mu.RUnlock()
	g := Gauges{Agents: map[coord.AgentStatus]int{coord.Online: 0}, Threads: map[coord.ThreadStatus]int{coord.ThreadOpen: 0, coord.ThreadResolving: 0, coord.ThreadClaimed: 0},
		Leases: len(h.state.leases), Waits: len(h.state.waits), Events: coord.Seq(h.state.counters.Seq), Quota: h.state.quota}
	for _, a := range h.state.agents {
		g.Agents[a.Status]++
		if a.Live() {
			unread := h.state.unread(a.ID)
			g.Unread, g.Deepest = g.Unread+unread, max(g.Deepest, unread)
		}
	}
	for _, p := range h.state.projects {
		for _, th := range p.live {
			g.Threads[th.Status]++
		}
	}
	return g
}
