package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/hub"
)

// busy is a store whose next Begin waits, as for a database that another
// program has locked.
type busy struct {
	hub.Store
	waits chan struct{} // told when a Begin waits
	free  chan struct{}
}

func (b *busy) Begin(ctx context.Context) (hub.Batch, error) {
	if b.waits != nil {
		b.waits <- struct{}{}
		<-b.free
	}
	return b.Store.Begin(ctx)
}

func TestReadersDoNotWaitForALockedDatabase(t *testing.T) {
	r := newRig(t)
	r.stop()
	db := &busy{}
	r.start(func(s hub.Store) hub.Store { db.Store = s; return db })
	a := r.named("a")
	db.waits, db.free = make(chan struct{}), make(chan struct{})
	announced := make(chan object, 1)
	go func() { announced <- a.announce("x") }()
	<-db.waits
	read := make(chan int, 1)
	go func() { read <- len(a.call("list_agents", nil)["agents"].([]any)) }()
	select {
	case n := <-read:
		want(t, "agents", n, 1)
	case <-time.After(patience):
		t.Error("a reader waits for the database")
	}
	close(db.free)
	<-announced
	db.waits = nil
}
