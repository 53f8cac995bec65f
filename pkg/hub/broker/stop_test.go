package broker_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
)

func TestStopEndsEverything(t *testing.T) {
	f := start(t, broker.Options{})
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	silent := newWire(t, 4, f.dialTCP) // no CONNECT yet
	f.sessions.expect(t, "+ag-alice local")
	stop(t, f.Broker)
	receive(t, alice.gone)
	silent.closed()
	f.sessions.expect(t, "-ag-alice local")
	for _, open := range []func() (net.Conn, error){f.dialUnix, f.dialTCP} {
		if c, err := open(); err == nil {
			_ = c.Close()
			t.Error("the listener is still open")
		}
	}
	stop(t, f.Broker) // again, and it does nothing
	f.Publish([]pub{event(shop, 1, coord.KindBroadcast)})
	if n := f.Stats().Connections; n != 0 {
		t.Errorf("%d connections are counted", n)
	}
}

func TestStopOfABrokerThatNeverServed(t *testing.T) {
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, b)
}

// slowSessions holds the end of a connection up.
type slowSessions struct {
	*sessions
	release chan struct{}
}

func (s *slowSessions) Disconnected(a coord.AgentID, local bool) {
	<-s.release
	s.sessions.Disconnected(a, local)
}

func TestStopIsBoundedByItsContext(t *testing.T) {
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowSessions{newSessions(), make(chan struct{})}
	b.SetSessions(slow)
	f := &fixture{Broker: b, sessions: slow.sessions}
	f.tcp = f.listen(t, "tcp", "127.0.0.1:0", false)
	newWire(t, 4, f.dialTCP).login("ag-alice-1", "", "key-alice")
	f.sessions.expect(t, "+ag-alice tcp")

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no more time")
	cancel(why)
	if err := b.Stop(ctx); !errors.Is(err, why) {
		t.Errorf("Stop = %v, want %v", err, why)
	}
	close(slow.release)
	stop(t, b)
	f.sessions.expect(t, "-ag-alice tcp")
}

func TestServeNeedsSessionsAndALiveBroker(t *testing.T) {
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Serve(l, false); err == nil {
		t.Error("Serve without sessions succeeded")
	}
	b.SetSessions(newSessions())
	stop(t, b)
	if err := b.Serve(l, false); err == nil {
		t.Error("Serve after Stop succeeded")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener was left open: %v", err)
	}
}

func TestConnectionsThatComeDuringStopAreEnded(t *testing.T) {
	for range 20 {
		f := start(t, broker.Options{})
		var dialers sync.WaitGroup
		for range 8 {
			dialers.Go(func() {
				for {
					c, err := f.dialUnix()
					if err != nil {
						return
					}
					_, _ = c.Write(encode(t, 4, connectPacket("ag-alice-1", "", "key-alice")))
					_, _ = c.Read(make([]byte, 1))
					_ = c.Close()
				}
			})
		}
		receive(t, f.sessions.told)
		stop(t, f.Broker)
		dialers.Wait()
		balance := 1 // the one received above
		for len(f.sessions.told) > 0 {
			if s := <-f.sessions.told; s[0] == '+' {
				balance++
			} else {
				balance--
			}
		}
		if balance != 0 {
			t.Fatalf("%d connections were never told to be gone", balance)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]broker.Options{
		"write deadline":   {WriteDeadline: -1},
		"connect deadline": {ConnectDeadline: -1},
		"limit":            {Limits: broker.Limits{TCP: -1}},
		"pending":          {Limits: broker.Limits{Pending: 1 << 20}},
	} {
		if _, err := broker.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
