package broker_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/broker"
	"github.com/coordhq/coord/pkg/topic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen. It is long, since
// nothing that works ever takes it.
const patience = 20 * time.Second

const (
	shop  coord.ProjectID = "github.com/acme/shop"
	bank  coord.ProjectID = "github.com/acme/bank"
	token                 = "the-token"
)

// sessions stands in for the hub: which keys are good, and what it was told.
type sessions struct {
	told chan string // "+ag-alice local", "-ag-alice tcp"

	mu   sync.Mutex // guards the rest
	keys map[coord.SessionKey]coord.Caller
	live []coord.ProjectID
	asks int // calls of Authenticate for a known key
	deny int // from this call on keys are unknown; 0: never
}

func newSessions() *sessions {
	return &sessions{
		told: make(chan string, 10_000),
		live: []coord.ProjectID{shop},
		keys: map[coord.SessionKey]coord.Caller{
			"key-alice": {Agent: "ag-alice", Project: shop, Member: "ann"},
			"key-bob":   {Agent: "ag-bob", Project: shop, Member: "ann"},
			"key-eve":   {Agent: "ag-eve", Project: bank, Member: "ann"},
		},
	}
}

func (s *sessions) Authenticate(key coord.SessionKey) (coord.Caller, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.keys[key]
	if ok {
		s.asks++
	}
	return c, ok && (s.deny == 0 || s.asks < s.deny)
}

func (s *sessions) Connected(a coord.AgentID, local bool)    { s.told <- "+" + say(a, local) }
func (s *sessions) Disconnected(a coord.AgentID, local bool) { s.told <- "-" + say(a, local) }

func say(a coord.AgentID, local bool) string {
	if local {
		return string(a) + " local"
	}
	return string(a) + " tcp"
}

func (s *sessions) LiveProjects() []coord.ProjectID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// fixture is a broker at a unix socket and a TCP port.
type fixture struct {
	*broker.Broker
	sessions *sessions
	unix     string
	tcp      string
}

func start(t testing.TB, o broker.Options) *fixture {
	t.Helper()
	o.Epoch = "e1"
	if o.ConnectDeadline == 0 {
		o.ConnectDeadline = time.Hour // so that only the test of the deadline passes by it
	}
	o.Token = func(s string) bool { return s == token }
	o.Now = func() time.Time { return time.UnixMilli(1234) }
	b, err := broker.New(o)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Broker: b, sessions: newSessions(), unix: filepath.Join(shortDir(t), "mqtt.sock")}
	b.SetSessions(f.sessions)
	f.tcp = f.listen(t, "tcp", "127.0.0.1:0", false)
	f.listen(t, "unix", f.unix, true)
	t.Cleanup(func() { stop(t, b) })
	return f
}

// shortDir is a directory whose name leaves room for a socket.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "mqtt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (f *fixture) listen(t testing.TB, network, address string, local bool) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(l, local); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func stop(t testing.TB, b *broker.Broker) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// expect waits for what the broker tells the hub.
func (s *sessions) expect(t testing.TB, want ...string) {
	t.Helper()
	var got []string
	for range want {
		got = append(got, receive(t, s.told))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("the hub was told %q, want %q", got, want)
	}
}

func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// event makes a publication to a project and some inboxes of it.
func event(p coord.ProjectID, seq coord.Seq, kind coord.EventKind, to ...coord.AgentID) hub.Publication {
	pub := hub.Publication{Event: coord.Event{Seq: seq, Kind: kind, Project: p, Actor: "ag-alice", Thread: "T-1",
		Payload: json.RawMessage(fmt.Sprintf(`{"n":%d}`, seq))}}
	for _, a := range to {
		pub.Recipients = append(pub.Recipients, hub.InboxEntry{Agent: a, Seq: seq, Prev: seq - 1})
	}
	return pub
}

type pub = hub.Publication

// got is a message as a subscriber sees it.
type got struct {
	Topic    string
	Payload  string
	Retained bool
}

// client is a paho client with the messages it received.
type client struct {
	paho.Client
	inbox chan got
	gone  chan error
}

func options(open func() (net.Conn, error), id, username, password string) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker("tcp://coord").SetClientID(id).SetUsername(username).SetPassword(password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience).SetWriteTimeout(patience).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return open() })
}

func (f *fixture) dialUnix() (net.Conn, error) { return net.Dial("unix", f.unix) }
func (f *fixture) dialTCP() (net.Conn, error)  { return net.Dial("tcp", f.tcp) }

// connect makes a paho client over the unix socket; it fails the test when the
// broker refuses.
func (f *fixture) connect(t testing.TB, id, username, password string) *client {
	t.Helper()
	return connect(t, options(f.dialUnix, id, username, password))
}

func connect(t testing.TB, o *paho.ClientOptions) *client {
	t.Helper()
	c := &client{inbox: make(chan got, 50_000), gone: make(chan error, 1)}
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		c.inbox <- got{m.Topic(), string(m.Payload()), m.Retained()}
	})
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { c.gone <- err })
	c.Client = paho.NewClient(o)
	if err := await(c.Connect()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func await(token paho.Token) error {
	if !token.WaitTimeout(patience) {
		return errors.New("no answer")
	}
	return token.Error()
}

// subscribe gives the granted QoS per filter, 0x80 for a refused one.
func (c *client) subscribe(t testing.TB, filters ...string) map[string]byte {
	t.Helper()
	wanted := map[string]byte{}
	for _, f := range filters {
		wanted[f] = 1
	}
	tok := c.SubscribeMultiple(wanted, nil).(*paho.SubscribeToken)
	if !tok.WaitTimeout(patience) {
		t.Fatal("no SUBACK")
	}
	return tok.Result() // its error only repeats a refused filter
}

func (c *client) publish(t testing.TB, topic string, qos byte, retain bool, payload string) {
	t.Helper()
	if err := await(c.Publish(topic, qos, retain, payload)); err != nil {
		t.Fatalf("publish on %s: %v", topic, err)
	}
}

// wire is a client that speaks packets by hand, as others would not.
type wire struct {
	net.Conn
	t       testing.TB
	version byte
	r       *bufio.Reader
}

func newWire(t testing.TB, version byte, open func() (net.Conn, error)) *wire {
	t.Helper()
	c, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &wire{Conn: c, t: t, version: version, r: bufio.NewReader(c)}
}

func (w *wire) write(b []byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) send(pk packets.Packet) {
	w.t.Helper()
	w.write(encode(w.t, w.version, pk))
}

func encode(t testing.TB, version byte, pk packets.Packet) []byte {
	t.Helper()
	pk.ProtocolVersion = version
	encoders := map[byte]func(*bytes.Buffer) error{
		packets.Connect: pk.ConnectEncode, packets.Subscribe: pk.SubscribeEncode, packets.Publish: pk.PublishEncode,
		packets.Unsubscribe: pk.UnsubscribeEncode, packets.Pubrel: pk.PubrelEncode, packets.Pingreq: pk.PingreqEncode,
		packets.Disconnect: pk.DisconnectEncode,
	}
	var b bytes.Buffer
	if err := encoders[pk.FixedHeader.Type](&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// next reads one packet; io.EOF when the broker has closed the connection.
func (w *wire) next() (packets.Packet, error) {
	first, err := w.r.ReadByte()
	if err != nil {
		return packets.Packet{}, err
	}
	pk := packets.Packet{ProtocolVersion: w.version}
	if err := pk.FixedHeader.Decode(first); err != nil {
		return pk, err
	}
	if pk.FixedHeader.Remaining, _, err = packets.DecodeLength(w.r); err != nil {
		return pk, err
	}
	body := make([]byte, pk.FixedHeader.Remaining)
	if _, err := io.ReadFull(w.r, body); err != nil {
		return pk, err
	}
	decoders := map[byte]func([]byte) error{
		packets.Connack: pk.ConnackDecode, packets.Suback: pk.SubackDecode, packets.Publish: pk.PublishDecode,
		packets.Unsuback: pk.UnsubackDecode, packets.Puback: pk.PubackDecode, packets.Pubrec: pk.PubrecDecode,
		packets.Pubcomp: pk.PubcompDecode, packets.Disconnect: pk.DisconnectDecode,
		packets.Pingresp: func([]byte) error { return nil },
	}
	err = decoders[pk.FixedHeader.Type](body)
	return pk, err
}

func (w *wire) must(kind byte) packets.Packet {
	w.t.Helper()
	pk, err := w.next()
	if err != nil {
		w.t.Fatalf("want packet %s: %v", packets.PacketNames[kind], err)
	}
	if pk.FixedHeader.Type != kind {
		w.t.Fatalf("got packet %s, want %s", packets.PacketNames[pk.FixedHeader.Type], packets.PacketNames[kind])
	}
	return pk
}

// closed fails the test unless the broker closes the connection without another word.
func (w *wire) closed() {
	w.t.Helper()
	if pk, err := w.next(); err == nil {
		w.t.Fatalf("got packet %s, want the end", packets.PacketNames[pk.FixedHeader.Type])
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		w.t.Fatal("the connection stayed open")
	}
}

func connectPacket(id, username, password string) packets.Packet {
	return packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect: packets.ConnectParams{
			ProtocolName: []byte("MQTT"), Clean: true, Keepalive: 60, ClientIdentifier: id,
			UsernameFlag: username != "" || password != "", Username: []byte(username),
			PasswordFlag: password != "", Password: []byte(password),
		},
	}
}

// login sends a CONNECT and gives the CONNACK.
func (w *wire) login(id, username, password string) packets.Packet {
	w.t.Helper()
	w.send(connectPacket(id, username, password))
	return w.must(packets.Connack)
}

func (w *wire) subscribe(filters ...packets.Subscription) []byte {
	w.t.Helper()
	w.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 7, Filters: filters})
	return w.must(packets.Suback).ReasonCodes
}

func publishPacket(name topic.Name, payload string) packets.Packet {
	return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: string(name), Payload: []byte(payload)}
}
