package hub_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkAnnounce measures one announcement of two files at the hub, its
// commit (synchronous=FULL) included, with that many live file targets of
// other agents around.
func BenchmarkAnnounce(b *testing.B) {
	for _, live := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			r := newRig(b)
			const each = 500
			for n := 0; n < live; n += each {
				peer := r.named("")
				var files []string
				for i := n; i < min(n+each, live); i++ {
					files = append(files, fmt.Sprintf("src/d%d/f%d.go", i%97, i))
				}
				peer.announce(files...)
			}
			me := r.named("me")
			var took []time.Duration
			b.ResetTimer()
			for i := range b.N {
				start := time.Now()
				raw, err := r.Call(me.ctx, "announce_work", json.RawMessage(fmt.Sprintf(`{"subject":"w","target_files":["mine/a%d.go","mine/b%d.go"]}`, i, i)), fmt.Sprint("k", i))
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
				_ = raw
			}
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
