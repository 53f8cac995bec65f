package shim

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
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

// run answers a tool call: the operation, its arguments, then here or the hub.
func (d *door) run(ctx context.Context, r *request) ([]byte, error) {
	op, err := d.find(r.params.Name)
	if err != nil {
		return nil, err
	}
	args, err := d.shim.check(ctx, op, r.params.Arguments)
	if err != nil {
		return nil, err
	}
	if local := locals[op.Name]; local != nil {
		return local(d.shim, ctx, r, args)
	}
	return d.shim.forward(ctx, op, args)
}

// find gives an offered operation by name.
func (d *door) find(name string) (*tool.Op, error) {
	at := slices.IndexFunc(d.offered, func(op *tool.Op) bool { return op.Name == name })
	if at >= 0 {
		return d.offered[at], nil
	}
	close, all := []string{}, []string{}
	for _, op := range d.offered {
		all = append(all, op.Name)
		if similar(name, op.Name) {
			close = append(close, op.Name)
		}
	}
	next := "the tools are: " + strings.Join(all, ", ")
	if len(close) > 0 {
		next = "did you mean " + strings.Join(close, " or ") + "?"
	}
	return nil, coord.Errorf(coord.NotFound, next, "there is no tool %.100q", name)
}

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

// similar reports whether a name may be meant for another: one is part of the
// other, or a third of the letters at most is different.
func similar(typed, name string) bool {
	if len(typed) > 2*len(name) || len(typed) < 3 {
		return false
	}
	typed = strings.ReplaceAll(strings.ToLower(typed), "-", "_")
	return strings.Contains(name, typed) || strings.Contains(typed, name) || distance(typed, name) <= len(name)/3
}

// distance is the number of letters to insert, remove or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
