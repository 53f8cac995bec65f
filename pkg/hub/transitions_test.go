package hub

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/coord"
)

// step is one thing that can happen to a consultation.
type step struct {
	act string // propose, approve, contest, leave, time
	who coord.AgentID
	arg int // approve, contest: number of the proposal, 0 = the current one; time: seconds
}

// play applies a step with the real transitions.
func (s step) play(th coord.Thread, now coord.Millis) (coord.Thread, error) {
	switch s.act {
	case "propose":
		return propose(th, s.who, "summary", nil, now)
	case "approve":
		return approve(th, s.who, s.arg, now)
	case "contest":
		return contest(th, s.who, s.arg, "reason", now)
	case "leave":
		return dropAgent(th, s.who, now), nil
	default:
		return expire(th, now), nil
	}
}

// model is a consultation written down as plainly as possible: who is in, who
// has said yes to the newest proposal, and how it ended.
type model struct {
	in       map[coord.AgentID]bool
	yes      map[coord.AgentID]bool
	proposal int  // number of the newest
	onTable  bool // it is up for approval
	round    int
	since    coord.Millis // start of the round
	over     string       // how it ended; empty while live
}

// play gives whether the step is allowed.
func (m *model) play(s step, now coord.Millis) bool {
	switch s.act {
	case "time":
		if m.over == "" && now >= m.since+600_000 {
			m.over = "expired"
		}
		return true
	case "leave":
		if m.over != "" || !m.in[s.who] {
			return true
		}
		if s.who == "init" {
			m.over = "abandoned"
			return true
		}
		delete(m.in, s.who)
		if len(m.in) == 1 {
			m.over = "resolved/uncontested"
		} else {
			m.count()
		}
		return true
	}
	if m.over != "" || !m.in[s.who] {
		return false
	}
	if s.act == "propose" {
		m.proposal++
		m.onTable, m.yes = true, map[coord.AgentID]bool{s.who: true}
		m.count()
		return true
	}
	if !m.onTable || (s.arg != 0 && s.arg != m.proposal) {
		return false
	}
	if s.act == "approve" {
		m.yes[s.who] = true
		m.count()
		return true
	}
	m.onTable = false
	if m.round == 4 {
		m.over = "unresolved"
	} else {
		m.round, m.since = m.round+1, now
	}
	return true
}

func (m *model) count() {
	for who := range m.in {
		if !m.onTable || !m.yes[who] {
			return
		}
	}
	m.over = "resolved/consensus"
}

// said words a thread's state the way the model does.
func said(th coord.Thread) string {
	switch {
	case th.Status.Live():
		return ""
	case th.Resolution != "":
		return string(th.Status) + "/" + string(th.Resolution)
	default:
		return string(th.Status)
	}
}

// checks is how many sequences a property test of the rule book plays.
const checks = 20_000

func TestThreadsBehaveLikeTheModel(t *testing.T) {
	who := rapid.SampledFrom([]coord.AgentID{"init", "r1", "r2", "stranger"})
	played := 0
	for played < checks {
		rapid.Check(t, func(t *rapid.T) {
			played++
			now := coord.Millis(1_000)
			respondents := []coord.AgentID{"r1", "r2"}[:rapid.IntRange(1, 2).Draw(t, "respondents")]
			th := coord.Thread{ID: "T-1", Initiator: "init", Respondents: slices.Clone(respondents), Status: coord.ThreadOpen, Round: 1, Deadline: now.Add(roundTime)}
			m := &model{in: map[coord.AgentID]bool{"init": true}, round: 1, since: now}
			for _, r := range respondents {
				m.in[r] = true
			}
			for range rapid.IntRange(1, 20).Draw(t, "steps") {
				s := step{rapid.SampledFrom([]string{"propose", "propose", "approve", "approve", "contest", "leave", "time"}).Draw(t, "act"),
					who.Draw(t, "who"), rapid.IntRange(0, 3).Draw(t, "arg")}
				if s.act == "time" {
					now = now.Add(roundTime / 3)
				}
				before := fmt.Sprint(th)
				next, err := s.play(th, now)
				if fmt.Sprint(th) != before {
					t.Fatalf("%v changed its argument", s)
				}
				if allowed := m.play(s, now); allowed != (err == nil) {
					t.Fatalf("%v: %v, the model allows it: %v", s, err, allowed)
				}
				if err == nil {
					th = next
				}
				if said(th) != m.over || (m.over == "" && th.Round != m.round) {
					t.Fatalf("after %v: %q round %d, the model says %q round %d", s, said(th), th.Round, m.over, m.round)
				}
				if th.Status.Live() == (th.Ended != 0) {
					t.Fatalf("after %v: status %s with end %d", s, th.Status, th.Ended)
				}
			}
		})
	}
}
