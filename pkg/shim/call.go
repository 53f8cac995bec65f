package shim

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// request is one tools/call.
type request struct {
	call    *call
	params  *mcp.CallToolParamsRaw
	session *mcp.ServerSession
}

// locals are the operations that a shim answers from its own queue.
var locals = map[string]func(*Shim, context.Context, *request, json.RawMessage) ([]byte, error){
	tool.WaitForMessage.Name:    (*Shim).waitForMessage,
	tool.GetQueuedMessages.Name: (*Shim).getQueuedMessages,
}

// run answers a tool call, with what the user should know.
func (d *door) run(ctx context.Context, r *request) ([]byte, error) {
	answer, err := d.answer(ctx, r)
	return d.shim.notices.add(r.params.Name, answer, err)
}

// answer runs a tool call: the operation, its arguments, then here or the hub.
func (d *door) answer(ctx context.Context, r *request) ([]byte, error) {
	op, err := mcptool.Find(d.offered, r.params.Name)
	if err != nil {
		return nil, err
	}
	args, err := d.shim.check(ctx, op, r.params.Arguments)
	if err != nil {
		return nil, err
	}
	if r.call.fresh {
		d.shim.reports.progress()
	}
	if local := locals[op.Name]; local != nil {
		return local(d.shim, ctx, r, args)
	}
	if id, ok := r.params.Meta[toolUse].(string); ok && len(id) <= maxToolUse {
		ctx = coord.WithToolUse(ctx, id)
	}
	d.shim.lookNow(ctx)
	answer, err := d.shim.forward(ctx, op, args)
	if err != nil {
		return nil, err
	}
	return d.shim.ride(ctx, r, answer), nil
}

// toolUse is where Claude Code tells which of its tool uses a call is; its hooks
// know which subagent that belongs to.
const (
	toolUse    = "claudecode/toolUseId"
	maxToolUse = 200 // bytes
)

// check reads the arguments against the operation's table. An own agent_id is
// allowed there, and only a session knows it.
func (s *Shim) check(ctx context.Context, op *tool.Op, args json.RawMessage) (json.RawMessage, error) {
	var self coord.AgentID
	if bytes.Contains(args, []byte(`"agent_id"`)) {
		l, err := s.session.current(ctx)
		if err != nil {
			return nil, err
		}
		self = l.me.AgentID
	}
	return op.Check(args, self)
}

// forward lets the hub answer.
func (s *Shim) forward(ctx context.Context, op *tool.Op, args json.RawMessage) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Patience+op.Waits)
	defer cancel()
	l, err := s.session.current(ctx)
	if err != nil {
		return nil, err
	}
	args, err = resolvePaths(ctx, l.space, op, args)
	if err != nil {
		return nil, err
	}
	return s.session.call(ctx, op, args)
}
