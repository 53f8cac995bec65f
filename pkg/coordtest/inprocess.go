package coordtest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// InProcess is a hub inside the test process, with a real database and a publisher
// that keeps what it is given.
type InProcess struct {
	t      testing.TB
	path   string
	store  *sqlite.Store
	hub    *hub.Hub
	bell   *bell
	actors actors
	starts int

	processes *processTable
	asleep    atomic.Int64 // nanoseconds that the clock of the wall jumped ahead
}

// NewInProcess starts a hub on an empty database; it stops with the test.
func NewInProcess(t testing.TB) *InProcess {
	t.Helper()
	p := &InProcess{t: t, path: filepath.Join(t.TempDir(), "coordinator.db"), actors: actors{}, processes: newProcessTable()}
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *InProcess) start() {
	p.t.Helper()
	ctx := context.Background() // the store outlives the test's own context by its cleanup
	store, err := sqlite.Open(ctx, sqlite.Options{Path: p.path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		p.t.Fatal(err)
	}
	p.starts++
	p.bell = &bell{}
	h, err := hub.New(hub.Options{Store: store, Publisher: p.bell, Log: slog.New(slog.DiscardHandler),
		Version: "test", Instance: fmt.Sprintf("in-process-%d", p.starts), Host: host, Alive: p.processes.alive, Now: p.now})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := h.Start(ctx); err != nil {
		p.t.Fatal(err)
	}
	p.store, p.hub = store, h
}

func (p *InProcess) stop() {
	if p.hub == nil {
		return
	}
	if err := p.hub.Stop(context.Background()); err != nil {
		p.t.Errorf("stop hub: %v", err)
	}
	if err := p.store.Close(); err != nil {
		p.t.Errorf("close store: %v", err)
	}
	p.hub = nil
}

// Enter brings an agent on, in the usual project and workspace, and ends the
// test when it cannot.
func (p *InProcess) Enter(name string) {
	p.t.Helper()
	if err := p.Join(name, Role{Project: project, Workspace: "main", Label: name}); err != nil {
		p.t.Fatalf("%s joins: %v", name, err)
	}
}

// Join registers an agent and connects it as a shim does.
func (p *InProcess) Join(name string, as Role) error {
	r, err := p.hub.Register(context.Background(), "tester", as.registration())
	if err != nil {
		return err
	}
	p.enter(name, as, r)
	return nil
}

// enter notes who has joined, and opens the inbox connection of a shim.
func (p *InProcess) enter(name string, as Role, r coord.Registered) {
	p.processes.start(as.Process)
	p.actors[name] = &actor{Registered: r, role: as, heard: r.Head}
	if !as.Hooks {
		p.hub.Connected(r.AgentID, true)
	}
}

// Call runs an operation as an agent, through the identity of its session key.
func (p *InProcess) Call(name, op string, args json.RawMessage) (json.RawMessage, error) {
	a := p.actors[name]
	ctx, err := p.as(name)
	if err != nil {
		return nil, err
	}
	a.calls++
	key := fmt.Sprintf("%s-%d-%d", name, p.starts, a.calls)
	return p.hub.Call(ctx, op, args, key)
}

// as gives the context of an agent's session.
func (p *InProcess) as(name string) (context.Context, error) {
	caller, ok := p.hub.Authenticate(p.actors[name].SessionKey)
	if !ok {
		return nil, coord.Errorf(coord.Unauthorized, "", "the hub does not know the session of %s", name)
	}
	return coord.WithCaller(context.Background(), caller), nil
}

// ID is the agent id of a name.
func (p *InProcess) ID(name string) coord.AgentID { return p.actors.id(name) }

// Leave ends an agent's session.
func (p *InProcess) Leave(name string) error {
	ctx, err := p.as(name)
	if err != nil {
		return err
	}
	return p.hub.Leave(ctx)
}

// Lose breaks the connection of an agent.
func (p *InProcess) Lose(name string) error {
	p.hub.Disconnected(p.actors[name].AgentID, true)
	return nil
}

// Find brings it back.
func (p *InProcess) Find(name string) error {
	p.hub.Connected(p.actors[name].AgentID, true)
	return nil
}

// Kill ends the client's process of an agent, and with it the connection.
func (p *InProcess) Kill(name string) error {
	p.processes.end(p.actors[name].role.Process)
	return p.Lose(name)
}

// now is the clock on the wall.
func (p *InProcess) now() time.Time { return time.Now().Add(time.Duration(p.asleep.Load())) }

// Sleep lets the machine sleep: the clock on the wall goes on, nothing else does.
// The first tick after it comes within a second.
func (p *InProcess) Sleep(d time.Duration) {
	p.asleep.Add(int64(d))
	<-time.After(time.Second)
}

// Restart stops the hub and starts it again; nobody is connected then.
func (p *InProcess) Restart() error {
	p.stop()
	p.start()
	return nil
}

// Settle lets everything in the bubble come to rest.
func (p *InProcess) Settle() { synctest.Wait() }

// Next reads what an agent has got and not been given yet, and checks that it
// was also pushed, if this hub was there to push it.
func (p *InProcess) Next(name string) (coord.Event, bool, error) {
	d, any, err := p.actors.next(name, p.Call)
	if err != nil || !any {
		return coord.Event{}, false, err
	}
	if p.starts == 1 && !slices.Contains(p.bell.pushed(p.ID(name)), d.Seq) {
		return d, true, fmt.Errorf("event %d (%s) stands in the inbox of %s and was not published to it", d.Seq, d.Kind, name)
	}
	return d, true, nil
}

// bell is a publisher that remembers.
type bell struct {
	mu   sync.Mutex // guards rung
	rung []hub.Publication
}

func (b *bell) Publish(batch []hub.Publication) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = append(b.rung, batch...)
}

func (b *bell) Stats() hub.PublisherStats { return hub.PublisherStats{} }

func (b *bell) Subscribers(coord.ProjectID, string) int { return 0 }

func (b *bell) pushed(to coord.AgentID) []coord.Seq {
	b.mu.Lock()
	defer b.mu.Unlock()
	var seqs []coord.Seq
	for _, p := range b.rung {
		for _, r := range p.Recipients {
			if r.Agent == to {
				seqs = append(seqs, p.Event.Seq)
			}
		}
	}
	return seqs
}
