package daemon

import (
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/metrics"
)

// buildMetrics makes the metrics, which the parts that are built after them
// report to and which ask those parts when somebody looks.
func (d *Daemon) buildMetrics() (err error) {
	d.metrics, err = metrics.New(metrics.Options{
		Version:   d.o.Version,
		Database:  d.o.Home.Database(),
		Gauges:    func() hub.Gauges { return d.hub.Gauges() },
		Publisher: func() hub.PublisherStats { return d.broker.Stats() },
		Missed:    func() uint64 { return d.broker.Missed() },
		Connections: func() map[string]int {
			return map[string]int{"http": d.web.Connections(), "mqtt": d.broker.Stats().Connections, "mcp": d.mcp.Sessions()}
		},
	})
	return err
}
