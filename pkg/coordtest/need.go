package coordtest

import (
	"os"
	"testing"
)

// Need skips a test whose machine lacks something, saying what. Where a skip
// would hide a hole, as in CI, COORD_NO_SKIP=1 makes it a failure.
func Need(t testing.TB, have bool, what string) {
	t.Helper()
	switch {
	case have:
	case os.Getenv("COORD_NO_SKIP") == "1":
		t.Fatalf("this machine lacks %s, and COORD_NO_SKIP=1 forbids to skip", what)
	default:
		t.Skipf("this machine lacks %s", what)
	}
}
