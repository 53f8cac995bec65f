package feed_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/shim/feed"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/topic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker is a real one on a unix socket, with the hub's rule for inboxes.
type broker struct {
	*mqtt.Server
	subscribed chan string // client ids
	closing    sync.Once
}

// stop ends the broker; once is enough for the library, and twice too much.
func (b *broker) stop() { b.closing.Do(func() { _ = b.Close() }) }

type gate struct {
	mqtt.HookBase
	b        *broker
	refusals *atomic.Int32 // subscriptions still to be refused
}

func (g *gate) ID() string         { return "gate" }
func (g *gate) Provides(byte) bool { return true }
func (g *gate) OnConnectAuthenticate(_ *mqtt.Client, pk packets.Packet) bool {
	return string(pk.Connect.Username) == "p" && string(pk.Connect.Password) == "key"
}
func (g *gate) OnACLCheck(_ *mqtt.Client, name string, write bool) bool {
	return write || (name == string(topic.Inbox(agent)) && g.refusals.Add(-1) < 0)
}
func (g *gate) OnSubscribed(cl *mqtt.Client, _ packets.Packet, codes []byte) {
	if codes[0] <= 2 {
		g.b.subscribed <- cl.ID
	}
}

func startBroker(t *testing.T, socket string, refusals int32) *broker {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{subscribed: make(chan string, 100), Server: mqtt.New(&mqtt.Options{
		InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})}
	left := new(atomic.Int32)
	left.Store(refusals)
	if err := errors.Join(b.AddHook(&gate{b: b, refusals: left}, nil), b.AddListener(listeners.NewNet("unix", l)), b.Serve()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stop)
	return b
}

func (b *broker) ring(t *testing.T, messages ...[]byte) {
	t.Helper()
	for _, m := range messages {
		if err := b.Publish(string(topic.Inbox(agent)), m, false, 0); err != nil {
			t.Error(err)
		}
	}
}

// listening starts a feed on a broker and waits until it hears.
func listening(t *testing.T, l *eventLog) (*broker, *inbox.Queue, string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "m.sock")
	b := startBroker(t, socket, 0)
	q := inbox.New(inbox.Limit)
	f := start(t, feed.Options{Queue: q, Sync: l.sync, Beat: time.Hour, Settle: time.Hour, Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}})
	asked := make(chan struct{}, 100)
	l.change(func() { l.onAsk = func() { asked <- struct{}{} } })
	f.Attach(t.Context(), session(0))
	<-asked // when attached
	<-asked // when subscribed
	l.change(func() { l.onAsk = nil })
	return b, q, socket
}

func TestRungEventsComeInOrderAndOnce(t *testing.T) {
	l := &eventLog{epoch: epoch}
	b, q, _ := listening(t, l)
	for s := coord.Seq(1); s <= 200; s++ {
		m := l.add(s)
		b.ring(t, m, m)
	}
	for i, d := range next(t, q, 200) {
		if d.Seq != coord.Seq(i+1) {
			t.Fatalf("event %d is %d", i+1, d.Seq)
		}
	}
	wantEmpty(t, q)
}

func TestAHoleIsFilledFromTheLog(t *testing.T) {
	l := &eventLog{epoch: epoch}
	b, q, _ := listening(t, l)
	b.ring(t, l.add(2))
	wantNext(t, q, 2)
	l.add(5) // never rings
	l.add(6) // rings late
	b.ring(t, l.add(9))
	wantNext(t, q, 5, 6, 9)
}

func TestMessagesOutOfOrderComeInOrder(t *testing.T) {
	l := &eventLog{epoch: epoch}
	b, q, _ := listening(t, l)
	first, second, third := l.add(1), l.add(2), l.add(3)
	b.ring(t, third, second, first, []byte("no event"))
	wantNext(t, q, 1, 2, 3)
	b.ring(t, l.add(4))
	wantNext(t, q, 4)
}

func TestAMessageOfAnotherEpochMakesTheFeedAsk(t *testing.T) {
	l := &eventLog{epoch: epoch}
	b, q, _ := listening(t, l)
	b.ring(t, l.add(1))
	wantNext(t, q, 1)
	l.change(func() { l.epoch, l.events, l.head, l.seen = "ep-2", nil, 0, 0 })
	b.ring(t, l.add(1))
	if got := next(t, q, 2); got[0].Kind != coord.KindResync || got[1].Seq != 1 {
		t.Errorf("got %s %d and %s %d, want a resync and event 1", got[0].Kind, got[0].Seq, got[1].Kind, got[1].Seq)
	}
}

func TestALostBrokerIsFoundAgainAndNothingIsMissed(t *testing.T) {
	l := &eventLog{epoch: epoch}
	b, q, socket := listening(t, l)
	b.ring(t, l.add(1))
	wantNext(t, q, 1)
	asked := make(chan struct{}, 100)
	l.change(func() { l.onAsk = func() { asked <- struct{}{} } })
	b.stop()
	<-asked  // a lost doorbell makes the feed look at once
	l.add(2) // while nobody listens
	l.change(func() { l.onAsk = nil })
	again := startBroker(t, socket, 0)
	<-again.subscribed
	wantNext(t, q, 2)
	again.ring(t, l.add(3))
	wantNext(t, q, 3)
}

func TestARefusedSubscriptionIsTriedAgain(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "m.sock")
	b := startBroker(t, socket, 2)
	l, q := &eventLog{epoch: epoch}, inbox.New(inbox.Limit)
	f := start(t, feed.Options{Queue: q, Sync: l.sync, Beat: time.Hour, Settle: time.Hour, Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}})
	f.Attach(t.Context(), session(0))
	<-b.subscribed
	b.ring(t, l.add(1))
	wantNext(t, q, 1)
}

// meter counts what a connection reads, down to an alarm.
type meter struct {
	left  atomic.Int64
	alarm sync.Once
	rang  chan struct{}
}

type metered struct {
	net.Conn
	*meter
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if m.left.Add(int64(-n)) <= 0 {
		m.alarm.Do(func() { close(m.rang) })
	}
	return n, err
}

func TestAFeedThatIsBusyStillTakesWhatRings(t *testing.T) {
	const events = 3000
	l := &eventLog{epoch: epoch}
	socket := filepath.Join(t.TempDir(), "m.sock")
	b := startBroker(t, socket, 0)
	q := inbox.New(2 * events)
	read := &meter{rang: make(chan struct{})}
	read.left.Store(1 << 60) // until it is known how much must be read
	busy, free := make(chan struct{}, 1), make(chan struct{})
	f := start(t, feed.Options{Queue: q, Beat: time.Hour, Settle: time.Hour,
		Dial: func(ctx context.Context) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "unix", socket)
			return metered{c, read}, err
		},
		Sync: func(ctx context.Context, in tool.SyncIn) (tool.SyncOut, error) {
			if in.Limit > 0 { // it reads the log, which is slow today
				select {
				case busy <- struct{}{}:
				default:
				}
				<-free
			}
			return l.sync(ctx, in)
		}})
	f.Attach(t.Context(), session(0))
	<-b.subscribed
	l.add(1)
	b.ring(t, l.add(2)) // after a hole
	<-busy
	var rest [][]byte
	var size int64
	for s := coord.Seq(3); s <= events; s++ {
		m := l.add(s)
		rest = append(rest, m)
		size += int64(len(m))
	}
	read.left.Store(size)
	b.ring(t, rest...)
	<-read.rang
	close(free)
	for i, d := range next(t, q, events) {
		if d.Seq != coord.Seq(i+1) {
			t.Fatalf("event %d is %d", i+1, d.Seq)
		}
	}
}
