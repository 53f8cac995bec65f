package coordtest_test

import (
	"fmt"
	"slices"
	"time"
)

// percentile gives the smallest duration that p percent of the sample do not
// exceed; 100 gives the largest.
func percentile(sample []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(sample))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// spread words a sample for a log.
func spread(sample []time.Duration) string {
	return fmt.Sprintf("p50 %v p99 %v max %v", percentile(sample, 50), percentile(sample, 99), percentile(sample, 100))
}
