package coordtest

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Where agents are unless they say otherwise.
const (
	host    = "stage"
	project = "example.com/shop"
)

// registration is the role as a shim would tell it to the hub.
func (r Role) registration() coord.Registration {
	client := r.Client
	if client == "" {
		client = "coordtest"
	}
	return coord.Registration{Client: coord.ClientInfo{Name: client}, PID: r.Process.PID, PIDStart: r.Process.Start,
		Session: coord.SessionID(r.Session), Project: coord.ProjectID(r.Project), Fixed: !r.Found, Host: host,
		Workspace: coord.WorkspaceID(host + ":/" + r.Workspace), Label: r.Label}
}

// actor is one agent that is driven by its session key.
type actor struct {
	coord.Registered
	role  Role
	heard coord.Seq // events up to here have been given
	calls int
}

// actors are all agents of a stage, by name.
type actors map[string]*actor

func (as actors) id(name string) coord.AgentID {
	if a := as[name]; a != nil {
		return a.AgentID
	}
	return ""
}

// next reads the first event of an agent's inbox after those given.
func (as actors) next(name string, call func(name, op string, args json.RawMessage) (json.RawMessage, error)) (coord.Event, bool, error) {
	a := as[name]
	args, err := json.Marshal(tool.SyncIn{Epoch: a.Epoch, After: a.heard, Limit: 1})
	if err != nil {
		return coord.Event{}, false, err
	}
	raw, err := call(name, tool.Sync.Name, args)
	if err != nil {
		return coord.Event{}, false, err
	}
	var out tool.SyncOut
	if err := json.Unmarshal(raw, &out); err != nil {
		return coord.Event{}, false, fmt.Errorf("read inbox of %s: %w", name, err)
	}
	if len(out.Events) == 0 {
		return coord.Event{}, false, nil
	}
	_, d, err := coord.ParseWire(out.Events[0])
	a.heard = d.Seq
	return d.Event, true, err
}

// processTable knows which of the clients' processes of a scenario are alive:
// those that joined with one, until they are killed.
type processTable struct {
	mu    sync.Mutex // guards ended
	ended map[coord.Process]bool
}

func newProcessTable() *processTable { return &processTable{ended: map[coord.Process]bool{}} }

func (t *processTable) start(p coord.Process) { t.set(p, false) }
func (t *processTable) end(p coord.Process)   { t.set(p, true) }

func (t *processTable) set(p coord.Process, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended[p] = ended
}

func (t *processTable) alive(p coord.Process) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.ended[p]
}
