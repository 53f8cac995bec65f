package broker_test

import (
	"slices"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
)

// BenchmarkDoorbell measures one event from Publish to the handler of a paho
// client on the unix socket, one at a time.
func BenchmarkDoorbell(b *testing.B) {
	f := start(b, broker.Options{})
	rung := make(chan time.Time, 1)
	c := connect(b, options(f.dialUnix, "ag-alice-1", string(shop), "key-alice"))
	if err := await(c.Subscribe("coordinator/agents/ag-alice/inbox", 0, func(paho.Client, paho.Message) { rung <- time.Now() })); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for seq := coord.Seq(1); b.Loop(); seq++ {
		p := event(shop, seq, coord.KindMessagePosted, "ag-alice")
		begin := time.Now()
		f.Publish([]pub{p})
		took = append(took, (<-rung).Sub(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkPublish measures what the hub's writer pays for one event with two
// recipients.
func BenchmarkPublish(b *testing.B) {
	f := start(b, broker.Options{})
	batch := []pub{event(shop, 1, coord.KindMessagePosted, "ag-alice", "ag-bob")}
	b.ReportAllocs()
	for b.Loop() {
		f.Publish(batch)
	}
}
