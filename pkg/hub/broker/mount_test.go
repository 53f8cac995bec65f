package broker_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
)

// all is what an operator may read.
var all = []string{"coordinator/consultations/#", "coordinator/agents/+/status", "coordinator/agents/+/out", "coordinator/files/#",
	"coordinator/broadcast", "coordinator/quota/#"}

func TestTwoProjectsNeverMeet(t *testing.T) {
	f := start(t, broker.Options{})
	inShop, inBank := f.connect(t, "s", string(shop), token), f.connect(t, "b", string(bank), token)
	inShop.subscribe(t, all...)
	inBank.subscribe(t, all...)

	kinds := []coord.EventKind{coord.KindThreadOpened, coord.KindMessagePosted, coord.KindThreadStatus, coord.KindThreadClaimed,
		coord.KindThreadCompleted, coord.KindAgentStatus, coord.KindFileEdited, coord.KindFileLeased, coord.KindFileReleased, coord.KindBroadcast}
	for i, kind := range kinds {
		f.Publish([]pub{event(shop, coord.Seq(2*i), kind), event(bank, coord.Seq(2*i+1), kind)})
	}
	for i, kind := range kinds {
		for at, c := range []*client{inShop, inBank} {
			m := receive(t, c.inbox)
			_, d, err := coord.ParseWire([]byte(m.Payload))
			if want := coord.Seq(2*i + at); err != nil || d.Seq != want || d.Kind != kind {
				t.Errorf("got %+v, want seq %d of %s", m, want, kind)
			}
		}
	}

	// What clients publish stays in their project too.
	inShop.publish(t, "coordinator/broadcast", 0, false, `{"n":1}`)
	inBank.publish(t, "coordinator/broadcast", 0, false, `{"n":2}`)
	for c, project := range map[*client]coord.ProjectID{inShop: shop, inBank: bank} {
		_, d, err := coord.ParseWire([]byte(receive(t, c.inbox).Payload))
		if err != nil || d.Project != project {
			t.Errorf("%s got %s, %v", project, d.Payload, err)
		}
	}
}

func TestAnInboxIsOfItsProject(t *testing.T) {
	f := start(t, broker.Options{})
	f.sessions.keys["key-twin"] = coord.Caller{Agent: "ag-alice", Project: bank} // the same agent id in another project
	alice, twin := f.connect(t, "ag-alice-1", string(shop), "key-alice"), f.connect(t, "ag-alice-1", string(bank), "key-twin")
	for _, c := range []*client{alice, twin} {
		if got := c.subscribe(t, "coordinator/agents/ag-alice/#"); got["coordinator/agents/ag-alice/#"] != 0 {
			t.Fatalf("granted %v", got)
		}
	}
	f.Publish([]pub{event(bank, 1, coord.KindResync, "ag-alice"), event(shop, 2, coord.KindResync, "ag-alice"), event(bank, 3, coord.KindResync, "ag-alice")})
	for _, want := range []struct {
		c   *client
		seq coord.Seq
	}{{twin, 1}, {alice, 2}, {twin, 3}} {
		m := receive(t, want.c.inbox)
		if _, d, err := coord.ParseWire([]byte(m.Payload)); err != nil || d.Seq != want.seq || m.Topic != "coordinator/agents/ag-alice/inbox" {
			t.Errorf("got %+v, want seq %d", m, want.seq)
		}
	}
}

func TestUnsubscribeEndsTheSubscriptionOfOneProject(t *testing.T) {
	f := start(t, broker.Options{})
	inShop, inBank := f.connect(t, "s", string(shop), token), f.connect(t, "b", string(bank), token)
	for _, c := range []*client{inShop, inBank} {
		c.subscribe(t, "coordinator/files/#", "coordinator/broadcast")
	}
	if err := await(inShop.Unsubscribe("coordinator/files/#")); err != nil {
		t.Fatal(err)
	}
	f.Publish([]pub{event(shop, 1, coord.KindFileEdited), event(bank, 2, coord.KindFileEdited), event(shop, 3, coord.KindBroadcast)})
	if m := receive(t, inShop.inbox); m.Topic != "coordinator/broadcast" {
		t.Errorf("shop still gets %s", m.Topic)
	}
	if m := receive(t, inBank.inbox); m.Topic != "coordinator/files/edited" {
		t.Errorf("bank got %s", m.Topic)
	}

	// Unsubscribing is answered truly.
	w := newWire(t, 5, f.dialUnix)
	w.login("w", string(shop), token)
	w.subscribe(packets.Subscription{Filter: "coordinator/quota/update"})
	for _, want := range []byte{packets.CodeSuccess.Code, packets.CodeNoSubscriptionExisted.Code} {
		w.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 8,
			Filters: packets.Subscriptions{{Filter: "coordinator/quota/update"}}})
		if diff := cmp.Diff([]byte{want}, w.must(packets.Unsuback).ReasonCodes); diff != "" {
			t.Errorf("UNSUBACK (-want +got):\n%s", diff)
		}
	}
}

// One packet goes to many subscribers; each encodes it for itself.
func TestEverySubscriberSeesThePlainTopic(t *testing.T) {
	f := start(t, broker.Options{})
	const subscribers, messages = 20, 50
	var clients []*client
	for i := range subscribers {
		c := f.connect(t, fmt.Sprintf("c%d", i), string(shop), token)
		c.subscribe(t, []string{"coordinator/broadcast", "coordinator/+/#", "coordinator/broadcast/#"}[i%2*2])
		clients = append(clients, c)
	}
	for i := range coord.Seq(messages) {
		f.Publish([]pub{event(shop, i+1, coord.KindBroadcast)})
	}
	for _, c := range clients {
		for i := range coord.Seq(messages) {
			m := receive(t, c.inbox)
			if _, d, err := coord.ParseWire([]byte(m.Payload)); err != nil || m.Topic != "coordinator/broadcast" || d.Seq != i+1 {
				t.Fatalf("got %+v, want seq %d", m, i+1)
			}
		}
	}
}

func TestAProjectIDMayHoldWildcards(t *testing.T) {
	f := start(t, broker.Options{})
	odd := f.connect(t, "odd", "+/#", token)
	odd.subscribe(t, "coordinator/broadcast")
	f.Publish([]pub{event(shop, 1, coord.KindBroadcast), event("+/#", 2, coord.KindBroadcast)})
	if _, d, err := coord.ParseWire([]byte(receive(t, odd.inbox).Payload)); err != nil || d.Seq != 2 {
		t.Errorf("got seq %d, %v", d.Seq, err)
	}
}
