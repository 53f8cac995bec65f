package hub

import (
	"maps"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// A clock that was ahead and is put right leaves times in the future, in the
// state and in the database: a claim or a consultation would last until then.
// Such a time is taken for the present.

// ahead is how far in the future a time may lie that is meant to be past.
const ahead = time.Minute

// moment is a time of a noun and how far in the future it may lie.
type moment struct {
	at   *coord.Millis
	room time.Duration
}

func (m moment) late(now coord.Millis) bool { return *m.at > now.Add(m.room+ahead) }

func momentsOfAgent(a *coord.Agent) []moment {
	return []moment{{at: &a.Registered}, {at: &a.LastSeen}, {at: &a.TurnSince}, {at: &a.TurnEnded}}
}

func momentsOfAnnouncement(a *coord.Announcement) []moment {
	return []moment{{at: &a.Created}, {at: &a.Claimed}, {at: &a.LastEdit}}
}

func momentsOfThread(th *coord.Thread) []moment {
	return []moment{{at: &th.Deadline, room: roundTime}, {at: &th.Created}, {at: &th.Ended}, {at: &th.OrderSince}}
}

func momentsOfLease(l *coord.Lease) []moment {
	return []moment{{at: &l.Taken}, {at: &l.Touched}, {at: &l.Left}}
}

func momentsOfWait(w *coord.Wait) []moment {
	return []moment{{at: &w.Since}, {at: &w.Reserved, room: reserveFor}, {at: &w.Told}}
}

// wentBack reports whether a time of the state lies in the future.
func (s *state) wentBack(now coord.Millis) bool {
	return late(now, s.agents, momentsOfAgent) || late(now, s.anns, momentsOfAnnouncement) || late(now, s.threads, momentsOfThread) ||
		late(now, s.leases, momentsOfLease) || late(now, s.waits, momentsOfWait)
}

func late[K comparable, T any](now coord.Millis, nouns map[K]*T, moments func(*T) []moment) bool {
	for _, n := range nouns {
		if slices.ContainsFunc(moments(n), func(m moment) bool { return m.late(now) }) {
			return true
		}
	}
	return false
}

// goBack takes the times that lie in the future for the present.
func (t *txn) goBack() {
	recall(t.now, t.agents, momentsOfAgent, t.putAgent)
	recall(t.now, t.anns, momentsOfAnnouncement, t.putAnnouncement)
	recall(t.now, t.threads, momentsOfThread, t.putThread)
	recall(t.now, t.leases, momentsOfLease, t.putLease)
	recall(t.now, t.waits, momentsOfWait, t.putWait)
}

func recall[K comparable, T any](now coord.Millis, nouns map[K]*T, moments func(*T) []moment, put func(*T)) {
	for _, n := range slices.Collect(maps.Values(nouns)) {
		next, moved := *n, false
		for _, m := range moments(&next) {
			if m.late(now) {
				*m.at, moved = now.Add(m.room), true
			}
		}
		if moved {
			put(&next)
		}
	}
}

// goBack lets every connection count from the present that was heard of in the
// future.
func (p *presence) goBack(now coord.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.agents {
		d := now.Sub(max(c.seen, c.call))
		if d >= -ahead {
			continue
		}
		for _, at := range []*coord.Millis{&c.seen, &c.call, &c.spell} {
			*at = min(*at, now)
		}
		for session, at := range c.sessions {
			c.sessions[session] = min(at, now)
		}
		c.until = max(c.until.Add(d), min(c.until, now.Add(startGrace)))
	}
}
