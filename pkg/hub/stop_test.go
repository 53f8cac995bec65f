package hub_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// patience is how long a test waits for what must come at once.
const patience = 10 * time.Second

func TestACallAfterTheEndIsRefusedAtOnce(t *testing.T) {
	r := newRig(t)
	a := r.named("a")
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	go func() {
		for range 64 { // the queue has room for so many
			_, err := r.Call(a.ctx, "announce_work", []byte(`{"subject":"w","target_files":["x"]}`), "")
			errs <- err
		}
	}()
	for range 64 {
		select {
		case err := <-errs:
			if coord.CodeOf(err) != coord.Unavailable {
				t.Fatalf("a call after the end: %v", err)
			}
		case <-time.After(patience):
			t.Fatal("a call after the end waits")
		}
	}
}

func TestStopWaitsForTheTimerWithinItsContext(t *testing.T) {
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "c.db"), Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	ticks, asked, answer := make(chan time.Time), make(chan struct{}), make(chan struct{})
	h, err := hub.New(hub.Options{Store: store, Publisher: &recorder{}, Host: "host-1",
		Tick:  func(time.Duration) <-chan time.Time { return ticks },
		Alive: func(coord.Process) bool { close(asked); <-answer; return true }})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	reg := registration("a")
	reg.PID, reg.PIDStart = 7, 70
	if _, err := h.Register(t.Context(), "me", reg); err != nil {
		t.Fatal(err)
	}
	ticks <- time.Now()
	<-asked // the timer hangs

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- h.Stop(ctx) }()
	select {
	case err := <-stopped:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stop with a timer that hangs: %v", err)
		}
	case <-time.After(patience):
		t.Error("stop waits longer than its context")
	}
	close(answer)
	if err := h.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
