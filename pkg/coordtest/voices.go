package coordtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/shim"
	"github.com/coordhq/coord/pkg/tool"
)

// voices are agents that have a shim each, and only that: what they do are tool
// calls, what they hear is what a model would get.
type voices struct {
	t       testing.TB
	root    string // their working trees lie below it
	members map[string]*voice
}

type voice struct {
	driver.Caller
	next  func(context.Context) (coord.Event, bool, error)
	leave func() error
	id    coord.AgentID
}

func newVoices(t testing.TB) voices {
	return voices{t: t, root: t.TempDir(), members: map[string]*voice{}}
}

// place makes the working tree of a role and gives the environment that names
// its project.
func (v *voices) place(as Role) (dir string, env []string, err error) {
	dir = filepath.Join(v.root, filepath.Base(as.Project), as.Workspace)
	return dir, []string{"COORDINATOR_PROJECT=" + as.Project}, os.MkdirAll(dir, 0o750)
}

// leaveAtEnd ends the agent's shim with the test, if it has not left before.
func (v *voices) leaveAtEnd(name string, m *voice) {
	v.t.Cleanup(func() {
		if err := m.leave(); err != nil {
			v.t.Errorf("%s ends: %v", name, err)
		}
	})
}

// enter notes who has joined, with the id that the hub gave it.
func (v *voices) enter(ctx context.Context, name string, m *voice) error {
	status, err := driver.Call(ctx, m, tool.CoordinatorStatus, tool.CoordinatorStatusIn{})
	if err != nil {
		return err
	}
	if status.Me == nil {
		return fmt.Errorf("the hub does not know the session of %s", name)
	}
	m.id = status.Me.ID
	v.members[name] = m
	return nil
}

func (v *voices) ID(name string) coord.AgentID {
	if m := v.members[name]; m != nil {
		return m.id
	}
	return ""
}

func (v *voices) Call(name, op string, args json.RawMessage) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	return v.members[name].Raw(ctx, op, args)
}

func (v *voices) Next(name string) (coord.Event, bool, error) {
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	return v.members[name].next(ctx)
}

func (v *voices) Leave(name string) error { return v.members[name].leave() }

func (v *voices) Settle() {}

// shims is a resident hub with shims in the test process.
type shims struct {
	*resident
	voices
}

func openShims(t testing.TB) (Stage, error) {
	r, err := newResident(t)
	return &shims{r, newVoices(t)}, err
}

func (s *shims) ID(name string) coord.AgentID { return s.voices.ID(name) }

// Join runs a shim on two pipes.
func (s *shims) Join(name string, as Role) error {
	ctx, cancel := context.WithTimeout(s.voices.t.Context(), patience)
	defer cancel()
	dir, env, err := s.place(as)
	if err != nil {
		return err
	}
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	sh, err := shim.New(shim.Options{Stdin: stdin, Stdout: stdout, Home: s.Path, Dir: dir, Getenv: getenv(env), AgentName: as.Label,
		Version: "test", HubBinary: filepath.Join(dir, "no-such-hub")})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		err := sh.Run(context.Background()) // until its stdin ends
		ended <- errors.Join(err, stdout.Close())
	}()
	c, err := driver.Converse(ctx, out, in, "")
	if err != nil {
		return errors.Join(err, in.Close(), <-ended)
	}
	m := &voice{Caller: c, next: c.Next, leave: onceError(func() error { return errors.Join(c.Close(), <-ended) })}
	s.leaveAtEnd(name, m)
	return s.enter(ctx, name, m)
}

// onceError makes a second call give the answer of the first.
func onceError(f func() error) func() error {
	var done bool
	var err error
	return func() error {
		if !done {
			done, err = true, f()
		}
		return err
	}
}

// getenv looks variables up in "KEY=value" entries.
func getenv(env []string) func(string) string {
	return func(key string) string {
		for _, kv := range env {
			if value, ok := strings.CutPrefix(kv, key+"="); ok {
				return value
			}
		}
		return ""
	}
}
