package hub_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// DESIGN 6 promises: nothing is lost or out of order; a confirmed event is never
// shown again; an unconfirmed one may be, with the same seq and again, at most
// one batch per kill. Ten thousand events go through hooks and shims that are
// killed before and after they write, and hubs that are replaced on the same
// database.
func TestThePromiseOfDeliveryHoldsWhateverIsKilled(t *testing.T) {
	events := 10_000
	if testing.Short() {
		events = 1000
	}
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("COORD_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("COORD_SEED=%d", seed)
	r, a := silent(t)
	m := &model{t: t, r: r, a: a, rng: rand.New(rand.NewPCG(seed, 2)), shown: map[coord.Seq]int{}, confirmed: map[coord.Seq]bool{}}
	for sent := 0; sent < events; {
		n := 1 + m.rng.IntN(40)
		a.tell(min(n, events-sent), []coord.Priority{coord.Low, coord.Medium, coord.High}[m.rng.IntN(3)])
		sent += n
		for range 1 + m.rng.IntN(3) {
			m.step()
		}
	}
	for range 2 * events { // until nothing is left
		if m.give(coord.RungPrompt, survives) == 0 {
			break
		}
	}
	m.comeBack()
	m.check(events)
}

// fate is when the process that hands news out is killed.
type fate int

const (
	survives fate = iota
	diesBeforeWriting
	diesBeforeReporting
)

// model is a client's model and the processes that bring it news.
type model struct {
	t   *testing.T
	r   *rig
	a   *agent
	rng *rand.Rand

	shown     map[coord.Seq]int  // how often
	confirmed map[coord.Seq]bool // written, and said so
	newest    coord.Seq          // of the first showings
	repeats   int
	allowed   int // repeats that the kills so far explain
	kills     int
	restarts  int
}

func (m *model) step() {
	m.t.Helper()
	rungs := []coord.Rung{coord.RungResult, coord.RungHook, coord.RungPrompt, coord.RungStop, coord.RungPoll}
	rung := rungs[m.rng.IntN(len(rungs))]
	switch n := m.rng.IntN(100); {
	case n < 2:
		m.restarts++
		m.r.stop()
		m.r.start(nil)
	case n < 10:
		m.give(rung, diesBeforeWriting)
	case n < 18:
		m.give(rung, diesBeforeReporting)
	default:
		m.comeBack()
		m.give(rung, survives)
	}
}

// give lets a process hand out what the hub offers it, and gives the number of
// events offered.
func (m *model) give(rung coord.Rung, f fate) int {
	m.t.Helper()
	out := m.a.call("offer", object{"rung": rung, "max": 1 + m.rng.IntN(30)})
	events := out["events"].([]any)
	var seqs []coord.Seq
	for _, e := range events {
		seqs = append(seqs, coord.Seq(e.(object)["seq"].(float64)))
	}
	if f != diesBeforeWriting {
		for i, e := range events {
			m.see(seqs[i], e.(object)["again"] == true)
		}
	}
	switch f {
	case survives:
		m.a.wrote(rung, seqs...)
		for _, s := range seqs {
			m.confirmed[s] = true
		}
	case diesBeforeReporting:
		m.allowed += len(seqs)
		fallthrough
	default:
		m.kills++
		if m.rng.IntN(2) == 0 {
			m.r.pass(30 * time.Second)
		} else {
			for range 3 { // others come before the offer lapses
				m.comeBack()
				if n := m.peek(); len(seqs) > 0 && n > 0 {
					m.t.Fatalf("%d events were offered although %v are in hand", n, seqs)
				}
			}
			m.r.pass(31 * time.Second)
		}
	}
	return len(events)
}

// peek asks for news and gives them back; it gives how many there were.
func (m *model) peek() int {
	m.t.Helper()
	return len(m.a.call("offer", object{"rung": "poll", "max": 1})["events"].([]any))
}

// comeBack is the next hook of the main thread.
func (m *model) comeBack() {
	m.t.Helper()
	m.a.call("written", object{"progress": true})
	for _, r := range m.r.Receipts(m.a.AgentID) {
		if r.State == coord.DeliveryWritten {
			m.t.Fatalf("event %d was written before and is not seen", r.Seq)
		}
		if m.confirmed[r.Seq] && r.State != coord.DeliverySeen {
			m.t.Fatalf("the receipt of event %d says %s; it was written", r.Seq, r.State)
		}
	}
}

func (m *model) see(s coord.Seq, again bool) {
	m.t.Helper()
	switch {
	case m.confirmed[s]:
		m.t.Fatalf("event %d is shown again although it was confirmed", s)
	case m.shown[s] > 0 && !again:
		m.t.Fatalf("event %d is shown again without saying so", s)
	case m.shown[s] == 0 && s <= m.newest:
		m.t.Fatalf("event %d comes after %d", s, m.newest)
	case m.shown[s] > 0:
		m.repeats++
	}
	m.shown[s]++
	m.newest = max(m.newest, s)
}

func (m *model) check(events int) {
	m.t.Helper()
	m.t.Logf("%d events, %d kills, %d hubs replaced, %d shown again", events, m.kills, m.restarts, m.repeats)
	if len(m.shown) != events || len(m.confirmed) != events {
		m.t.Errorf("%d events were shown and %d confirmed of %d", len(m.shown), len(m.confirmed), events)
	}
	if m.repeats > m.allowed {
		m.t.Errorf("%d repetitions, the kills explain %d", m.repeats, m.allowed)
	}
	if left := m.a.receipts(); left != "" {
		m.t.Errorf("not seen: %.200s", left)
	}
	if out := m.a.call("sync", object{}); out["seen"] != out["head"] {
		m.t.Errorf("seen up to %v of %v", out["seen"], out["head"])
	}
	if m.kills == 0 || m.repeats == 0 || (m.restarts == 0 && events > 1000) {
		m.t.Error("nothing was killed: the test proves nothing")
	}
}
