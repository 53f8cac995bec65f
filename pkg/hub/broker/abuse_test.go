package broker_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
)

func TestAnotherUserIsRefusedOnTheUnixSocket(t *testing.T) {
	for name, peerUID := range map[string]func(net.Conn) (int, error){
		"other uid": func(net.Conn) (int, error) { return os.Getuid() + 1, nil },
		"unknown":   func(net.Conn) (int, error) { return os.Getuid(), errors.New("the kernel does not say") },
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, broker.Options{PeerUID: peerUID})
			newWire(t, 4, f.dialUnix).closed()
			if ack := newWire(t, 4, f.dialTCP).login("ag-alice-1", "", "key-alice"); ack.ReasonCode != accepted {
				t.Error("the uid counts on TCP too")
			}
		})
	}
}

func TestALocalListenerMustBeAUnixSocket(t *testing.T) {
	f := start(t, broker.Options{})
	f.tcp = f.listen(t, "tcp", "127.0.0.1:0", true)
	newWire(t, 4, f.dialTCP).closed()
}

func TestWithoutConnectAConnectionIsClosed(t *testing.T) {
	f := start(t, broker.Options{ConnectDeadline: 50 * time.Millisecond})
	connect := encode(t, 4, connectPacket("ag-alice-1", "", "key-alice"))
	for name, said := range map[string][]byte{"silence": nil, "half a CONNECT": connect[:len(connect)-1]} {
		for _, open := range []func() (net.Conn, error){f.dialUnix, f.dialTCP} {
			t.Run(name, func(t *testing.T) {
				w := newWire(t, 4, open)
				w.write(said)
				w.closed()
			})
		}
	}
}

func TestTheConnectDeadlineEndsWithConnect(t *testing.T) {
	f := start(t, broker.Options{ConnectDeadline: 200 * time.Millisecond})
	silent := newWire(t, 4, f.dialUnix)
	alice := newWire(t, 4, f.dialUnix)
	alice.login("ag-alice-1", "", "key-alice")
	silent.closed() // opened before alice: its deadline is over, so hers would be
	slept := newWire(t, 4, f.dialUnix)
	slept.closed()
	alice.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	alice.must(packets.Pingresp)
}

func TestWhatIsNotMQTTIsClosedWithoutAnEcho(t *testing.T) {
	f := start(t, broker.Options{})
	for name, said := range map[string]string{
		"GET":         "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
		"POST":        "POST /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
		"PUT":         "PUT / HTTP/1.1\r\n\r\n",
		"OPTIONS":     "OPTIONS / HTTP/1.1\r\n\r\n",
		"TLS":         "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"zeros":       strings.Repeat("\x00", 64),
		"first other": "\xc0\x00",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, 4, f.dialTCP)
			w.write([]byte(said))
			if b, err := io.ReadAll(w); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("answered %q, %v", b, err)
			}
		})
	}
}

func TestAGiantPacketIsRefusedByItsLength(t *testing.T) {
	f := start(t, broker.Options{})
	giant := []byte{0x10, 0xff, 0xff, 0xff, 0x7f} // CONNECT of 256 MiB
	newWireSaying(t, f, giant).closed()

	w := newWire(t, 4, f.dialUnix)
	w.login("ag-alice-1", "", "key-alice")
	w.write([]byte{0x30, 0x80, 0x80, 0x04}) // PUBLISH of 64 KiB
	w.closed()
}

func newWireSaying(t *testing.T, f *fixture, b []byte) *wire {
	w := newWire(t, 4, f.dialTCP)
	w.write(b)
	return w
}

// A SUBSCRIBE of MQTT 5 that ends before its options byte makes the library's
// decoder read past its buffer and panic.
func TestAPanicOfTheLibraryCostsOneConnection(t *testing.T) {
	f := start(t, broker.Options{})
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	alice.subscribe(t, "coordinator/broadcast")
	f.sessions.expect(t, "+ag-alice local")

	w := newWire(t, 5, f.dialUnix)
	w.login("ag-bob-1", "", "key-bob")
	w.subscribe(packets.Subscription{Filter: "coordinator/broadcast"})
	w.write([]byte{0x82, 0x06, 0x00, 0x01, 0x00, 0x00, 0x01, 'a'})
	w.closed()
	f.sessions.expect(t, "+ag-bob local", "-ag-bob local")

	f.Publish([]pub{event(shop, 1, coord.KindBroadcast)})
	receive(t, alice.inbox)
	if n := f.Stats().Connections; n != 1 {
		t.Errorf("%d connections are counted, want 1", n)
	}
	if clients, subscriptions := f.Remembered(shop); clients != 1 || subscriptions != 1 {
		t.Errorf("%d clients and %d subscriptions are left, want alice's", clients, subscriptions)
	}
}

func TestASecondConnectEndsTheConnection(t *testing.T) {
	f := start(t, broker.Options{})
	w := newWire(t, 4, f.dialUnix)
	w.login("ag-alice-1", "", "key-alice")
	w.send(connectPacket("ag-bob-1", "", "key-bob"))
	w.closed()
	f.sessions.expect(t, "+ag-alice local", "-ag-alice local")
}

func TestConnectionsAreLimited(t *testing.T) {
	f := start(t, broker.Options{Limits: broker.Limits{Unix: 2, TCP: 3, Unauthenticated: 2}})

	first, second := newWire(t, 4, f.dialUnix), newWire(t, 4, f.dialUnix)
	first.login("ag-alice-1", "", "key-alice")
	second.login("ag-alice-2", "", "key-alice")
	newWire(t, 4, f.dialUnix).closed()
	f.sessions.expect(t, "+ag-alice local", "+ag-alice local")

	// TCP has its own count, and one for those that have not said who they are.
	a, b := newWire(t, 4, f.dialTCP), newWire(t, 4, f.dialTCP)
	newWire(t, 4, f.dialTCP).closed()
	a.login("ag-bob-1", "", "key-bob")
	b.login("ag-bob-2", "", "key-bob")
	newWire(t, 4, f.dialTCP).login("ag-bob-3", "", "key-bob")
	newWire(t, 4, f.dialTCP).closed()
	f.sessions.expect(t, "+ag-bob tcp", "+ag-bob tcp", "+ag-bob tcp")

	// Room comes back with the end of a connection, accepted or not.
	_ = first.Close()
	_ = a.Close()
	f.sessions.expect(t, "-ag-alice local", "-ag-bob tcp")
	newWire(t, 4, f.dialUnix).login("ag-alice-3", "", "key-alice")
	newWire(t, 4, f.dialTCP).login("wrong", "", "wrong")
	f.sessions.expect(t, "+ag-alice local")
}

func TestUnauthenticatedConnectionsAreCountedOut(t *testing.T) {
	f := start(t, broker.Options{Limits: broker.Limits{Unauthenticated: 1}})
	for range 10 {
		for !triedWrongPassword(t, f) {
			continue // the one before is closed, but not counted out yet
		}
	}
}

// triedWrongPassword reports whether the broker took the connection and refused
// the password, rather than refusing the connection.
func triedWrongPassword(t *testing.T, f *fixture) bool {
	w := newWire(t, 4, f.dialTCP)
	_, _ = w.Write(encode(t, 4, connectPacket("mine", string(shop), "wrong")))
	_, err := w.next()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("no answer")
	}
	return err == nil
}

// brokenListener fails once like a process without free file descriptors.
type brokenListener struct {
	net.Listener
	failed chan struct{}
}

func (l *brokenListener) Accept() (net.Conn, error) {
	select {
	case <-l.failed:
		return l.Listener.Accept()
	default:
		close(l.failed)
		return nil, errors.New("too many open files")
	}
}

func TestAnAcceptErrorDoesNotDeafenTheBroker(t *testing.T) {
	f := start(t, broker.Options{})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(&brokenListener{inner, make(chan struct{})}, false); err != nil {
		t.Fatal(err)
	}
	f.tcp = inner.Addr().String()
	if ack := newWire(t, 4, f.dialTCP).login("mine", string(shop), token); ack.ReasonCode != accepted {
		t.Error("refused")
	}
}

func FuzzPackets(f *testing.F) {
	f.Add([]byte{0x82, 0x06, 0x00, 0x01, 0x00, 0x00, 0x01, 'a'})
	f.Add([]byte{0x30, 0x05, 0x00, 0x01, 'a', 0x23, 0x00})
	f.Add([]byte{0xa2, 0x02, 0x00, 0x01})
	f.Add([]byte{0xe0, 0x02, 0x00, 0x05})
	f.Add([]byte{0xf0, 0x01, 0x18})
	f.Add([]byte{0x62, 0x02, 0x00, 0x00})
	f.Add([]byte{0x10, 0x0a, 0x00, 0x04, 'M', 'Q', 'T', 'T', 0x05, 0xff, 0x00, 0x00})
	f.Fuzz(func(t *testing.T, said []byte) {
		fx := start(t, broker.Options{})
		stranger := newWire(t, 5, fx.dialUnix)
		_, _ = stranger.Write(said) // it may be closed in the middle
		_ = stranger.Close()
		for _, version := range []byte{4, 5} {
			w := newWire(t, version, fx.dialUnix)
			w.login("ag-alice-1", "", "key-alice")
			_, _ = w.Write(said)
			_ = w.Close()
			fx.sessions.expect(t, "+ag-alice local", "-ag-alice local")
		}
		if ack := newWire(t, 4, fx.dialUnix).login("ag-bob-1", "", "key-bob"); ack.ReasonCode != accepted {
			t.Error("the broker does not answer any more")
		}
	})
}
