package broker_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
	"github.com/coordhq/coord/pkg/topic"
)

// stalled is a client that subscribes to its inbox and never reads again.
func stalled(t *testing.T, open func() (net.Conn, error), id, key, inbox string) *wire {
	w := newWire(t, 4, func() (net.Conn, error) {
		c, err := open()
		if b, ok := c.(interface{ SetReadBuffer(int) error }); ok && err == nil {
			err = b.SetReadBuffer(4096)
		}
		return c, err
	})
	w.login(id, "", key)
	w.subscribe(packets.Subscription{Filter: inbox})
	return w
}

// The healthy subscriber sets the pace, the stopped one must not: what would hold
// for it is a lock, and the whole run would stand still until its write deadline.
func TestAStoppedSubscriberSlowsNobody(t *testing.T) {
	const window = 256
	f := start(t, broker.Options{WriteDeadline: 500 * time.Millisecond})
	for name, door := range map[string]struct {
		open     func() (net.Conn, error)
		messages coord.Seq // of 1 KiB: more than the kernel's buffers take
	}{"local": {f.dialUnix, 20_000}, "tcp": {f.dialTCP, 8_000}} {
		t.Run(name, func(t *testing.T) {
			messages := door.messages
			alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
			alice.subscribe(t, "coordinator/agents/ag-alice/inbox")
			f.sessions.expect(t, "+ag-alice local")
			stalled(t, door.open, "ag-bob-1", "key-bob", "coordinator/agents/ag-bob/inbox")
			f.sessions.expect(t, "+ag-bob "+name)

			read := coord.Seq(0)
			for sent := coord.Seq(1); sent <= messages; sent++ {
				p := event(shop, sent, coord.KindResync, "ag-bob", "ag-alice")
				p.Event.Payload = padding
				f.Publish([]pub{p})
				for ; read < sent && (sent-read >= window || sent == messages); read++ {
					if _, d, err := coord.ParseWire([]byte(receive(t, alice.inbox).Payload)); err != nil || d.Seq != read+1 || d.Prev != read {
						t.Fatalf("got seq %d after %d (%v)", d.Seq, d.Prev, err)
					}
				}
			}
			f.sessions.expect(t, "-ag-bob "+name) // the write deadline ended it
			if d := f.Stats().Dropped; d > 0 {
				t.Errorf("%d events dropped", d)
			}
			alice.Disconnect(0)
			f.sessions.expect(t, "-ag-alice local")
		})
	}
}

var padding = []byte(`{"padding":"` + strings.Repeat("x", 1024) + `"}`)

// The MQTT server moves the deadlines with every packet it reads; that must not
// give a peer that writes and never reads more time.
func TestAStoppedReaderThatWritesIsEndedToo(t *testing.T) {
	f := start(t, broker.Options{WriteDeadline: time.Second})
	bob := stalled(t, f.dialUnix, "ag-bob-1", "key-bob", "coordinator/agents/ag-bob/inbox")
	f.sessions.expect(t, "+ag-bob local")
	fill(t, f)
	_, _ = bob.Write(encode(t, 4, publishPacket(topic.Broadcast, `{}`))) // on a slow machine it has been closed already
	f.sessions.expect(t, "-ag-bob local")
}

// fill publishes to bob until his queue is full, so that the writer hangs, or he
// is gone.
func fill(t *testing.T, f *fixture) {
	t.Helper()
	before := f.Missed()
	for seq := coord.Seq(1); f.Missed() == before && len(f.sessions.told) == 0; seq++ {
		f.Publish([]pub{event(shop, seq, coord.KindResync, "ag-bob")})
		if seq > 10_000_000 {
			t.Fatal("the subscriber never stops")
		}
	}
}

func TestKickAndStopDoNotWaitForAStoppedSubscriber(t *testing.T) {
	f := start(t, broker.Options{WriteDeadline: time.Hour})
	for _, end := range []func(){func() { f.Kick("ag-bob") }, func() { stop(t, f.Broker) }} {
		stalled(t, f.dialUnix, "ag-bob-1", "key-bob", "coordinator/agents/ag-bob/inbox")
		f.sessions.expect(t, "+ag-bob local")
		fill(t, f)
		end()
		f.sessions.expect(t, "-ag-bob local")
	}
}

func TestPublishNeverWaits(t *testing.T) {
	b, err := broker.New(broker.Options{Limits: broker.Limits{Queue: 10}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range coord.Seq(1000) { // nothing drains: it would wait for ever
		b.Publish([]pub{event(shop, i, coord.KindBroadcast)})
	}
	if d := b.Stats().Dropped; d != 990 {
		t.Errorf("%d dropped, want 990", d)
	}
	stop(t, b)
}
