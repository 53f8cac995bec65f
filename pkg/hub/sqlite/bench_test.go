package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// BenchmarkCommit measures a batch from Begin to Commit.
func BenchmarkCommit(b *testing.B) {
	for _, durability := range []string{sqlite.Full, sqlite.Normal} {
		for _, size := range []int64{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", durability, size), func(b *testing.B) {
				s := openWith(b, sqlite.Options{Path: temp(b), Durability: durability})
				n := int64(0)
				for b.Loop() {
					batch, err := s.Begin(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					for range size {
						n++
						if err := batch.Apply(announce(n)); err != nil {
							b.Fatal(err)
						}
					}
					if err := batch.Commit(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/announce")
			})
		}
	}
}

// BenchmarkApply measures one request inside a batch of 64.
func BenchmarkApply(b *testing.B) {
	s := openWith(b, sqlite.Options{Path: temp(b), Durability: sqlite.Normal})
	n := int64(0)
	batch := begin(b, s)
	for b.Loop() {
		n++
		c := announce(n)
		if err := batch.Apply(c); err != nil {
			b.Fatal(err)
		}
		if n%64 == 0 {
			b.StopTimer()
			if err := batch.Commit(); err != nil {
				b.Fatal(err)
			}
			batch = begin(b, s)
			b.StartTimer()
		}
	}
	batch.Rollback()
}

// BenchmarkInbox measures the page that a shim fetches, out of 1,000 entries.
func BenchmarkInbox(b *testing.B) {
	s := open(b, temp(b))
	for n := int64(1); n <= 1000; n++ {
		store(b, s, announce(n))
	}
	for b.Loop() {
		if _, remaining, err := s.Inbox(b.Context(), "ag-2", 0, 20); err != nil || remaining != 980 {
			b.Fatal(remaining, err)
		}
	}
}
