// Package machine is for tests that need something of the machine they run on.
package machine

import (
	"os"
	"testing"
)

// Has skips a test whose machine lacks something, saying what. Where a skip
// would hide a hole, in CI (CI=true) and with COORD_NO_SKIP=1, it fails.
func Has(t testing.TB, have bool, what string) {
	t.Helper()
	switch {
	case have:
	case os.Getenv("COORD_NO_SKIP") == "1", os.Getenv("CI") == "true":
		t.Fatalf("this machine lacks %s, and neither CI nor COORD_NO_SKIP=1 lets a test be skipped", what)
	default:
		t.Skipf("this machine lacks %s", what)
	}
}
