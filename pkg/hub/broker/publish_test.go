package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/broker"
)

func TestAnEventGoesToItsTopicAndToEachInbox(t *testing.T) {
	f := start(t, broker.Options{})
	alice, bob := f.connect(t, "ag-alice-1", string(shop), "key-alice"), f.connect(t, "ag-bob-1", string(shop), "key-bob")
	alice.subscribe(t, "coordinator/consultations/#", "coordinator/agents/ag-alice/inbox")
	bob.subscribe(t, "coordinator/agents/ag-bob/inbox")
	p := hub.Publication{
		Event: coord.Event{Seq: 7, Kind: coord.KindMessagePosted, Project: shop, Actor: "ag-bob", Thread: "T-1", Time: 99, Priority: coord.High,
			Payload: []byte(`{"name":"bob","type":"context","content":"hi"}`)},
		Recipients: []hub.InboxEntry{{Agent: "ag-alice", Seq: 7, Prev: 3}, {Agent: "ag-bob", Seq: 7, Prev: 0}, {Agent: "+", Seq: 7}},
	}
	f.Publish([]pub{p})
	public := string(p.Event.Wire("e1"))
	inbox := func(prev coord.Seq) string {
		d := coord.Delivery{Event: p.Event, Prev: prev}
		return string(d.Wire("e1"))
	}
	want := []got{{"coordinator/consultations/T-1/messages", public, false}, {"coordinator/agents/ag-alice/inbox", inbox(3), false}}
	if diff := cmp.Diff(want, []got{receive(t, alice.inbox), receive(t, alice.inbox)}); diff != "" {
		t.Errorf("alice (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(got{"coordinator/agents/ag-bob/inbox", inbox(0), false}, receive(t, bob.inbox)); diff != "" {
		t.Errorf("bob (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(hub.PublisherStats{Connections: 2, Published: 3}, f.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestPrivateKindsReachInboxesOnly(t *testing.T) {
	f := start(t, broker.Options{})
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	alice.subscribe(t, append(all, "coordinator/agents/ag-alice/inbox")...)
	for i, kind := range []coord.EventKind{coord.KindIntrospection, coord.KindAnnounceClosed, coord.KindResync} {
		f.Publish([]pub{event(shop, coord.Seq(i), kind), event(shop, coord.Seq(i), kind, "ag-alice")})
		if m := receive(t, alice.inbox); m.Topic != "coordinator/agents/ag-alice/inbox" {
			t.Errorf("%s went to %s", kind, m.Topic)
		}
	}
}

func TestTheCallersBatchIsItsOwnAgain(t *testing.T) {
	f := start(t, broker.Options{})
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	alice.subscribe(t, "coordinator/broadcast")
	batch := make([]pub, 1)
	for i := range coord.Seq(100) {
		batch[0] = event(shop, i, coord.KindBroadcast)
		f.Publish(batch)
	}
	for i := range coord.Seq(100) {
		if _, d, err := coord.ParseWire([]byte(receive(t, alice.inbox).Payload)); err != nil || d.Seq != i {
			t.Fatalf("got seq %d, want %d (%v)", d.Seq, i, err)
		}
	}
}

func TestAFullQueueDropsAndCounts(t *testing.T) {
	b, err := broker.New(broker.Options{Limits: broker.Limits{Queue: 3}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Broker: b, sessions: newSessions()}
	b.SetSessions(f.sessions)
	for i := range coord.Seq(5) { // nobody drains before Serve, and Publish does not wait
		b.Publish([]pub{event(shop, 2*i, coord.KindAgentStatus), event(shop, 2*i+1, coord.KindAgentStatus)})
	}
	if diff := cmp.Diff(hub.PublisherStats{Dropped: 7}, b.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}

	// What is retained is the newest even so.
	f.tcp = f.listen(t, "tcp", "127.0.0.1:0", false)
	t.Cleanup(func() { stop(t, b) })
	alice := connect(t, options(f.dialTCP, "ag-alice-1", string(shop), "key-alice"))
	alice.subscribe(t, "coordinator/agents/+/status")
	for m := receive(t, alice.inbox); !m.Retained; m = receive(t, alice.inbox) {
		continue // one of the three that were queued
	}
	f.Publish([]pub{event(shop, 50, coord.KindAgentStatus)})
	receive(t, alice.inbox)
	late := connect(t, options(f.dialTCP, "ag-bob-1", string(shop), "key-bob"))
	late.subscribe(t, "coordinator/agents/+/status")
	if m := receive(t, late.inbox); !m.Retained || !strings.Contains(m.Payload, `"seq":50`) {
		t.Errorf("got %+v", m)
	}
}

func TestAgentStatusIsRetained(t *testing.T) {
	f := start(t, broker.Options{})
	f.SetStatus(shop, "ag-old", []byte(`{"from":"before"}`)) // the rebuild at start
	f.SetStatus(bank, "ag-eve", []byte(`{"from":"elsewhere"}`))
	f.SetStatus(shop, "a/b", []byte(`{"from":"nowhere"}`))
	present := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	present.subscribe(t, "coordinator/agents/+/status")
	old := got{"coordinator/agents/ag-old/status", `{"from":"before"}`, true}
	if diff := cmp.Diff(old, receive(t, present.inbox)); diff != "" {
		t.Errorf("rebuilt (-want +got):\n%s", diff)
	}

	e := event(shop, 4, coord.KindAgentStatus)
	f.Publish([]pub{event(shop, 3, coord.KindAgentStatus), e})
	receive(t, present.inbox)
	live := got{"coordinator/agents/ag-alice/status", string(e.Event.Wire("e1")), false}
	if diff := cmp.Diff(live, receive(t, present.inbox)); diff != "" {
		t.Errorf("live (-want +got):\n%s", diff)
	}

	late := f.connect(t, "ag-bob-2", string(shop), "key-bob")
	late.subscribe(t, "coordinator/agents/+/status")
	live.Retained = true
	if diff := cmp.Diff([]got{live, old}, []got{receive(t, late.inbox), receive(t, late.inbox)}); diff != "" {
		t.Errorf("late (-want +got):\n%s", diff)
	}

	f.ClearStatus(shop, "ag-alice")
	f.ClearStatus(shop, "ag-nobody")
	f.ClearStatus("no/such", "ag-alice")
	last := f.connect(t, "ag-bob-3", string(shop), "key-bob")
	last.subscribe(t, "coordinator/agents/ag-alice/status", "coordinator/agents/+/status")
	if diff := cmp.Diff(old, receive(t, last.inbox)); diff != "" {
		t.Errorf("cleared (-want +got):\n%s", diff)
	}
	f.Publish([]pub{event(shop, 5, coord.KindAgentStatus)})
	for name, c := range map[string]*client{"present": present, "late": late, "last": last} {
		if m := receive(t, c.inbox); !strings.Contains(m.Payload, `"seq":5`) { // no empty message for the cleared one
			t.Errorf("%s got %+v", name, m)
		}
	}
}

func TestRetainHandlingOfMQTT5(t *testing.T) {
	f := start(t, broker.Options{})
	f.SetStatus(shop, "ag-old", []byte(`{"retained":true}`))
	w := newWire(t, 5, f.dialUnix)
	w.login("ag-bob-1", "", "key-bob")
	subscribe := func(handling byte, asPublished bool) {
		w.subscribe(packets.Subscription{Filter: "coordinator/agents/+/status", RetainHandling: handling, RetainAsPublished: asPublished})
	}
	seq := coord.Seq(0)
	expect := func(what string, retained, live bool) {
		t.Helper()
		if retained {
			if pk := w.must(packets.Publish); !pk.FixedHeader.Retain || string(pk.Payload) != `{"retained":true}` {
				t.Errorf("%s: got %s", what, pk.Payload)
			}
		}
		seq++
		p := event(shop, seq, coord.KindAgentStatus)
		f.Publish([]pub{p})
		if pk := w.must(packets.Publish); pk.FixedHeader.Retain != live || string(pk.Payload) != string(p.Event.Wire("e1")) {
			t.Errorf("%s: live message %s, retain flag %t", what, pk.Payload, pk.FixedHeader.Retain)
		}
		f.ClearStatus(shop, "ag-alice")
	}
	subscribe(2, false)
	expect("never", false, false)
	subscribe(1, false)
	expect("if new, and it is not", false, false)
	subscribe(0, true)
	expect("always", true, true)
}

// A new subscriber must never be left with an older status than the last one.
func TestARetainedMessageNeverOvertakesANewerOne(t *testing.T) {
	const before = 500 // sent before the one that counts: time for a newer one to overtake them
	f := start(t, broker.Options{Limits: broker.Limits{Pending: 2 * before}})
	e := event(shop, 0, coord.KindAgentStatus)
	for i := range before {
		f.SetStatus(shop, coord.AgentID(fmt.Sprintf("ag-0%03d", i)), e.Event.Wire("e1"))
	}
	for i := range coord.Seq(50) {
		w := newWire(t, 4, f.dialUnix)
		w.login("ag-bob-1", "", "key-bob")
		f.Publish([]pub{event(shop, 10*i+1, coord.KindAgentStatus)})
		w.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 7,
			Filters: packets.Subscriptions{{Filter: "coordinator/agents/+/status"}, {Filter: "coordinator/broadcast"}}})
		w.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
		seen := statusesUntilBroadcast(w, map[byte]func(){
			packets.Suback: func() { // the retained messages are being sent
				f.Publish([]pub{event(shop, 10*i+2, coord.KindAgentStatus), event(shop, 10*i+3, coord.KindAgentStatus)})
			},
			packets.Pingresp: func() { // they are all on their way
				f.Publish([]pub{event(shop, 10*i+4, coord.KindBroadcast)})
			},
		})
		if last := seen[len(seen)-1]; last != 10*i+3 {
			t.Fatalf("round %d: the statuses seen are %v, want %d at the end", i, seen, 10*i+3)
		}
		_ = w.Close()
	}
}

// statusesUntilBroadcast gives the seqs of the status messages that come before
// the broadcast. On other packets it does what is asked for.
func statusesUntilBroadcast(w *wire, on map[byte]func()) []coord.Seq {
	w.t.Helper()
	seen := []coord.Seq{0}
	for {
		pk, err := w.next()
		if err != nil {
			w.t.Fatal(err)
		}
		if do := on[pk.FixedHeader.Type]; do != nil {
			do()
			continue
		}
		_, d, err := coord.ParseWire(pk.Payload)
		if err != nil {
			w.t.Fatal(err)
		}
		if d.Kind == coord.KindBroadcast {
			return seen
		}
		if d.Seq > 0 {
			seen = append(seen, d.Seq)
		}
	}
}

func TestTheEpochMayBeSetAfterTheFirstPublish(t *testing.T) {
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Broker: b, sessions: newSessions()}
	b.Publish([]pub{event(shop, 1, coord.KindAgentStatus)}) // the hub's start may do this
	b.SetSessions(f.sessions)
	b.SetEpoch("e2")
	f.tcp = f.listen(t, "tcp", "127.0.0.1:0", false)
	t.Cleanup(func() { stop(t, b) })
	alice := connect(t, options(f.dialTCP, "ag-alice-1", string(shop), "key-alice"))
	alice.subscribe(t, "coordinator/agents/+/status")
	if epoch, _, err := coord.ParseWire([]byte(receive(t, alice.inbox).Payload)); err != nil || epoch != "e2" {
		t.Errorf("epoch %q, %v", epoch, err)
	}
}
