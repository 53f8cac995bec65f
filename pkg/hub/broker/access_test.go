package broker_test

import (
	"encoding/json"
	"strings"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
	"github.com/coordhq/coord/pkg/topic"
)

const refused byte = 0x80

func TestSubscribe(t *testing.T) {
	f := start(t, broker.Options{})
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	operator := f.connect(t, "mine", string(shop), token)
	tests := []struct {
		filter          string
		alice, operator byte // granted QoS 0, though 1 was asked for
	}{
		{"coordinator/agents/ag-alice/inbox", 0, refused},
		{"coordinator/agents/+/status", 0, 0},
		{"coordinator/consultations/#", 0, 0},
		{"coordinator/files/+", 0, 0},
		{"coordinator/broadcast", 0, 0},
		{"coordinator/agents/ag-bob/inbox", refused, refused},
		{"coordinator/agents/+/inbox", refused, refused},
		{"coordinator/agents/#", refused, refused},
		{"coordinator/#", refused, refused},
		{"#", refused, refused},
		{"+/+/+/+", refused, refused},
		{"$SYS/#", refused, refused},
		{"$SYS/broker/version", refused, refused},
		{"$share/g/coordinator/broadcast", refused, refused},
		{"$SHARE/g/coordinator/agents/ag-bob/inbox", refused, refused},
		{"p/+/coordinator/broadcast", refused, refused},
		{"c/#", refused, refused},
	}
	for _, tt := range tests {
		if got := alice.subscribe(t, tt.filter)[tt.filter]; got != tt.alice {
			t.Errorf("alice, %s: %#x", tt.filter, got)
		}
		if got := operator.subscribe(t, tt.filter)[tt.filter]; got != tt.operator {
			t.Errorf("operator, %s: %#x", tt.filter, got)
		}
	}
}

func TestARefusedSubscriptionReceivesNothing(t *testing.T) {
	f := start(t, broker.Options{})
	bob := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	bob.subscribe(t, "coordinator/agents/ag-alice/inbox", "coordinator/agents/+/inbox", "#", "coordinator/#", "coordinator/agents/ag-bob/inbox")
	f.Publish([]pub{event(shop, 1, coord.KindResync, "ag-alice"), event(shop, 2, coord.KindResync, "ag-alice", "ag-bob")})
	if m := receive(t, bob.inbox); m.Topic != "coordinator/agents/ag-bob/inbox" {
		t.Errorf("bob got %s", m.Topic)
	}
}

func TestFiltersPerConnectionAreLimited(t *testing.T) {
	f := start(t, broker.Options{Limits: broker.Limits{Subscriptions: 2}})
	w := newWire(t, 4, f.dialUnix)
	w.login("ag-alice-1", "", "key-alice")
	files, news := packets.Subscription{Filter: "coordinator/files/#"}, packets.Subscription{Filter: "coordinator/consultations/new"}
	if diff := cmp.Diff([]byte{0, 0, refused}, w.subscribe(files, news, packets.Subscription{Filter: "coordinator/broadcast"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]byte{0, 0}, w.subscribe(news, files)); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
}

// hubTopics are all that only the hub publishes on.
var hubTopics = []string{
	"coordinator/consultations/new",
	"coordinator/consultations/T-1/messages",
	"coordinator/consultations/T-1/status",
	"coordinator/consultations/T-1/claimed",
	"coordinator/consultations/T-1/completed",
	"coordinator/agents/ag-bob/status",
	"coordinator/agents/ag-alice/status",
	"coordinator/files/edited",
	"coordinator/quota/update",
}

func TestAClientPublishesOnNoHubTopic(t *testing.T) {
	f := start(t, broker.Options{})
	bob := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	bob.subscribe(t, "coordinator/consultations/#", "coordinator/agents/+/status", "coordinator/agents/+/out", "coordinator/agents/ag-bob/#",
		"coordinator/files/#", "coordinator/quota/#", "coordinator/broadcast")
	forger := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	for _, name := range append(hubTopics, "coordinator/agents/ag-bob/inbox", "coordinator/agents/ag-bob/out", "coordinator/agents/ag-alice/inbox") {
		for qos := range byte(3) { // a higher QoS is answered, and the connection stays
			forger.publish(t, name, qos, true, `{"status":"resolved"}`)
		}
	}
	forger.publish(t, "coordinator/broadcast", 0, false, `{"last":true}`)
	if m := receive(t, bob.inbox); m.Topic != "coordinator/broadcast" {
		t.Errorf("bob got a forged %s", m.Topic)
	}
}

func TestAClientsMessageIsStampedByTheHub(t *testing.T) {
	f := start(t, broker.Options{})
	bob := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	bob.subscribe(t, "coordinator/broadcast", "coordinator/agents/+/out")
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	operator := f.connect(t, "mine", string(shop), token)

	forged := `{"agent_id":"ag-bob","AGENT_ID":"ag-bob","Agent_\u0049d":"ag-bob","epoch":"x","v":9,"V":9,"seq":7,"id":"E-7","kind":"thread.status",` +
		`"project":"p","ts":1,"priority":"high","prev":6,"big":9007199254740993,"text":"<hi>"}`
	alice.publish(t, "coordinator/broadcast", 0, false, forged)
	alice.publish(t, "coordinator/agents/ag-alice/out", 1, false, `{}`)
	alice.publish(t, "coordinator/agents/ag-alice/out", 2, false, ` { "a" : [ 1 ] } `)
	operator.publish(t, "coordinator/broadcast", 0, false, `{"agent_id":"ag-bob"}`)

	head := func(kind, author string) string {
		return `{"epoch":"e1","v":1,"kind":"` + kind + `","project":"github.com/acme/shop","agent_id":"` + author + `","ts":1234`
	}
	want := []got{
		{"coordinator/broadcast", head("broadcast", "ag-alice") + `,"big":9007199254740993,"text":"\u003chi\u003e"}`, false},
		{"coordinator/agents/ag-alice/out", head("agent.out", "ag-alice") + `}`, false},
		{"coordinator/agents/ag-alice/out", head("agent.out", "ag-alice") + `,"a":[1]}`, false},
	}
	for _, m := range want {
		if diff := cmp.Diff(m, receive(t, bob.inbox)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(got{"coordinator/broadcast", head("broadcast", "human:operator") + `}`, false}, receive(t, bob.inbox)); diff != "" {
		t.Errorf("operator (-want +got):\n%s", diff)
	}
	if _, d, err := coord.ParseWire([]byte(want[0].Payload)); err != nil || d.Actor != "ag-alice" || d.Kind != coord.KindBroadcast {
		t.Errorf("ParseWire = %+v, %v", d, err)
	}
}

func TestAClientsMessageMustBeASmallJSONObject(t *testing.T) {
	f := start(t, broker.Options{})
	bob := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	bob.subscribe(t, "coordinator/broadcast")
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	for _, payload := range []string{
		"", "hello", "null", "[]", `"x"`, "1", `{"a":1`, `{"a":1} {"b":2}`, "{\"a\":\"\xff\"}",
		`{"a":"` + strings.Repeat("x", 9000) + `"}`,
	} {
		alice.publish(t, "coordinator/broadcast", 0, false, payload)
	}
	alice.publish(t, "coordinator/broadcast", 0, false, `{"last":true}`)
	var m struct{ Last bool }
	if err := json.Unmarshal([]byte(receive(t, bob.inbox).Payload), &m); err != nil || !m.Last {
		t.Errorf("a bad message was delivered")
	}
}

func TestAClientRetainsNothing(t *testing.T) {
	f := start(t, broker.Options{})
	bob := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	bob.subscribe(t, "coordinator/broadcast")
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	alice.publish(t, "coordinator/broadcast", 0, true, `{"poison":true}`)
	receive(t, bob.inbox)

	asPublished := newWire(t, 5, f.dialUnix)
	asPublished.login("ag-bob-3", "", "key-bob")
	asPublished.subscribe(packets.Subscription{Filter: "coordinator/broadcast", RetainAsPublished: true})
	alice.publish(t, "coordinator/broadcast", 0, true, `{"poison":true}`)
	if asPublished.must(packets.Publish).FixedHeader.Retain {
		t.Error("the retain flag was passed on")
	}

	late := f.connect(t, "ag-bob-2", string(shop), "key-bob")
	late.subscribe(t, "coordinator/broadcast")
	alice.publish(t, "coordinator/broadcast", 0, false, `{"fresh":true}`)
	if m := receive(t, late.inbox); m.Retained || strings.Contains(m.Payload, "poison") {
		t.Errorf("a later subscriber got %+v", m)
	}
}

func TestAWillIsAcceptedAndDiscarded(t *testing.T) {
	f := start(t, broker.Options{})
	bob := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	bob.subscribe(t, "coordinator/broadcast", "coordinator/consultations/#")
	f.sessions.expect(t, "+ag-bob local")
	for _, will := range []string{"coordinator/consultations/T-1/status", "coordinator/broadcast"} {
		for _, version := range []byte{4, 5} {
			w := newWire(t, version, f.dialUnix)
			pk := connectPacket("ag-alice-1", "", "key-alice")
			pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, will, []byte(`{"will":true}`)
			pk.Connect.WillQos, pk.Connect.WillRetain = 1, true
			w.send(pk)
			if ack := w.must(packets.Connack); ack.ReasonCode != accepted {
				t.Fatalf("v%d: CONNACK code %#x", version, ack.ReasonCode)
			}
			_ = w.Close() // without DISCONNECT
			f.sessions.expect(t, "+ag-alice local", "-ag-alice local")
		}
	}
	f.Publish([]pub{event(shop, 1, coord.KindBroadcast)})
	if m := receive(t, bob.inbox); strings.Contains(m.Payload, "will") {
		t.Errorf("the will was published: %+v", m)
	}
}

func TestTopicAliasIsRefused(t *testing.T) {
	for name, pk := range map[string]packets.Packet{
		"set":   publishPacket(topic.Broadcast, `{}`),
		"empty": publishPacket("", `{}`),
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, broker.Options{})
			w := newWire(t, 5, f.dialUnix)
			w.login("ag-alice-1", "", "key-alice")
			pk.Properties.TopicAlias, pk.Properties.TopicAliasFlag = 1, true
			w.send(pk)
			if d := w.must(packets.Disconnect); d.ReasonCode != packets.ErrTopicAliasInvalid.Code {
				t.Errorf("DISCONNECT code %#x", d.ReasonCode)
			}
			w.closed()
		})
	}
}

func TestAnEmptyTopicEndsTheConnection(t *testing.T) {
	f := start(t, broker.Options{})
	w := newWire(t, 4, f.dialUnix)
	w.login("ag-alice-1", "", "key-alice")
	w.send(publishPacket("", `{}`))
	w.closed()
}

func TestTheServersOwnAliasesAreNotUsed(t *testing.T) {
	f := start(t, broker.Options{})
	w := newWire(t, 5, f.dialUnix)
	pk := connectPacket("ag-alice-1", "", "key-alice")
	pk.Properties.TopicAliasMaximum = 10
	w.send(pk)
	w.must(packets.Connack)
	w.subscribe(packets.Subscription{Filter: "coordinator/broadcast"})
	for i := range coord.Seq(3) {
		f.Publish([]pub{event(shop, i, coord.KindBroadcast)})
		if pk := w.must(packets.Publish); pk.TopicName != "coordinator/broadcast" || pk.Properties.TopicAliasFlag {
			t.Errorf("topic %q, alias %d", pk.TopicName, pk.Properties.TopicAlias)
		}
	}
}

func TestAnMQTT5PublisherIsToldWhatIsNotAllowed(t *testing.T) {
	f := start(t, broker.Options{})
	w := newWire(t, 5, f.dialUnix)
	w.login("ag-alice-1", "", "key-alice")
	for _, tt := range []struct {
		topic topic.Name
		qos   byte
		ack   byte
		code  byte
	}{
		{topic.Broadcast, 1, packets.Puback, 0},
		{"coordinator/files/edited", 1, packets.Puback, packets.ErrNotAuthorized.Code},
		{topic.Broadcast, 2, packets.Pubrec, 0},
		{"coordinator/files/edited", 2, packets.Pubrec, packets.ErrNotAuthorized.Code},
	} {
		pk := publishPacket(tt.topic, `{}`)
		pk.FixedHeader.Qos, pk.PacketID = tt.qos, 9
		w.send(pk)
		if ack := w.must(tt.ack); ack.ReasonCode != tt.code || ack.PacketID != 9 {
			t.Errorf("%s at QoS %d: code %#x for packet %d", tt.topic, tt.qos, ack.ReasonCode, ack.PacketID)
		}
	}
}

func TestPropertiesOfAClientsMessageAreDropped(t *testing.T) {
	f := start(t, broker.Options{})
	bob := newWire(t, 5, f.dialUnix)
	bob.login("ag-bob-1", "", "key-bob")
	bob.subscribe(packets.Subscription{Filter: "coordinator/broadcast"})
	alice := newWire(t, 5, f.dialUnix)
	alice.login("ag-alice-1", "", "key-alice")
	pk := publishPacket(topic.Broadcast, `{}`)
	pk.Mods.AllowResponseInfo = true
	pk.Properties = packets.Properties{ResponseTopic: "p/x", CorrelationData: []byte("x"), ContentType: "text/html",
		User: []packets.UserProperty{{Key: "agent_id", Val: "ag-bob"}}, MessageExpiryInterval: 1}
	alice.send(pk)
	if p := bob.must(packets.Publish).Properties; p.ResponseTopic != "" || p.CorrelationData != nil || p.ContentType != "" || p.User != nil || p.MessageExpiryInterval != 0 {
		t.Errorf("properties %+v", p)
	}
}

func TestNoLocalIsHonoured(t *testing.T) {
	f := start(t, broker.Options{})
	alice := newWire(t, 5, f.dialUnix)
	alice.login("ag-alice-1", "", "key-alice")
	alice.subscribe(packets.Subscription{Filter: "coordinator/broadcast", NoLocal: true})
	alice.send(publishPacket(topic.Broadcast, `{"mine":true}`))
	alice.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	alice.must(packets.Pingresp) // so the broker has handled the message
	f.Publish([]pub{event(shop, 1, coord.KindBroadcast)})
	if pk := alice.must(packets.Publish); strings.Contains(string(pk.Payload), "mine") {
		t.Error("got its own message")
	}
}

func TestQoSOfASubscriptionIsZeroForPahoToo(t *testing.T) {
	f := start(t, broker.Options{})
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	tok := alice.Subscribe("coordinator/broadcast", 2, nil).(*paho.SubscribeToken)
	if err := await(tok); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]byte{"coordinator/broadcast": 0}, tok.Result()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
