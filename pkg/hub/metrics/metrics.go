package metrics

import (
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// Options of the metrics of one hub.
type Options struct {
	Version     string
	Gauges      func() hub.Gauges         // required
	Publisher   func() hub.PublisherStats // required
	Missed      func() uint64             // messages that slow subscribers did not get; required
	Connections func() map[string]int     // open connections by door; required
	Database    string                    // path of the database; "" = its size is not shown
}

func (o *Options) validate() error {
	switch {
	case o.Gauges == nil:
		return errors.New("metrics: Options.Gauges is missing")
	case o.Publisher == nil:
		return errors.New("metrics: Options.Publisher is missing")
	case o.Missed == nil:
		return errors.New("metrics: Options.Missed is missing")
	case o.Connections == nil:
		return errors.New("metrics: Options.Connections is missing")
	}
	return nil
}

// Metrics is a registry of its own with all metrics of a hub. It implements
// hub.Meter.
type Metrics struct {
	o        Options
	registry *prometheus.Registry

	calls      *prometheus.CounterVec
	callTime   *prometheus.HistogramVec
	announces  *prometheus.CounterVec
	scoring    prometheus.Histogram
	commits    prometheus.Histogram
	batch      prometheus.Histogram
	push       prometheus.Histogram
	deliveries *prometheus.CounterVec
	hooks      *prometheus.CounterVec
	hookTime   prometheus.Histogram
	tokens     *prometheus.CounterVec

	mu     sync.Mutex      // guards models
	models map[string]bool // those that have a label of their own
}

var _ hub.Meter = (*Metrics)(nil)

// quick are the bounds of what takes microseconds to a second.
var quick = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}

// New makes the metrics.
func New(o Options) (*Metrics, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := &Metrics{o: o, registry: prometheus.NewRegistry(), models: map[string]bool{}}
	m.calls = counters("coord_calls_total", "Operations, by name and by code of the error; the code of a success is ok.", "op", "code")
	m.callTime = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "coord_call_seconds", Help: "How long operations take at the hub, waits excepted.", Buckets: quick}, []string{"op"})
	m.announces = counters("coord_announces_total", "Announcements, by what they came to.", "category")
	m.scoring = histogram("coord_scoring_seconds", "How long an announcement takes to score and decide.", quick)
	m.commits = histogram("coord_commit_seconds", "How long a commit takes.", quick)
	m.batch = histogram("coord_commit_requests", "How many requests share a commit.", []float64{1, 2, 4, 8, 16, 32, 64})
	m.push = histogram("coord_push_seconds", "From the commit of an event to its message standing at the connections.", quick)
	m.deliveries = counters("coord_deliveries_total", "Events on their way to a model, by rung of the ladder and state reached.", "rung", "state")
	m.hooks = counters("coord_hook_decisions_total", "Calls of clients' hooks, by event and decision.", "event", "decision")
	m.hookTime = histogram("coord_hook_seconds", "How long a hook's call takes at the hub.", quick)
	m.tokens = counters("coord_tokens_total", "Tokens that agents' models used, by kind.", "model", "kind")
	for _, category := range []coord.Category{coord.Concerned, coord.GrayZone, coord.Pass} {
		m.announces.WithLabelValues(string(category)) // shown as 0 from the start
	}
	for _, rung := range coord.Rungs {
		for _, state := range coord.DeliveryStates {
			m.deliveries.WithLabelValues(string(rung), string(state))
		}
	}
	for _, event := range coord.HookEvents {
		for _, decision := range hub.HookDecisions {
			m.hooks.WithLabelValues(string(event), decision)
		}
	}
	m.registry.MustRegister(m.calls, m.callTime, m.announces, m.scoring, m.commits, m.batch, m.push, m.deliveries, m.hooks, m.hookTime, m.tokens,
		&now{o: &m.o}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m, nil
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, bounds []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds})
}

// Handler serves the metrics in the text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Called implements hub.Meter.
func (m *Metrics) Called(op string, code coord.Code, took time.Duration) {
	if code == "" {
		code = "ok"
	}
	m.calls.WithLabelValues(op, string(code)).Inc()
	m.callTime.WithLabelValues(op).Observe(took.Seconds())
}

// Announced implements hub.Meter.
func (m *Metrics) Announced(category coord.Category, took time.Duration) {
	m.announces.WithLabelValues(string(category)).Inc()
	m.scoring.Observe(took.Seconds())
}

// Committed implements hub.Meter.
func (m *Metrics) Committed(requests int, took time.Duration) {
	m.batch.Observe(float64(requests))
	m.commits.Observe(took.Seconds())
}

// Used implements hub.Meter.
func (m *Metrics) Used(u coord.TokenUse) {
	model := m.model(u.Model)
	for kind, n := range map[string]int64{"input": u.Input, "output": u.Output, "cache_read": u.CacheRead, "cache_creation": u.CacheCreation, "thinking": u.Thinking} {
		m.tokens.WithLabelValues(model, kind).Add(float64(n))
	}
}

// Hooked implements hub.Meter.
func (m *Metrics) Hooked(event coord.HookEvent, decision string, took time.Duration) {
	m.hooks.WithLabelValues(string(event), decision).Inc()
	if took > 0 {
		m.hookTime.Observe(took.Seconds())
	}
}

// Delivered implements hub.Meter. An event that expires or is blocked before any
// rung had it has none.
func (m *Metrics) Delivered(rung coord.Rung, state coord.DeliveryState) {
	m.deliveries.WithLabelValues(string(rung), string(state)).Inc()
}

// maxModels is how many models have a label of their own.
const maxModels = 20

func (m *Metrics) model(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.models[name] {
		if len(m.models) >= maxModels {
			return "other"
		}
		m.models[name] = true
	}
	return name
}

// Pushed is told how long the events of a batch took to the connections.
func (m *Metrics) Pushed(took time.Duration) { m.push.Observe(took.Seconds()) }

// now collects what is counted at the moment of asking.
type now struct{ o *Options }

var (
	info        = desc("coord_build_info", "The version of the hub; always 1.", "version")
	agents      = desc("coord_agents", "Agents, by status.", "status")
	threads     = desc("coord_threads", "Live threads, by status.", "status")
	leases      = desc("coord_leases", "Leases that have not ended.")
	waits       = desc("coord_waits", "Places in waiting lines.")
	unread      = desc("coord_inbox_unread", "Events that live agents have not been handed: of all together, and of the one with the most.", "of")
	events      = desc("coord_events_total", "Events in the log since its begin.")
	published   = desc("coord_events_published_total", "Messages handed to the broker.")
	dropped     = desc("coord_events_dropped_total", "Messages that were not pushed; the log has them.", "reason")
	connections = desc("coord_connections", "Open connections, by door.", "door")
	quota       = desc("coord_quota_utilization_pct", "Use of the plan, by bucket.", "bucket")
	database    = desc("coord_sqlite_bytes", "Size of the database's files.", "file")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (n *now) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{info, agents, threads, leases, waits, unread, events, published, dropped, connections, quota, database} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (n *now) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(info, 1, n.o.Version)
	g := n.o.Gauges()
	for status, count := range g.Agents {
		gauge(agents, float64(count), string(status))
	}
	for status, count := range g.Threads {
		gauge(threads, float64(count), string(status))
	}
	gauge(leases, float64(g.Leases))
	gauge(waits, float64(g.Waits))
	gauge(unread, float64(g.Unread), "all")
	gauge(unread, float64(g.Deepest), "deepest")
	counter(events, float64(g.Events))
	for _, use := range g.Quota {
		gauge(quota, use.Utilization, string(use.Bucket))
	}
	p := n.o.Publisher()
	counter(published, float64(p.Published))
	counter(dropped, float64(p.Dropped), "queue_full")
	counter(dropped, float64(n.o.Missed()), "slow_subscriber")
	for door, count := range n.o.Connections() {
		gauge(connections, float64(count), door)
	}
	if n.o.Database == "" {
		return
	}
	for _, file := range []struct{ suffix, name string }{{"", "database"}, {"-wal", "wal"}} {
		if stat, err := os.Stat(n.o.Database + file.suffix); err == nil {
			gauge(database, float64(stat.Size()), file.name)
		}
	}
}
