package auth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/hub/auth"
)

func TestFailuresAreFreeFiveTimesAMinutePerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := auth.NewFailures()
		guesser, owner := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("192.0.2.8")
		over := 0
		for range 200 {
			if f.Failed(guesser) {
				over++
			}
		}
		if over != 195 {
			t.Errorf("%d of 200 failures were over the limit, want 195", over)
		}
		if f.Failed(owner) {
			t.Error("another address pays for the guesser")
		}
		time.Sleep(time.Minute) // of the bubble
		for i := range 5 {
			if f.Failed(guesser) {
				t.Errorf("failure %d after a minute is over the limit", i+1)
			}
		}
		if !f.Failed(guesser) {
			t.Error("the sixth failure within a minute is free")
		}
	})
}

func TestFailuresOfOneIPv6NetworkCountTogether(t *testing.T) {
	f := auth.NewFailures()
	a := netip.MustParseAddr("2001:db8::1")
	for range 5 {
		f.Failed(a)
		a = a.Next()
	}
	if !f.Failed(a) {
		t.Error("a new address of the same /64 starts afresh")
	}
	if f.Failed(netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("another /64 pays for it")
	}
}

func TestACrowdOfAddressesSharesOneAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := auth.NewFailures()
		a := netip.MustParseAddr("10.0.0.0")
		crowd := func(n int) (over int) {
			for range n {
				if f.Failed(a) {
					over++
				}
				a = a.Next()
			}
			return over
		}
		if over := crowd(4096); over != 0 {
			t.Errorf("%d first failures were over the limit", over)
		}
		if over := crowd(1000); over != 995 {
			t.Errorf("past the bound %d of 1000 were over the limit, want 995", over)
		}
		time.Sleep(time.Minute)
		if over := crowd(1000); over != 0 {
			t.Errorf("after a minute %d of 1000 were over the limit: old addresses are kept", over)
		}
	})
}
