package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// FailuresPerMinute is how many failed authentications one address has free.
const FailuresPerMinute = 5

// maxAddresses bounds the memory a crowd of addresses can take; past it
// newcomers share one allowance.
const maxAddresses = 4096

// Failures counts failed authentications per address: 5 at once, then one more
// each 12 seconds. It judges failures only. A right credential always passes,
// or any local program could lock the user out by failing from 127.0.0.1; the
// secrets have 256 bits, so that costs nothing.
type Failures struct {
	mu        sync.Mutex
	addresses map[netip.Prefix]*rate.Limiter // guarded by mu
}

// NewFailures makes an empty count.
func NewFailures() *Failures {
	return &Failures{addresses: map[netip.Prefix]*rate.Limiter{}}
}

// Failed counts one failure and reports whether the address is over its limit.
// Addresses of one IPv6 /64 count as one. The zero Addr is an address too.
func (f *Failures) Failed(from netip.Addr) (over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.limiter(keyOf(from)).Allow()
}

func keyOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // the zero Addr
	}
	return p
}

// limiter runs under mu.
func (f *Failures) limiter(key netip.Prefix) *rate.Limiter {
	if l := f.addresses[key]; l != nil {
		return l
	}
	if len(f.addresses) >= maxAddresses {
		f.forget()
	}
	if len(f.addresses) >= maxAddresses {
		key = netip.Prefix{}
		if l := f.addresses[key]; l != nil {
			return l
		}
	}
	l := rate.NewLimiter(rate.Every(time.Minute/FailuresPerMinute), FailuresPerMinute)
	f.addresses[key] = l
	return l
}

// forget drops the addresses that have their whole allowance again; it runs
// under mu.
func (f *Failures) forget() {
	for key, l := range f.addresses {
		if l.Tokens() >= FailuresPerMinute {
			delete(f.addresses, key)
		}
	}
}
