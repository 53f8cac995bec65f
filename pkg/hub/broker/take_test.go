package broker_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/broker"
)

// taken gives the broker one end of a pipe.
func (f *fixture) taken() (net.Conn, error) {
	near, far := net.Pipe()
	f.Take(far)
	return near, nil
}

// wantClosed says that the broker closes the next one without a word.
func (f *fixture) wantClosed(t *testing.T) {
	t.Helper()
	conn, _ := f.taken()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
}

func TestATakenConnectionIsServedLikeAnAcceptedOne(t *testing.T) {
	f := start(t, broker.Options{})
	alice := connect(t, options(f.taken, "ag-alice-1", string(shop), "key-alice"))
	f.sessions.expect(t, "+ag-alice tcp")
	alice.subscribe(t, "coordinator/consultations/new")
	f.Publish([]pub{event(shop, 1, coord.KindThreadOpened)})
	if m := receive(t, alice.inbox); m.Topic != "coordinator/consultations/new" {
		t.Errorf("got %+v", m)
	}
	stop(t, f.Broker)
	receive(t, alice.gone)
	f.sessions.expect(t, "-ag-alice tcp")
}

func TestATakenConnectionCountsAsOneOfTheNetwork(t *testing.T) {
	f := start(t, broker.Options{Limits: broker.Limits{TCP: 1}})
	connect(t, options(f.taken, "ag-alice-1", string(shop), "key-alice"))
	f.wantClosed(t)
}

func TestAfterStopATakenConnectionIsClosed(t *testing.T) {
	f := start(t, broker.Options{})
	stop(t, f.Broker)
	f.wantClosed(t)
}
