package coordtest

import (
	"context"
	"errors"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/tool"
)

// Agent is an MCP client with its own shim, whose refusals end the test.
type Agent struct {
	*driver.Session
	Name string
	home *Home
	t    testing.TB
}

// Agent starts a shim in dir and initialises a session under the given name.
func (h *Home) Agent(name, dir string) *Agent {
	h.t.Helper()
	a, err := h.StartAgent(h.t.Context(), name, dir)
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	return a
}

// StartAgent is Agent for goroutines, which must not end the test. More
// "KEY=value" entries of its environment may be given.
func (h *Home) StartAgent(ctx context.Context, name, dir string, env ...string) (*Agent, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := driver.Start(ctx, h.options(name, dir, env...))
	if err != nil {
		return nil, err
	}
	h.closeAtEnd(name, s)
	return &Agent{Session: s, Name: name, home: h, t: h.t}, nil
}

// Try calls an operation; it is safe in any goroutine.
func Try[In, Out any](ctx context.Context, a *Agent, op tool.Spec[In, Out], in In) (Out, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return driver.Call(ctx, a.Session, op, in)
}

// Call calls an operation and ends the test when it is refused.
func Call[In, Out any](a *Agent, op tool.Spec[In, Out], in In) Out {
	a.t.Helper()
	out, err := Try(a.t.Context(), a, op, in)
	if err != nil {
		a.t.Fatalf("%s: %s: %v", a.Name, op.Name, err)
	}
	return out
}

// Announce announces files.
func (a *Agent) Announce(files ...string) tool.AnnounceWorkOut {
	a.t.Helper()
	return Call(a, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "work of " + a.Name, TargetFiles: files})
}

// Waiting starts wait_for_message and returns once the shim is at it; the result
// gives the end of the wait.
func (a *Agent) Waiting() <-chan error {
	a.t.Helper()
	ended := make(chan error, 1)
	go func() {
		out, err := Try(a.t.Context(), a, tool.WaitForMessage, tool.WaitForMessageIn{})
		if err == nil && out.Timeout {
			err = errors.New("the wait is over and nothing came")
		}
		ended <- err
	}()
	if !Eventually(patience, func() bool { return a.home.sent(a.Name, tool.WaitForMessage.Name) }) {
		a.t.Fatalf("%s: the call was not sent", a.Name)
	}
	a.Status() // the shim reads in order: it has read the wait before this
	select {
	case err := <-ended:
		a.t.Fatalf("%s: the wait ended at once: %v", a.Name, err)
	default:
	}
	return ended
}

// Status asks for the coordinator's status.
func (a *Agent) Status() tool.CoordinatorStatusOut {
	a.t.Helper()
	return Call(a, tool.CoordinatorStatus, tool.CoordinatorStatusIn{})
}

// ID is the agent id that the hub gave this session.
func (a *Agent) ID() coord.AgentID {
	a.t.Helper()
	me := a.Status().Me
	if me == nil {
		a.t.Fatalf("%s: the hub does not know this session", a.Name)
	}
	return me.ID
}

// Await gives the next event of a kind, waiting for it; events before it are
// passed over and not given again.
func (a *Agent) Await(kind coord.EventKind) coord.Event {
	a.t.Helper()
	return a.AwaitThat(string(kind), func(d coord.Event) bool { return d.Kind == kind })
}

// AwaitThat is Await for any condition; what names it in the failure.
func (a *Agent) AwaitThat(what string, wanted func(coord.Event) bool) coord.Event {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	d, err := a.Session.Await(ctx, wanted)
	if err != nil {
		a.t.Fatalf("%s waits for %s: %v", a.Name, what, err)
	}
	return d
}

// Payload reads the fields that an event's kind gives it.
func Payload[P any](t testing.TB, d coord.Event) P {
	t.Helper()
	p, err := driver.Payload[P](d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
