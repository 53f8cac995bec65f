package coordtest_test

import (
	"os"
	"testing"
	"time"
)

// A zone that the machine does not know is UTC without a word, and a run under
// it proves nothing.
func TestTheZoneOfTheEnvironmentIsInForce(t *testing.T) {
	zone := os.Getenv("TZ")
	if zone == "" || zone == "UTC" {
		return
	}
	if _, offset := time.Date(2026, 1, 15, 12, 0, 0, 0, time.Local).Zone(); offset == 0 {
		t.Errorf("TZ=%s has no effect on this machine", zone)
	}
}
