package hub

import (
	"maps"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Times of an announcement's and a turn's life.
const (
	callTurn    = 120 * time.Second // without hooks a turn ends this long after the last call
	dormantLife = 30 * time.Minute  // a dormant announcement closes after this
)

// inTurn reports whether the agent is working: with hooks between the first
// prompt and the end of the turn, else until 120 s after its last call.
func (s *state) inTurn(a *coord.Agent, now coord.Millis) bool {
	switch {
	case a == nil || !a.Live():
		return false
	case a.Hooks:
		return a.TurnSince > 0
	default:
		return now < s.idleSince(a)
	}
}

// idleSince is when the agent's last turn ended or will end by itself.
func (s *state) idleSince(a *coord.Agent) coord.Millis {
	if a.Hooks {
		return a.TurnEnded
	}
	return max(s.lastCall(a.ID), a.Registered).Add(callTurn)
}

// beginTurn notes that a client with hooks started or goes on working.
func (t *txn) beginTurn(me *coord.Agent) *coord.Agent {
	if me.Hooks && me.TurnSince > 0 {
		return me
	}
	next := *me
	next.Hooks, next.TurnSince = true, t.now
	t.putAgent(&next)
	return &next
}

// endTurn notes that the turn is over: what the agent held is left, and who
// waits for it is told.
func (t *txn) endTurn(me *coord.Agent) {
	next := *me
	next.Hooks, next.TurnSince, next.TurnEnded = true, 0, t.now
	t.putAgent(&next)
	t.inFlight(me.ID, "", false)
	t.leaveAll(&next)
	t.passTurns(&next)
	t.loosen(next.Project)
}

// leaveAll turns every lease of the agent into a left one. One whose first edit
// was never reported done was never written: it ends.
func (t *txn) leaveAll(a *coord.Agent) {
	for _, l := range t.leasesOf(a.ID) {
		t.leave(l)
	}
	t.settle(a.ID)
}

func (t *txn) leave(l *coord.Lease) {
	if l.Left != 0 {
		return
	}
	next := *l
	next.Left = t.now
	switch {
	case l.Pending:
		next.Ended = t.now
	case l.Before != nil:
		next.Touched, next.Before = l.Before.Time, nil
	}
	t.putLease(&next)
}

// leasesOf lists an agent's leases that have not ended, by number.
func (t *txn) leasesOf(id coord.AgentID) []*coord.Lease {
	var out []*coord.Lease
	for _, l := range t.leases {
		if l.Agent == id {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b *coord.Lease) int {
		na, _ := coord.Ordinal("L", a.ID)
		nb, _ := coord.Ordinal("L", b.ID)
		return int(na - nb)
	})
	return out
}

// dormant lists the live announcements whose owner has been idle for so long
// that they close. An offered task is its thread's to end, claimed or not.
func (s *state) dormant(now coord.Millis) []coord.AnnouncementID {
	var out []coord.AnnouncementID
	for id, a := range s.anns {
		owner := s.agents[a.Agent]
		if a.KeepOpen || owner == nil || s.inTurn(owner, now) || s.claimOf(a) != nil {
			continue
		}
		if now >= max(s.idleSince(owner), a.Created).Add(dormantLife) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// seenEvery is how stale the stored last_seen of a live agent may get.
const seenEvery = time.Minute

// anythingDue reports whether age or expire has something to do.
func (s *state) anythingDue(now coord.Millis) bool {
	for _, w := range s.waits {
		if now >= w.Since.Add(waitLife) || (w.Reserved != 0 && now >= w.Reserved) || w.Told == 0 {
			return true
		}
	}
	for _, l := range s.leases {
		if now >= l.Taken.Add(leaseLife) {
			return true
		}
	}
	for _, a := range s.agents {
		if s.tooOld(a, now) || (a.Live() && s.lastCall(a.ID) >= a.LastSeen.Add(seenEvery)) {
			return true
		}
	}
	return s.wentBack(now) || len(s.overdue(now)) > 0 || len(s.dormant(now)) > 0 || len(s.forsaken(now)) > 0 || len(s.missedTurns(now)) > 0
}

// age does what time alone brings about: reservations are missed, rights of way
// lapse, old leases end, dormant announcements close.
func (t *txn) age() {
	t.missed()
	for _, l := range slices.Collect(maps.Values(t.leases)) {
		if t.now >= l.Taken.Add(leaseLife) {
			t.endLease(l)
		}
	}
	for _, id := range t.dormant(t.now) {
		a := t.anns[id]
		t.closeAnnouncement(a)
		t.settle(a.Agent)
	}
	for _, id := range t.forsaken(t.now) {
		t.withdraw(id)
	}
	for _, id := range t.missedTurns(t.now) {
		t.passOrder(t.threads[id], t.turnOf(t.threads[id], ""))
	}
	for _, a := range slices.Collect(maps.Values(t.agents)) {
		if a.Live() && t.lastCall(a.ID) >= a.LastSeen.Add(seenEvery) {
			next := *a
			next.LastSeen = t.lastCall(a.ID)
			t.putAgent(&next)
		}
	}
	for _, w := range t.waits { // a right of way may have lapsed, a lease have gone stale
		t.loosen(w.Project)
	}
}
