package hub

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Delivery to a model (DESIGN 6): which of an agent's events a rung of the ladder
// may offer now, and what became of those that were offered.
//
//	queued → offered → written → seen
//
// An offer is somebody's until it says that it has written the events out, or
// until offerHold is over: nobody else is offered them meanwhile, nor what
// follows them, so that the order is kept. What was written is seen once the
// client has come back with the main thread's next hook or call, and every tool
// call that was in flight at the offer has finished; a message to the client's
// socket or channel is seen when a prompt that carries its id is reported. What a
// killed process left offered is offered again, with the same seq and again; of
// a hook the hub hears at once, since its connection ends with it.

const (
	offerHold = 30 * time.Second // an offer that nobody confirmed, or a message that no prompt carried
	maxMail   = 1000             // unseen events of one agent; more make the oldest expire
)

// letter is one event on its way to one agent. It is replaced, never changed.
type letter struct {
	event   coord.Event
	receipt coord.Receipt
	marker  bool     // it stands for events that expired
	calls   []string // tool calls that were in flight at its offer
}

// mailbox holds what an agent has not seen, in order. Its slice is replaced or
// appended to, never changed in place.
type mailbox struct {
	letters []*letter
	flying  map[string]bool // tool calls of the main thread in flight; not stored
}

func (s *state) boxOf(id coord.AgentID) *mailbox {
	b := s.mail[id]
	if b == nil {
		b = &mailbox{flying: map[string]bool{}}
		s.mail[id] = b
	}
	return b
}

// loadMail fills the mailboxes from what the store kept, by agent and seq.
func (s *state) loadMail(mail []Letter) {
	for _, l := range mail {
		if l.Receipt.State == coord.DeliveryOffered && !byShim[l.Receipt.Rung] { // its hook was cut off from the hub before this one
			l.Receipt.State = coord.DeliveryQueued
		}
		b := s.boxOf(l.Receipt.Agent)
		b.letters = append(b.letters, &letter{event: l.Event, receipt: l.Receipt})
		if l.Receipt.State == coord.DeliveryExpired {
			b.letters[len(b.letters)-1] = marker(l.Receipt.Agent, l.Event, l.Event.Seq)
		}
	}
	for id, b := range s.mail {
		b.letters = trim(bind(id, b.letters))
	}
}

// bind joins neighbouring markers.
func bind(id coord.AgentID, in []*letter) []*letter {
	var out []*letter
	for _, l := range in {
		if n := len(out); n > 0 && l.marker && out[n-1].marker {
			out[n-1] = marker(id, l.event, out[n-1].from())
			continue
		}
		out = append(out, l)
	}
	return out
}

// trim leaves out what has been seen at the front.
func trim(in []*letter) []*letter {
	for len(in) > 0 && in[0].receipt.State == coord.DeliverySeen {
		in = in[1:]
	}
	return in
}

// marker stands for the events from..ev.Seq, which are gone.
func marker(id coord.AgentID, ev coord.Event, from coord.Seq) *letter {
	body := mustJSON(coord.Resync{From: from, To: ev.Seq})
	return &letter{marker: true, receipt: coord.Receipt{Agent: id, Seq: ev.Seq, State: coord.DeliveryQueued},
		event: coord.Event{Seq: ev.Seq, Kind: coord.KindResync, Project: ev.Project, Time: ev.Time, Priority: coord.Medium, Payload: body}}
}

func (l *letter) from() coord.Seq {
	var r coord.Resync
	if !l.marker || json.Unmarshal(l.event.Payload, &r) != nil {
		return l.event.Seq
	}
	return r.From
}

// drop puts a new event into an agent's mailbox. When it is full, the oldest
// event expires: a marker says so.
func (t *txn) drop(to coord.AgentID, ev coord.Event) {
	b := t.boxOf(to)
	t.putLetters(b, append(b.letters, &letter{event: ev, receipt: coord.Receipt{Agent: to, Seq: ev.Seq, State: coord.DeliveryQueued}}))
	if len(b.letters) <= maxMail {
		return
	}
	oldest := b.letters[0]
	from, next := oldest.from(), oldest
	rest := b.letters[1:]
	if oldest.marker {
		next, rest = rest[0], rest[1:]
	}
	gone := next.receipt
	gone.State, gone.At = coord.DeliveryExpired, t.now
	t.changes.Receipts = append(t.changes.Receipts, gone)
	t.putLetters(b, append([]*letter{marker(to, next.event, from)}, rest...))
}

func (t *txn) putLetters(b *mailbox, next []*letter) {
	old := b.letters
	b.letters = next
	t.undo = append(t.undo, func() { b.letters = old })
}

// demand is what somebody who can hand out news asks for.
type demand struct {
	rung   coord.Rung
	max    int
	bytes  int            // of the events' wire form; 0 = any; the first has its place in any case
	thread coord.ThreadID // only news of this thread; "" = all
}

// thresholds is how important the most important event must be for a rung to
// speak up. It then gives all, in order.
var thresholds = map[coord.Rung]coord.Priority{
	coord.RungHook: coord.Medium, coord.RungStop: coord.High, coord.RungSocket: coord.High, coord.RungRewake: coord.High, coord.RungChannel: coord.High,
}

var ranks = map[coord.Priority]int{coord.Low: 0, coord.Medium: 1, coord.High: 2}

// carriedByID are the rungs whose events are seen when a prompt with their ids is
// reported, not with the next hook.
var carriedByID = map[coord.Rung]bool{coord.RungSocket: true, coord.RungChannel: true}

// offer gives the events that a rung may hand to an agent now, oldest first, at
// most max, and notes them as offered. It gives none when nothing among them is
// important enough for the rung.
func (t *txn) offer(agent coord.AgentID, rung coord.Rung, max int) []coord.Event {
	return t.give(agent, demand{rung: rung, max: max})
}

func (t *txn) give(agent coord.AgentID, d demand) []coord.Event {
	var out []coord.Event
	chosen := t.choose(agent, d)
	flying := t.flying(agent)
	t.stamp(agent, chosen, func(l *letter) {
		ev := l.event
		ev.Again = l.receipt.Offers > 0
		out = append(out, ev)
		l.receipt.State, l.receipt.Rung, l.receipt.At = coord.DeliveryOffered, d.rung, t.now
		l.receipt.Offers++
		l.calls = flying
	})
	return out
}

// choose lists the seqs that a rung may offer now.
func (t *txn) choose(agent coord.AgentID, d demand) []coord.Seq {
	b := t.mail[agent]
	if b == nil || d.max <= 0 {
		return nil
	}
	var out []coord.Seq
	size, loudest, full := 0, 0, false
	for _, l := range b.letters {
		if d.thread != "" && l.event.Thread != d.thread && !l.marker {
			continue
		}
		if !l.free(t.now) {
			if l.receipt.State == coord.DeliveryOffered {
				break // what follows must not overtake it
			}
			continue
		}
		loudest = max(loudest, ranks[t.priorityFor(agent, &l.event)]) // of what there is no room for, too
		size += l.size()
		if full = full || len(out) == d.max || (d.bytes > 0 && size > d.bytes && len(out) > 0); !full {
			out = append(out, l.receipt.Seq)
		}
	}
	if loudest < ranks[thresholds[d.rung]] {
		return nil
	}
	return out
}

// free reports whether a rung may offer the letter now.
func (l *letter) free(now coord.Millis) bool {
	over := now >= l.receipt.At.Add(offerHold)
	switch l.receipt.State {
	case coord.DeliveryQueued, coord.DeliveryBlocked:
		return true
	case coord.DeliveryOffered:
		return over
	case coord.DeliveryWritten:
		return over && carriedByID[l.receipt.Rung]
	default:
		return false
	}
}

// size is about what an event takes in an answer.
func (l *letter) size() int { return len(l.event.Payload) + 160 }

// unread counts what an agent has not been handed.
func (s *state) unread(agent coord.AgentID) (n int) {
	if b := s.mail[agent]; b != nil {
		for _, l := range b.letters {
			if l.receipt.State == coord.DeliveryQueued || l.receipt.State == coord.DeliveryBlocked {
				n++
			}
		}
	}
	return n
}

// written notes that a rung has handed events to the client: from now on the
// offer counts.
func (t *txn) written(agent coord.AgentID, rung coord.Rung, seqs []coord.Seq) {
	t.stamp(agent, seqs, func(l *letter) {
		switch l.receipt.State {
		case coord.DeliverySeen, coord.DeliveryExpired:
			return
		}
		l.receipt.State, l.receipt.Rung, l.receipt.At = coord.DeliveryWritten, rung, t.now
		l.receipt.Offers = max(l.receipt.Offers, 1)
	})
}

// wroteUpTo notes that everything up to a seq has been handed to the client.
func (t *txn) wroteUpTo(agent coord.AgentID, upTo coord.Seq) {
	var seqs []coord.Seq
	for _, l := range t.boxOf(agent).letters {
		if s := l.receipt.State; l.receipt.Seq <= upTo && s != coord.DeliverySeen && s != coord.DeliveryWritten {
			seqs = append(seqs, l.receipt.Seq)
		}
	}
	t.written(agent, coord.RungPoll, seqs)
}

// withdrawn notes that offers were not handed out: they are made again at once.
func (t *txn) withdrawn(agent coord.AgentID, seqs []coord.Seq) {
	t.stamp(agent, seqs, func(l *letter) {
		if l.receipt.State == coord.DeliveryOffered || l.receipt.State == coord.DeliveryWritten {
			l.receipt.State, l.receipt.At = coord.DeliveryQueued, t.now
		}
	})
}

// lapsed notes that offers by some rungs have come to nothing, without a report:
// they are made again. No seqs are all.
func (t *txn) lapsed(agent coord.AgentID, seqs []coord.Seq, rungs ...coord.Rung) {
	var gone []coord.Seq
	for _, l := range t.boxOf(agent).letters {
		if l.receipt.State == coord.DeliveryOffered && slices.Contains(rungs, l.receipt.Rung) && (seqs == nil || slices.Contains(seqs, l.receipt.Seq)) {
			gone = append(gone, l.receipt.Seq)
		}
	}
	t.withdrawn(agent, gone)
}

// byShim are the rungs whose writer is the client's own shim.
var byShim = map[coord.Rung]bool{coord.RungResult: true, coord.RungPoll: true, coord.RungSocket: true, coord.RungChannel: true}

// bereft notes that a shim begins anew for an agent: what the one before it was
// handing out, or had written to a client that never came back, is offered again.
func (t *txn) bereft(agent coord.AgentID) {
	var seqs []coord.Seq
	for _, l := range t.boxOf(agent).letters {
		if byShim[l.receipt.Rung] {
			seqs = append(seqs, l.receipt.Seq)
		}
	}
	t.withdrawn(agent, seqs)
}

// progress notes that the client's main thread has come back: what was written
// before, with no tool call in flight that began before it, has been seen.
func (t *txn) progress(agent coord.AgentID) {
	t.see(agent, func(l *letter) bool {
		return l.receipt.State == coord.DeliveryWritten && !carriedByID[l.receipt.Rung] && !slices.ContainsFunc(l.calls, t.boxOf(agent).inFlight)
	})
}

func (b *mailbox) inFlight(call string) bool { return b.flying[call] }

// carried notes that a prompt has brought events to the model: with each of them
// all that was written with it.
func (t *txn) carried(agent coord.AgentID, ids []coord.EventID) {
	type batch struct {
		rung coord.Rung
		at   coord.Millis
	}
	came := map[batch]bool{}
	for _, l := range t.boxOf(agent).letters {
		if l.receipt.State == coord.DeliveryWritten && slices.Contains(ids, l.event.ID()) {
			came[batch{l.receipt.Rung, l.receipt.At}] = true
		}
	}
	t.see(agent, func(l *letter) bool {
		return l.receipt.State == coord.DeliveryWritten && came[batch{l.receipt.Rung, l.receipt.At}]
	})
}

// handed notes that a client has got everything up to a seq and come back since.
func (t *txn) handed(agent coord.AgentID, upTo coord.Seq) {
	t.see(agent, func(l *letter) bool { return l.receipt.Seq <= upTo })
	if a := t.agents[agent]; a != nil && upTo > a.Seen {
		next := *a
		next.Seen = upTo
		t.putAgent(&next)
	}
}

// see marks letters as seen and moves the agent's position over those at the
// front.
func (t *txn) see(agent coord.AgentID, which func(*letter) bool) {
	b, a := t.mail[agent], t.agents[agent]
	if b == nil || a == nil {
		return
	}
	var seqs []coord.Seq
	for _, l := range b.letters {
		if l.receipt.State != coord.DeliverySeen && which(l) {
			seqs = append(seqs, l.receipt.Seq)
		}
	}
	t.stamp(agent, seqs, func(l *letter) { l.receipt.State, l.receipt.At = coord.DeliverySeen, t.now })
	rest := trim(b.letters)
	n := len(b.letters) - len(rest)
	if n == 0 {
		return
	}
	next := *a
	next.Seen = max(a.Seen, b.letters[n-1].receipt.Seq)
	t.putLetters(b, rest)
	t.putAgent(&next)
}

// stamp changes letters of an agent and stores their receipts.
func (t *txn) stamp(agent coord.AgentID, seqs []coord.Seq, change func(*letter)) {
	b := t.mail[agent]
	if b == nil || len(seqs) == 0 {
		return
	}
	seqs = slices.Sorted(slices.Values(seqs))
	next := slices.Clone(b.letters)
	for i, l := range next {
		if _, named := slices.BinarySearch(seqs, l.receipt.Seq); !named {
			continue
		}
		changed := *l
		change(&changed)
		next[i] = &changed
		if !l.marker {
			t.changes.Receipts = append(t.changes.Receipts, changed.receipt)
		}
	}
	t.putLetters(b, next)
}

// inFlight notes that a tool call of the main thread began or ended. An end
// without an id ends all: the turn is over.
func (t *txn) inFlight(agent coord.AgentID, toolUseID string, begin bool) {
	b := t.boxOf(agent)
	old := b.flying
	next := map[string]bool{}
	if toolUseID != "" {
		for id := range old {
			next[id] = true
		}
		if delete(next, toolUseID); begin {
			next[toolUseID] = true
		}
	}
	b.flying = next
	t.undo = append(t.undo, func() { b.flying = old })
}

func (t *txn) flying(agent coord.AgentID) []string {
	var out []string
	for id := range t.boxOf(agent).flying {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
