package web

import (
	"sync"

	"golang.org/x/time/rate"

	"github.com/coordhq/coord/pkg/coord"
)

// maxRates bounds how many callers are counted one by one before those who
// have been quiet are forgotten.
const maxRates = 1024

// rates counts the calls of each caller on each kind of door.
type rates struct {
	limits Limits

	mu    sync.Mutex
	calls map[rateKey]*rate.Limiter // guarded by mu
}

type rateKey struct {
	local  bool
	agent  coord.AgentID  // empty for the operator
	member coord.MemberID // of the operator
}

func newRates(l Limits) *rates {
	return &rates{limits: l, calls: map[rateKey]*rate.Limiter{}}
}

// take counts one call; the error names the limit it is over.
func (r *rates) take(local bool, c coord.Caller) error {
	perSecond, burst := r.limits.Rate, r.limits.Burst
	if local {
		perSecond, burst = r.limits.LocalRate, r.limits.LocalBurst
	}
	key := rateKey{local: local, agent: c.Agent}
	if c.Operator {
		key.member = c.Member
	}
	if r.limiter(key, perSecond, burst).Allow() {
		return nil
	}
	return coord.Errorf(coord.RateLimited, "wait a second, then call again", "the limit of %g calls per second and agent (burst %d) is reached", perSecond, burst)
}

func (r *rates) limiter(key rateKey, perSecond float64, burst int) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.calls[key]; l != nil {
		return l
	}
	if len(r.calls) >= maxRates {
		r.forget()
	}
	l := rate.NewLimiter(rate.Limit(perSecond), burst)
	r.calls[key] = l
	return l
}

// forget drops those that have their whole allowance again; it runs under mu.
// Agents are registered, so what is left is bounded by their number.
func (r *rates) forget() {
	for key, l := range r.calls {
		if l.Tokens() >= float64(l.Burst()) {
			delete(r.calls, key)
		}
	}
}
