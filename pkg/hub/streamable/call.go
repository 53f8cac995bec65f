package streamable

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// offered lists the tools: those of a shim, where register_agent also says where
// the client works, which a shim finds out by itself.
func offered(core bool) []*tool.Op {
	out := tool.Offered(core)
	for i, op := range out {
		if op.Name == tool.RegisterAgent.Name {
			wider := *op
			wider.In = reflect.StructOf(append(reflect.VisibleFields(op.In), reflect.VisibleFields(reflect.TypeFor[placeArgs]())...))
			out[i] = &wider
		}
	}
	return out
}

// placeArgs are the arguments that register_agent has here only.
type placeArgs struct {
	Project   coord.ProjectID `json:"project,omitempty" max:"1024" doc:"project id, like github.com/acme/shop; needed when the URL names none and several are live"`
	Workspace string          `json:"workspace,omitempty" max:"1024" doc:"absolute path of the working tree you edit; allows absolute paths, and tells who could overwrite your files"`
}

// call is one tools/call.
type call struct {
	post    *post
	session *session
	conn    *mcp.ServerSession
	params  *mcp.CallToolParamsRaw
	caller  coord.Caller // once it has joined
}

// locals are the operations that are answered from the inbox of the agent.
var locals = map[string]func(*call, context.Context, *agent, json.RawMessage) ([]byte, error){
	tool.WaitForMessage.Name:    (*call).waitForMessage,
	tool.GetQueuedMessages.Name: (*call).getQueuedMessages,
}

// run answers the call and logs it.
func (c *call) run(ctx context.Context) ([]byte, error) {
	start, request := time.Now(), coord.RequestFrom(c.post.ctx)
	answer, err := c.answer(coord.WithRequest(ctx, request))
	c.session.h.log.Info("tool call", "tool", c.params.Name, "agent", c.caller.Agent, "project", c.caller.Project, "bytes_in", len(c.params.Arguments), "bytes_out", len(answer),
		"tokens_in", coord.EstimateTokens(len(c.params.Arguments)), "tokens_out", coord.EstimateTokens(len(answer)), "ms", float64(time.Since(start).Microseconds())/1000, "code", coord.CodeOf(err), "request_id", request)
	return answer, err
}

func (c *call) answer(ctx context.Context) ([]byte, error) {
	op, err := mcptool.Find(c.session.offered, c.params.Name)
	if err != nil {
		return nil, err
	}
	if op.ReadOnly { // nothing is lost when it ends with the session, or with the client
		limited, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(c.session.waits, cancel)()
		defer context.AfterFunc(c.post.ctx, cancel)()
		ctx = limited
	}
	args, err := c.check(ctx, op)
	if err != nil {
		return nil, err
	}
	if op.Name == tool.RegisterAgent.Name {
		return c.register(ctx, args)
	}
	a, err := c.join(ctx, place{})
	if err != nil {
		return nil, err
	}
	if local := locals[op.Name]; local != nil {
		return local(c, ctx, a, args)
	}
	args, err = a.root.resolve(op, args)
	if err != nil {
		return nil, err
	}
	return c.forward(ctx, a, op.Name, args)
}

// forward lets the rules answer, and puts what is unread into the answer. A
// session key that a client brought is that of a shim, which does so itself.
func (c *call) forward(ctx context.Context, a *agent, op string, args json.RawMessage) ([]byte, error) {
	answer, err := a.rules.Call(coord.WithCaller(ctx, a.caller), op, args, "")
	room := mcptool.RideRoom(answer)
	if err != nil || room == 0 || a.key == "" || a.catchUp(ctx) != nil {
		return answer, err
	}
	news := c.post.carryNext(func() *inbox.Batch { return mcptool.TakeRide(a.queue, room) })
	full, _ := mcptool.Ride(answer, news, a.queue.Waiting(nil))
	return full, nil
}

// check reads the arguments against the operation's table. An own agent_id is
// allowed there, and only an agent has one.
func (c *call) check(ctx context.Context, op *tool.Op) (json.RawMessage, error) {
	var self coord.AgentID
	if bytes.Contains(c.params.Arguments, []byte(`"agent_id"`)) {
		a, err := c.join(ctx, place{})
		if err != nil {
			return nil, err
		}
		self = a.caller.Agent
	}
	return op.Check(c.params.Arguments, self)
}

func (c *call) join(ctx context.Context, at place) (*agent, error) {
	a, err := c.session.join(ctx, mcptool.Client(c.conn), at)
	if err == nil {
		c.caller = a.caller
	}
	return a, err
}

// register joins in the place that the client says, and leaves the rest to the
// rules.
func (c *call) register(ctx context.Context, args json.RawMessage) ([]byte, error) {
	var at place
	var rest map[string]json.RawMessage
	if err := json.Unmarshal(args, &at); err != nil {
		return nil, fmt.Errorf("read the place: %w", err)
	}
	if err := json.Unmarshal(args, &rest); err != nil {
		return nil, fmt.Errorf("read the arguments: %w", err)
	}
	delete(rest, "project")
	delete(rest, "workspace")
	a, err := c.join(ctx, at)
	if err != nil {
		return nil, err
	}
	return c.forward(ctx, a, tool.RegisterAgent.Name, mcptool.Encode(rest))
}
