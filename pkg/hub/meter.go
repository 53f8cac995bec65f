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

	// Used is told of the tokens that a turn cost.
	Used(u coord.TokenUse)
}

// noMeter counts nothing.
type noMeter struct{}

func (noMeter) Called(string, coord.Code, time.Duration) {}
func (noMeter) Announced(coord.Category, time.Duration)  {}
func (noMeter) Committed(int, time.Duration)             {}
func (noMeter) Used(coord.TokenUse)                      {}

// Gauges is how much of what there is now.
type Gauges struct {
	Agents  map[coord.AgentStatus]int
	Threads map[coord.ThreadStatus]int // live ones
	Leases  int
	Waits   int // places in waiting lines
	Events  coord.Seq
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
	}
	for _, p := range h.state.projects {
		for _, th := range p.live {
			g.Threads[th.Status]++
		}
	}
	return g
}
