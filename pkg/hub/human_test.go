package hub_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

// operator gives the context of the person behind the agents.
func operator() context.Context {
	return coord.WithCaller(context.Background(), coord.Caller{Member: "mia", Operator: true})
}

func release(path string) coord.PathRelease {
	return coord.PathRelease{Project: "shop", Workspace: "host-1:/shop", Path: path}
}

// working gives two agents in a turn, as clients with hooks are.
func working(t *testing.T) (*rig, *agent, *agent) {
	r := newRig(t)
	a, b := r.named("alice"), r.named("bob")
	a.call("turn", object{"event": "begin"})
	b.call("turn", object{"event": "begin"})
	return r, a, b
}

// inbox gives what an agent was sent, without the presence of others.
func (a *agent) inbox() []coord.Delivery {
	a.r.t.Helper()
	var out []coord.Delivery
	for _, line := range a.call("sync", object{"epoch": a.Epoch, "after": 0, "limit": 200})["events"].([]any) {
		raw, _ := json.Marshal(line)
		_, d, err := coord.ParseWire(raw)
		if err != nil {
			a.r.t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// last gives the newest event of a kind in an agent's inbox.
func (a *agent) last(kind coord.EventKind) coord.Delivery {
	a.r.t.Helper()
	events := a.inbox()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Kind == kind {
			return events[i]
		}
	}
	a.r.t.Fatalf("%s has no %s among %d events", a.Name, kind, len(events))
	return coord.Delivery{}
}

func TestAPersonFreesAHeldFile(t *testing.T) {
	r, a, b := working(t)
	if !a.acquire("x.go") || b.acquire("x.go") {
		t.Fatal("alice should hold x.go and bob be refused")
	}
	look := release("x.go")
	look.Look = true
	looked, err := r.ReleasePath(operator(), look, "")
	if err != nil || b.acquire("x.go") || len(a.inbox()) > 1 {
		t.Errorf("a look (%v) frees the file or tells alice: %+v", err, a.inbox())
	}
	got, err := r.ReleasePath(operator(), release("x.go"), "")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "looked", looked, got)
	want(t, "freed", got, coord.Freed{Path: got.Path, Leases: []coord.LeaseID{"L-1"}, Announcements: []coord.AnnouncementID{}, Reserved: []coord.AgentID{},
		Holders: []coord.Holder{{Name: "alice", Right: "holds it", Since: got.Holders[0].Since, State: coord.Busy}}, Told: []string{"alice"}, First: "bob"})
	told := a.last(coord.KindFileReleased)
	if told.Actor != "human:mia" || told.Priority != coord.High || !strings.Contains(string(told.Payload), `"by":"human:mia"`) {
		t.Errorf("alice hears %+v %s", told, told.Payload)
	}
	b.last(coord.KindPathFree)
	if a.acquire("x.go") {
		t.Error("alice takes the file back before bob, who waits")
	}
	if !b.acquire("x.go") {
		t.Error("bob is refused although a person freed the file")
	}
}

func TestAPersonTakesTheRightOfWayForOneFile(t *testing.T) {
	r, a, b := working(t)
	a.announce("x.go", "y.go")
	if b.acquire("x.go") || b.acquire("y.go") {
		t.Fatal("alice announced both files earlier")
	}
	got, err := r.ReleasePath(operator(), release("x.go"), "")
	if err != nil || len(got.Announcements) != 1 || got.First != "bob" {
		t.Fatalf("%+v, %v", got, err)
	}
	if !b.acquire("x.go") {
		t.Error("bob is refused the file a person freed")
	}
	if b.acquire("y.go") {
		t.Error("bob gets a file that nobody freed")
	}
	r.stop()
	r.start(nil)
	if !b.acquire("x.go") {
		t.Error("a restart of the hub forgets the person's act")
	}
}

func TestAPersonEndsAReservation(t *testing.T) {
	r, a, b := working(t)
	c := r.named("carol")
	c.call("turn", object{"event": "begin"})
	a.acquire("x.go")
	b.acquire("x.go")
	c.acquire("x.go")
	a.call("turn", object{"event": "end"}) // kept for bob now
	if c.acquire("x.go") {
		t.Fatal("the file is kept for bob")
	}
	got, err := r.ReleasePath(operator(), release("x.go"), "")
	if err != nil || len(got.Reserved) != 1 || got.First != "carol" {
		t.Fatalf("%+v, %v", got, err)
	}
	if !c.acquire("x.go") {
		t.Error("carol is refused")
	}
}

func TestReleaseOfNothingSaysSo(t *testing.T) {
	r, _, _ := working(t)
	if _, err := r.ReleasePath(operator(), release("x.go"), ""); coord.CodeOf(err) != coord.NotFound {
		t.Errorf("a free file: %v", err)
	}
	if _, err := r.ReleaseLease(operator(), "L-9", ""); coord.CodeOf(err) != coord.NotFound {
		t.Errorf("an unknown lease: %v", err)
	}
	if _, err := r.ReleasePath(operator(), release("../x"), ""); coord.CodeOf(err) != coord.Invalid {
		t.Errorf("a path outside: %v", err)
	}
}

func TestReleaseStaysInItsWorkspace(t *testing.T) {
	r, a, _ := working(t)
	reg := registration("dora")
	reg.Workspace = "host-1:/other"
	d := r.join(reg)
	d.call("turn", object{"event": "begin"})
	a.acquire("x.go")
	d.acquire("x.go")
	got, err := r.ReleasePath(operator(), release("x.go"), "")
	want(t, "freed", got.Told, []string{"alice"})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASessionIsNoPerson(t *testing.T) {
	r, a, _ := working(t)
	a.acquire("x.go")
	for name, act := range map[string]func() error{
		"look at path": func() error {
			_, err := r.ReleasePath(a.ctx, coord.PathRelease{Project: "shop", Path: "x.go", Look: true}, "")
			return err
		},
		"release path":  func() error { _, err := r.ReleasePath(a.ctx, release("x.go"), ""); return err },
		"release lease": func() error { _, err := r.ReleaseLease(a.ctx, "L-1", ""); return err },
		"post":          func() error { _, err := r.PostAsHuman(a.ctx, "T-1", coord.HumanPost{Content: "hi"}, ""); return err },
		"close":         func() error { _, err := r.CloseAsHuman(a.ctx, "T-1", coord.HumanClose{}, ""); return err },
	} {
		if err := act(); coord.CodeOf(err) != coord.Forbidden {
			t.Errorf("%s by a session: %v", name, err)
		}
	}
}

func TestAPersonPostsAndCloses(t *testing.T) {
	r, a, b := consult(t)
	m, err := r.PostAsHuman(operator(), "T-1", coord.HumanPost{Content: "bob goes first"}, "once")
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.PostAsHuman(operator(), "T-1", coord.HumanPost{Content: "bob goes first"}, "once")
	if err != nil || again.MessageID != m.MessageID {
		t.Errorf("a repeated post: %+v, %v", again, err)
	}
	for _, who := range []*agent{a, b} {
		if d := who.last(coord.KindMessagePosted); d.Actor != "human:mia" || d.Priority != coord.High {
			t.Errorf("%s hears %+v", who.Name, d)
		}
	}
	if _, err := r.PostAsHuman(operator(), "T-1", coord.HumanPost{Content: strings.Repeat("x", 4001)}, ""); coord.CodeOf(err) != coord.TooLarge {
		t.Errorf("a long post: %v", err)
	}
	v, err := r.CloseAsHuman(operator(), "T-1", coord.HumanClose{Summary: "settled by hand"}, "")
	if err != nil || v.Status != coord.ThreadResolved || v.Type != coord.ClosedByHand {
		t.Fatalf("%+v, %v", v, err)
	}
	if d := a.last(coord.KindThreadStatus); d.Actor != "human:mia" || !strings.Contains(string(d.Payload), "settled by hand") {
		t.Errorf("alice hears %+v %s", d, d.Payload)
	}
	if _, err := r.CloseAsHuman(operator(), "T-1", coord.HumanClose{}, ""); coord.CodeOf(err) != coord.Conflict {
		t.Errorf("closed twice: %v", err)
	}
	if m, err := r.PostAsHuman(operator(), "T-1", coord.HumanPost{Content: "late"}, ""); err != nil || !m.Late {
		t.Errorf("a late comment: %+v, %v", m, err)
	}
	if _, err := r.PostAsHuman(operator(), "T-7", coord.HumanPost{Content: "hi"}, ""); coord.CodeOf(err) != coord.NotFound {
		t.Errorf("no such thread: %v", err)
	}
}

func TestClosingAnOfferedTaskWithdrawsIt(t *testing.T) {
	r, a, b := working(t)
	id := a.call("announce_work", object{"subject": "port", "target_files": []string{"p.go"}, "keep_open": true})["thread_id"].(string)
	b.call("claim_task", object{"thread_id": id})
	if _, err := r.CloseAsHuman(operator(), coord.ThreadID(id), coord.HumanClose{}, ""); err != nil {
		t.Fatal(err)
	}
	b.refused(coord.Conflict, "complete_task", object{"thread_id": id})
	if !a.acquire("p.go") {
		t.Error("the withdrawn task still has right of way")
	}
}

func TestNoAgentTakesAPersonsName(t *testing.T) {
	r := newRig(t)
	if a := r.named("Human:mia"); strings.HasPrefix(strings.ToLower(a.Name), "human:") {
		t.Errorf("an agent registers as %q", a.Name)
	}
}
