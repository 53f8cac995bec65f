package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/coordhq/coord/pkg/topic"
)

// Times of the doorbell. The hub is on this machine, so trying is cheap; the
// pause keeps an outage from costing anything.
const (
	connectLimit = 5 * time.Second
	keepAlive    = 30 * time.Second
	firstPause   = 50 * time.Millisecond
	lastPause    = time.Second
	goodbye      = 100 // ms that a disconnect may take
)

// errRefused means that the hub does not let the session have its own inbox.
var errRefused = errors.New("the hub refused the subscription")

// bell keeps one session subscribed to its inbox until it is stopped. It
// connects anew by itself; each connection is a fresh client, so nothing is
// carried over from a lost one.
type bell struct {
	session Session
	dial    func(context.Context) (net.Conn, error)
	log     *slog.Logger
	rung    chan<- []byte
	look    chan<- struct{}

	kicked chan struct{} // capacity 1: try now
	cancel context.CancelFunc
	ended  chan struct{}
}

func startBell(ctx context.Context, o Options, s Session, rung chan<- []byte, look chan<- struct{}) *bell {
	ctx, cancel := context.WithCancel(ctx)
	b := &bell{session: s, dial: o.Dial, log: o.Log, rung: rung, look: look,
		kicked: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{})}
	go b.run(ctx)
	return b
}

// stop ends the bell and waits for it. A nil bell is silent already.
func (b *bell) stop() {
	if b == nil {
		return
	}
	b.cancel()
	<-b.ended
}

// kick makes a bell that waits to reconnect try at once.
func (b *bell) kick() { signal(b.kicked) }

func (b *bell) run(ctx context.Context) {
	defer close(b.ended)
	for pause := firstPause; ctx.Err() == nil; {
		began := time.Now()
		err := b.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		b.log.Debug("the doorbell is silent", "error", err)
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		timer := time.NewTimer(pause/2 + rand.N(pause)) // #nosec G404 -- jitter, no secret
		select {
		case <-ctx.Done():
		case <-b.kicked:
		case <-timer.C:
		}
		timer.Stop()
		pause = min(2*pause, lastPause)
	}
}

// listen holds one connection until it is lost or ctx ends.
func (b *bell) listen(ctx context.Context) error {
	lost := make(chan error, 1)
	c := mqtt.NewClient(b.options(ctx, lost))
	defer c.Disconnect(goodbye)
	if err := await(ctx, c.Connect()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	filter := string(topic.Inbox(b.session.Agent))
	sub := c.Subscribe(filter, 0, func(_ mqtt.Client, m mqtt.Message) { b.take(m.Payload()) })
	if err := await(ctx, sub); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if t, ok := sub.(*mqtt.SubscribeToken); !ok || t.Result()[filter] > 2 {
		return errRefused
	}
	signal(b.look) // what came while nobody listened
	select {
	case err := <-lost:
		signal(b.look) // the hub may be gone: asking it finds out
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *bell) options(ctx context.Context, lost chan<- error) *mqtt.ClientOptions {
	nonce := strconv.FormatUint(rand.Uint64(), 36) // #nosec G404 -- tells two connections apart, no secret
	return mqtt.NewClientOptions().
		AddBroker("unix://hub"). // a name only: the connection is made by dial
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return b.dial(ctx) }).
		SetClientID(string(b.session.Agent) + "-" + nonce).
		SetUsername(string(b.session.Project)).
		SetPassword(string(b.session.Key)).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectTimeout(connectLimit).
		SetKeepAlive(keepAlive).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
}

// take runs in the library's goroutine and must not wait. What finds no room
// is read from the log.
func (b *bell) take(payload []byte) {
	select {
	case b.rung <- payload:
	default:
		signal(b.look)
	}
}

// await waits for the library to finish something.
func await(ctx context.Context, t mqtt.Token) error {
	timer := time.NewTimer(connectLimit)
	defer timer.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-timer.C:
		return errors.New("the hub does not answer")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
