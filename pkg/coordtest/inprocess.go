package coordtest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
	"github.com/coordhq/coord/pkg/tool"
)

// InProcess is a hub inside the test process, with a real database and a publisher
// that keeps what it is given.
type InProcess struct {
	t      testing.TB
	path   string
	store  *sqlite.Store
	hub    *hub.Hub
	bell   *bell
	actors map[string]*actor
	starts int
}

// Where agents are unless they say otherwise.
const (
	host    = "stage"
	project = "example.com/shop"
)

// actor is one agent in the process.
type actor struct {
	coord.Registered
	heard coord.Seq // events up to here have been asserted
	calls int
}

// NewInProcess starts a hub on an empty database; it stops with the test.
func NewInProcess(t testing.TB) *InProcess {
	t.Helper()
	p := &InProcess{t: t, path: filepath.Join(t.TempDir(), "coordinator.db"), actors: map[string]*actor{}}
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
		Version: "test", Instance: fmt.Sprintf("in-process-%d", p.starts), Host: host})
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

// Join brings an agent on, in the usual project and workspace.
func (p *InProcess) Join(name string) {
	p.t.Helper()
	if err := p.join(name, project, host+":/main"); err != nil {
		p.t.Fatalf("%s joins: %v", name, err)
	}
}

// join registers an agent and connects it as a shim does.
func (p *InProcess) join(name string, project coord.ProjectID, workspace coord.WorkspaceID) error {
	r, err := p.hub.Register(context.Background(), "tester", coord.Registration{
		Client: coord.ClientInfo{Name: "coordtest"}, Project: project, Workspace: workspace, Host: host, Label: name})
	if err != nil {
		return err
	}
	p.actors[name] = &actor{Registered: r, heard: r.Head}
	p.hub.Connected(r.AgentID, true)
	return nil
}

// Call runs an operation as an agent, through the identity of its session key.
func (p *InProcess) Call(name, op string, args json.RawMessage) (json.RawMessage, error) {
	a := p.actors[name]
	caller, ok := p.hub.Authenticate(a.SessionKey)
	if !ok {
		return nil, coord.Errorf(coord.Unauthorized, "", "the hub does not know the session of %s", name)
	}
	a.calls++
	key := fmt.Sprintf("%s-%d-%d", name, p.starts, a.calls)
	return p.hub.Call(coord.WithCaller(context.Background(), caller), op, args, key)
}

// leave ends an agent's session.
func (p *InProcess) leave(name string) error {
	caller, ok := p.hub.Authenticate(p.actors[name].SessionKey)
	if !ok {
		return fmt.Errorf("the hub does not know the session of %s", name)
	}
	return p.hub.Leave(coord.WithCaller(context.Background(), caller))
}

// news reads what an agent has got and not asserted yet, and checks that each
// of it was also pushed, if this hub was there to push it.
func (p *InProcess) news(name string) ([]coord.Delivery, error) {
	a := p.actors[name]
	args, err := json.Marshal(tool.SyncIn{Epoch: a.Epoch, After: a.heard, Limit: 200})
	if err != nil {
		return nil, err
	}
	raw, err := p.Call(name, tool.Sync.Name, args)
	if err != nil {
		return nil, err
	}
	var out tool.SyncOut
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	pushed := p.bell.pushed(a.AgentID)
	var events []coord.Delivery
	for _, line := range out.Events {
		_, d, err := coord.ParseWire(line)
		if err != nil {
			return nil, err
		}
		if p.starts == 1 && !slices.Contains(pushed, d.Seq) {
			return nil, fmt.Errorf("event %d (%s) stands in the inbox of %s and was not published to it", d.Seq, d.Kind, name)
		}
		events = append(events, d)
	}
	return events, nil
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
