package daemon_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// watcher is a log that tells of one message.
type watcher struct {
	slog.Handler
	message string
	said    chan struct{} // capacity 1
}

func (w *watcher) Enabled(context.Context, slog.Level) bool { return true }
func (w *watcher) WithAttrs([]slog.Attr) slog.Handler       { return w }
func (w *watcher) Handle(_ context.Context, r slog.Record) error {
	if r.Message == w.message {
		select {
		case w.said <- struct{}{}:
		default:
		}
	}
	return nil
}

func TestARunningHubDeletesWhatIsTooOld(t *testing.T) {
	home := newHome(t)
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	fresh := coord.At(time.Now())
	put(t, home.Database(), &hub.Changes{
		Events: []coord.Event{
			{Seq: 1, Kind: coord.KindBroadcast, Project: "shop", Time: fresh.Add(-8 * 24 * time.Hour), Priority: coord.Low, Payload: []byte(`{}`)},
			{Seq: 2, Kind: coord.KindBroadcast, Project: "shop", Time: fresh, Priority: coord.Low, Payload: []byte(`{}`)},
		},
		Counters: hub.Counters{Seq: 2},
	})
	w := &watcher{Handler: slog.DiscardHandler, message: "swept", said: make(chan struct{}, 1)}
	d := start(t, daemon.Options{Home: home, Sweep: time.Millisecond, Log: slog.New(w)})
	select {
	case <-w.said:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing is swept after 20 s")
	}
	if err := d.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	store := openStore(t, home.Database())
	left, err := store.Events(t.Context(), "shop", 0, 10)
	if err != nil || len(left) != 1 || left[0].Seq != 2 {
		t.Errorf("left %v, %v; want the fresh event", left, err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func openStore(t *testing.T, file string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: file, Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// put stores something before a hub starts.
func put(t *testing.T, file string, c *hub.Changes) {
	t.Helper()
	store := openStore(t, file)
	b, err := store.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Apply(c); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}
