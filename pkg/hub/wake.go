package hub

import (
	"maps"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Limits of waking (DESIGN 6): a turn that nobody asked for costs money.
const (
	wakeWithin    = 30 * time.Minute // of the end of the last turn
	wakeEvery     = time.Minute
	wakesPerTurn  = 10 // between two prompts of the user
	wakesOfThread = 6  // the same, by one thread
)

const bypassPermissions = "bypassPermissions"

// wakeLimits are the reasons why an agent is not woken now, whatever the news.
var wakeLimits = []struct {
	name  string
	holds func(s *state, a *coord.Agent, now coord.Millis) bool
}{
	{"gone", func(_ *state, a *coord.Agent, _ coord.Millis) bool { return !a.Live() }},
	{"off", func(_ *state, a *coord.Agent, _ coord.Millis) bool { return a.Wakes.Off }},
	{"no hooks", func(_ *state, a *coord.Agent, _ coord.Millis) bool { return !a.Hooks }}, // nobody says when it is idle
	{"busy", func(s *state, a *coord.Agent, now coord.Millis) bool { return s.inTurn(a, now) }},
	{"never prompted", func(_ *state, a *coord.Agent, _ coord.Millis) bool { return a.TurnEnded == 0 }},
	{"bypasses permissions", func(_ *state, a *coord.Agent, _ coord.Millis) bool { return a.Wakes.Mode == bypassPermissions }},
	{"idle too long", func(_ *state, a *coord.Agent, now coord.Millis) bool { return now >= a.TurnEnded.Add(wakeWithin) }},
	{"woken lately", func(_ *state, a *coord.Agent, now coord.Millis) bool {
		return a.Wakes.Last > 0 && now < a.Wakes.Last.Add(wakeEvery)
	}},
	{"woken too often", func(_ *state, a *coord.Agent, _ coord.Millis) bool { return a.Wakes.Count >= wakesPerTurn }},
}

// wakeLimit names the limit that keeps an agent from being woken, "" when none
// does.
func (s *state) wakeLimit(a *coord.Agent, now coord.Millis) string {
	for _, l := range wakeLimits {
		if l.holds(s, a, now) {
			return l.name
		}
	}
	return ""
}

// alarms lists the letters that may wake an agent: high ones, about something it
// holds, has announced or waits for, that nobody is handing out. exhausted are
// those of threads that have woken it too often.
func (s *state) alarms(a *coord.Agent, rung coord.Rung, better bool, now coord.Millis) (ring, exhausted []*letter) {
	b := s.mail[a.ID]
	if b == nil {
		return nil, nil
	}
	for _, l := range b.letters {
		pushed := carriedByID[l.receipt.Rung] && l.receipt.Offers > 0 // and nothing came of it
		switch {
		case !l.free(now), l.receipt.State == coord.DeliveryBlocked, s.priorityFor(a.ID, &l.event) != coord.High,
			s.relationOf(a.ID, &l.event) == coord.RelationBystander:
		case carriedByID[rung] && pushed, !carriedByID[rung] && better && !pushed:
		case l.event.Thread != "" && a.Wakes.Threads[l.event.Thread] >= wakesOfThread:
			exhausted = append(exhausted, l)
		default:
			ring = append(ring, l)
		}
	}
	return ring, exhausted
}

// mayRing reports whether wake has something to do.
func (s *state) mayRing(id coord.AgentID, rung coord.Rung, better bool, now coord.Millis) bool {
	a := s.agents[id]
	if a == nil || s.wakeLimit(a, now) != "" {
		return false
	}
	ring, exhausted := s.alarms(a, rung, better, now)
	return len(ring)+len(exhausted) > 0
}

// wakeBatch is how many events one wake-up brings at most.
const wakeBatch = 20

// wake gives the events that wake an agent by a rung now, none when it may not
// be woken. better says that a better rung stands ready, to which this one
// leaves what has not been tried. All that is unread comes along, in order.
func (t *txn) wake(id coord.AgentID, rung coord.Rung, better bool) []coord.Event {
	a := t.agents[id]
	if a == nil || t.wakeLimit(a, t.now) != "" {
		return nil
	}
	ring, exhausted := t.alarms(a, rung, better, t.now)
	t.block(a, exhausted)
	if len(ring) == 0 {
		return nil
	}
	events := t.give(id, demand{rung: rung, max: wakeBatch})
	if len(events) == 0 {
		return nil
	}
	next := *t.agents[id]
	next.Wakes.Count++
	next.Wakes.Last = t.now
	next.Wakes.Threads = maps.Clone(next.Wakes.Threads)
	if next.Wakes.Threads == nil {
		next.Wakes.Threads = map[coord.ThreadID]int{}
	}
	counted := map[coord.ThreadID]bool{"": true}
	for _, l := range ring {
		if th := l.event.Thread; !counted[th] {
			counted[th] = true
			next.Wakes.Threads[th]++
		}
	}
	t.putAgent(&next)
	return events
}

// block keeps the news of threads that woke an agent too often from waking it
// any more, and says so once per thread: now a person is needed.
func (t *txn) block(a *coord.Agent, exhausted []*letter) {
	told := map[coord.ThreadID]bool{}
	var seqs []coord.Seq
	for _, l := range exhausted {
		seqs = append(seqs, l.receipt.Seq)
		if th := l.event.Thread; !told[th] && a.Wakes.Threads[th] == wakesOfThread {
			told[th] = true
		}
	}
	t.stamp(a.ID, seqs, func(l *letter) { l.receipt.State, l.receipt.At = coord.DeliveryBlocked, t.now })
	if len(told) == 0 {
		return
	}
	next := *t.agents[a.ID]
	next.Wakes.Threads = maps.Clone(next.Wakes.Threads)
	for th := range told {
		next.Wakes.Threads[th]++ // said
	}
	t.putAgent(&next)
	for th := range told {
		t.emit(news{kind: coord.KindNeedsHuman, project: a.Project, thread: th, priority: coord.Medium, to: []coord.AgentID{a.ID},
			payload: coord.NeedsHuman{Wakes: wakesOfThread}})
	}
}

// prompt is what a client's hook reports of a prompt.
type prompt struct {
	mode    string          // permission mode; "" = not said
	off     bool            // COORDINATOR_WAKE=off
	user    bool            // a person typed it: what was woken before is forgiven
	carried []coord.EventID // events whose text stands in it (brief.Carried)
}

// prompted notes a prompt: what it carries has been seen, and after a person's
// word the counting of wake-ups starts anew.
func (t *txn) prompted(id coord.AgentID, p prompt) {
	a := t.agents[id]
	if a == nil {
		return
	}
	next := *a
	next.Wakes.Off = p.off
	if p.mode != "" {
		next.Wakes.Mode = p.mode
	}
	if p.user {
		next.Wakes.Count, next.Wakes.Threads = 0, nil
	}
	if next.Wakes.Off != a.Wakes.Off || next.Wakes.Mode != a.Wakes.Mode || (p.user && a.Wakes.Count > 0) {
		t.putAgent(&next)
	}
	t.carried(id, p.carried)
}
