//go:build !race

package coordtest

// RaceEnabled tells whether this test process, and so the binaries it builds,
// run under the race detector.
const RaceEnabled = false
