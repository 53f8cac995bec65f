package coordtest

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// resident is a whole hub, with broker and doors, that lives in the test process.
type resident struct {
	*Home
	t      testing.TB
	daemon *daemon.Daemon
}

func newResident(t testing.TB) (*resident, error) {
	r := &resident{Home: NewHome(t), t: t}
	if err := r.up(); err != nil {
		return nil, err
	}
	t.Cleanup(r.down)
	return r, nil
}

func (r *resident) up() (err error) {
	if r.daemon, err = daemon.New(daemon.Options{Home: r.Path, Version: "test"}); err != nil {
		return err
	}
	return r.daemon.Start(context.Background()) // it outlives the test's own context by its cleanup
}

func (r *resident) down() {
	if err := r.daemon.Stop(context.Background()); err != nil {
		r.t.Errorf("stop the hub: %v", err)
	}
}

// Restart stops the hub and starts it again.
func (r *resident) Restart() error {
	r.down()
	return r.up()
}

// overTCP is a resident hub whose agents speak HTTP with its TCP door.
type overTCP struct {
	*resident
	actors
	door httpDoor
}

func openDaemon(t testing.TB) (Stage, error) {
	r, err := newResident(t)
	if err != nil {
		return nil, err
	}
	s := &overTCP{resident: r, actors: actors{}}
	return s, s.knock()
}

// knock finds the present door.
func (s *overTCP) knock() error {
	token, err := os.ReadFile(s.Path.TokenFile())
	if err != nil {
		return err
	}
	s.door = newHTTPDoor(s.daemon.Discovery().HTTP, strings.TrimSpace(string(token)), new(net.Dialer).DialContext)
	return nil
}

func (s *overTCP) Join(name string, as Role) error {
	r, err := s.door.register(as.registration())
	if err != nil {
		return err
	}
	s.actors[name] = &actor{Registered: r, role: as, heard: r.Head}
	return nil
}

func (s *overTCP) ID(name string) coord.AgentID { return s.id(name) }

func (s *overTCP) Call(name, op string, args json.RawMessage) (json.RawMessage, error) {
	return s.door.call(s.actors[name], op, args)
}

func (s *overTCP) Next(name string) (coord.Event, bool, error) { return s.next(name, s.Call) }

func (s *overTCP) Leave(name string) error { return s.door.leave(s.actors[name]) }

func (s *overTCP) Restart() error {
	if err := s.resident.Restart(); err != nil {
		return err
	}
	return s.knock()
}

func (s *overTCP) Settle() {}
