package broker_test

import (
	"net"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
)

const accepted byte = 0

func TestCredentials(t *testing.T) {
	tests := []struct {
		name                   string
		id, username, password string
		accepted               bool
	}{
		{"session key", "ag-alice-1", "", "key-alice", true},
		{"session key with its project", "ag-alice-2", string(shop), "key-alice", true},
		{"token with a project", "mine", string(bank), token, true},
		{"token, one live project", "mine", "", token, true},
		{"token without a client id", "", string(shop), token, true},

		{"nothing", "ag-alice-3", "", "", false},
		{"username only", "ag-alice-3", string(shop), "", false},
		{"wrong password", "ag-alice-3", "", "key-mallory", false},
		{"right project, wrong password", "mine", string(shop), "wrong", false},
		{"session key, another project", "ag-alice-3", string(bank), "key-alice", false},
		{"session key, another agent's client id", "ag-bob-1", "", "key-alice", false},
		{"session key, a longer agent's client id", "ag-alicex-1", "", "key-alice", false},
		{"session key, no nonce", "ag-alice-", "", "key-alice", false},
		{"session key, bare id", "ag-alice", "", "key-alice", false},
		{"session key, no client id", "", "", "key-alice", false},
		{"client id too long", strings.Repeat("x", 300), string(shop), token, false},
		{"project not UTF-8", "mine", "\xff", token, false},
		{"project too long", "mine", strings.Repeat("p", 1100), token, false},
	}
	f := start(t, broker.Options{})
	for _, door := range []struct {
		name string
		open func() (net.Conn, error)
	}{{"unix", f.dialUnix}, {"tcp", f.dialTCP}} {
		for _, tt := range tests {
			t.Run(door.name+"/"+tt.name, func(t *testing.T) {
				w := newWire(t, 4, door.open)
				ack := w.login(tt.id, tt.username, tt.password)
				if got := ack.ReasonCode == accepted; got != tt.accepted {
					t.Fatalf("CONNACK code %d", ack.ReasonCode)
				}
				if !tt.accepted {
					w.closed()
				}
			})
		}
	}
}

func TestTokenIsRefusedWhereThereIsNone(t *testing.T) {
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.SetSessions(newSessions())
	f := &fixture{Broker: b}
	f.tcp = f.listen(t, "tcp", "127.0.0.1:0", false)
	t.Cleanup(func() { stop(t, b) })
	if ack := newWire(t, 4, f.dialTCP).login("mine", string(shop), token); ack.ReasonCode == accepted {
		t.Error("accepted")
	}
}

func TestRefusalNamesTheLiveProjects(t *testing.T) {
	tests := []struct {
		name string
		live []coord.ProjectID
		want string
	}{
		{"none", nil, "no project is live on this hub; name one as the username"},
		{"two", []coord.ProjectID{bank, shop}, "2 projects are live on this hub: github.com/acme/bank, github.com/acme/shop; name one as the username"},
		{"many", make([]coord.ProjectID, 12), "12 projects are live on this hub: , , , , , , , , ,  and 2 more; name one as the username"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t, broker.Options{})
			f.sessions.live = tt.live
			ack := newWire(t, 5, f.dialTCP).login("mine", "", token)
			if ack.ReasonCode == accepted || ack.Properties.ReasonString != tt.want {
				t.Errorf("CONNACK %#x %q, want %q", ack.ReasonCode, ack.Properties.ReasonString, tt.want)
			}
		})
	}
}

func TestRefusalTellsAStrangerNothing(t *testing.T) {
	f := start(t, broker.Options{})
	f.sessions.live = []coord.ProjectID{bank, shop}
	ack := newWire(t, 5, f.dialTCP).login("mine", "", "wrong")
	if ack.ReasonCode == accepted || strings.Contains(ack.Properties.ReasonString, "acme") {
		t.Errorf("CONNACK %#x %q", ack.ReasonCode, ack.Properties.ReasonString)
	}
}

func TestConnackOfMQTT5SaysWhatIsNotOffered(t *testing.T) {
	f := start(t, broker.Options{})
	w := newWire(t, 5, f.dialTCP)
	pk := connectPacket("mine", string(shop), token)
	pk.Connect.Clean = false
	pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 3600, true
	pk.Properties.TopicAliasMaximum = 10
	w.send(pk)
	p := w.must(packets.Connack).Properties
	if !p.MaximumQosFlag || p.MaximumQos != 0 || !p.SharedSubAvailableFlag || p.SharedSubAvailable != 0 || p.TopicAliasMaximum != 0 ||
		!p.SessionExpiryIntervalFlag || p.SessionExpiryInterval != 0 || p.MaximumPacketSize != 64<<10 {
		t.Errorf("CONNACK properties %+v", p)
	}
}

func TestNoSessionOutlivesItsConnection(t *testing.T) {
	for _, version := range []byte{4, 5} {
		f := start(t, broker.Options{})
		login := func() *wire {
			w := newWire(t, version, f.dialUnix)
			pk := connectPacket("ag-alice-1", "", "key-alice")
			pk.Connect.Clean = false
			pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 3600, true
			w.send(pk)
			if ack := w.must(packets.Connack); ack.SessionPresent {
				t.Errorf("v%d: session present", version)
			}
			return w
		}
		first := login()
		first.subscribe(packets.Subscription{Filter: "coordinator/agents/ag-alice/inbox", Qos: 1}, packets.Subscription{Filter: "coordinator/broadcast"})
		_ = first.Close()
		f.sessions.expect(t, "+ag-alice local", "-ag-alice local")
		if clients, subscriptions := f.Remembered(shop); clients != 0 || subscriptions != 0 {
			t.Errorf("v%d: %d clients and %d subscriptions are left", version, clients, subscriptions)
		}

		second := login()
		f.Publish([]pub{event(shop, 1, coord.KindResync, "ag-alice"), event(shop, 2, coord.KindBroadcast)})
		second.subscribe(packets.Subscription{Filter: "coordinator/broadcast"})
		f.Publish([]pub{event(shop, 3, coord.KindBroadcast)})
		for {
			pk := second.must(packets.Publish)
			if pk.TopicName != "coordinator/broadcast" {
				t.Errorf("v%d: got %s without having subscribed again", version, pk.TopicName)
			}
			if strings.Contains(string(pk.Payload), `"seq":3`) {
				break
			}
		}
	}
}

func TestSessionsAreToldOncePerConnection(t *testing.T) {
	f := start(t, broker.Options{})
	a := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	f.sessions.expect(t, "+ag-alice local")
	b := connect(t, options(f.dialTCP, "ag-alice-2", string(shop), "key-alice"))
	f.sessions.expect(t, "+ag-alice tcp")
	f.connect(t, "mine", string(shop), token) // an operator is nobody's session
	if n := f.Stats().Connections; n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	a.Disconnect(0)
	f.sessions.expect(t, "-ag-alice local")
	b.Disconnect(0)
	f.sessions.expect(t, "-ag-alice tcp")
	stop(t, f.Broker)
	if n := len(f.sessions.told); n > 0 {
		t.Errorf("told %q besides", <-f.sessions.told)
	}
}

func TestAConnectionIsReplacedByItsOwnClientID(t *testing.T) {
	f := start(t, broker.Options{})
	older := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	newer := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	receive(t, older.gone)
	f.sessions.expect(t, "+ag-alice local", "+ag-alice local", "-ag-alice local")
	newer.subscribe(t, "coordinator/agents/ag-alice/inbox")
	f.Publish([]pub{event(shop, 1, coord.KindResync, "ag-alice")})
	receive(t, newer.inbox)
	f.connect(t, "ag-alice-1", string(shop), "key-alice")
	receive(t, newer.gone)
}

func TestMQTT31IsRefused(t *testing.T) {
	f := start(t, broker.Options{})
	w := newWire(t, 3, f.dialTCP)
	pk := connectPacket("mine", string(shop), token)
	pk.Connect.ProtocolName = []byte("MQIsdp")
	w.send(pk)
	if ack := w.must(packets.Connack); ack.ReasonCode != packets.Err3UnsupportedProtocolVersion.Code {
		t.Errorf("CONNACK code %#x", ack.ReasonCode)
	}
	w.closed()
}

func TestAReplacedConnectionNeverTakesTheNewOneWithIt(t *testing.T) {
	f := start(t, broker.Options{})
	for i := range coord.Seq(100) {
		w := newWire(t, 4, f.dialUnix)
		if ack := w.login("ag-alice-1", "", "key-alice"); ack.ReasonCode != accepted {
			t.Fatalf("CONNACK code %d", ack.ReasonCode)
		}
		w.subscribe(packets.Subscription{Filter: "coordinator/agents/ag-alice/inbox"})
		f.Publish([]pub{event(shop, i+1, coord.KindResync, "ag-alice")})
		w.must(packets.Publish)
	}
}

func TestNobodyTakesOverAConnection(t *testing.T) {
	f := start(t, broker.Options{})
	victim := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	victim.subscribe(t, "coordinator/agents/ag-alice/inbox")
	f.sessions.expect(t, "+ag-alice local")

	if ack := newWire(t, 4, f.dialUnix).login("ag-alice-1", "", "key-bob"); ack.ReasonCode == accepted {
		t.Error("another session may use the id")
	}
	for _, project := range []coord.ProjectID{shop, bank} {
		thief := f.connect(t, "ag-alice-1", string(project), token)
		if got := thief.subscribe(t, "coordinator/agents/ag-alice/inbox"); got["coordinator/agents/ag-alice/inbox"] != 0x80 {
			t.Errorf("operator of %s may read the inbox: %v", project, got)
		}
	}
	f.Publish([]pub{event(shop, 1, coord.KindResync, "ag-alice")})
	receive(t, victim.inbox)
	if n := len(f.sessions.told); n > 0 {
		t.Errorf("told %q", <-f.sessions.told)
	}
}

func TestKickClosesTheConnectionsOfOneAgent(t *testing.T) {
	f := start(t, broker.Options{})
	first, second := f.connect(t, "ag-alice-1", string(shop), "key-alice"), connect(t, options(f.dialTCP, "ag-alice-2", string(shop), "key-alice"))
	bob := f.connect(t, "ag-bob-1", string(shop), "key-bob")
	f.sessions.expect(t, "+ag-alice local", "+ag-alice tcp", "+ag-bob local")
	f.Kick("ag-alice")
	receive(t, first.gone)
	receive(t, second.gone)
	f.sessions.expect(t, "-ag-alice local", "-ag-alice tcp")
	if !bob.IsConnectionOpen() {
		t.Error("bob was kicked too")
	}
}

func TestACredentialWithdrawnDuringConnectOpensNothing(t *testing.T) {
	f := start(t, broker.Options{})
	f.sessions.deny = 2 // known when CONNECT is checked, gone right after
	w := newWire(t, 4, f.dialUnix)
	w.send(connectPacket("ag-alice-1", "", "key-alice"))
	w.closed()
	stop(t, f.Broker)
	if n := len(f.sessions.told); n > 0 {
		t.Errorf("told %q", <-f.sessions.told)
	}
}
