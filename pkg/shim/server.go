package shim

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// protocols are the versions we speak, newest first: those with a handshake.
var protocols = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// rawResult is a result that goes out as it is.
type rawResult struct {
	mcp.ResultBase
	body json.RawMessage
}

// MarshalJSON gives the result's own bytes.
func (r *rawResult) MarshalJSON() ([]byte, error) { return r.body, nil }

// server makes the MCP server. Tools are not registered with it: lists and calls
// are caught before it looks at them, so their bytes stay as they are. When
// answering ends, calls under way are cut short.
func (s *Shim) server(answering context.Context) *mcp.Server {
	srv := mcp.NewServer(&mcp.Implementation{Name: "coord", Version: s.o.Version}, &mcp.ServerOptions{
		Instructions:              tool.Instructions,
		Logger:                    s.log,
		Capabilities:              &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}},
		SupportedProtocolVersions: protocols,
	})
	door := &door{shim: s, offered: tool.Offered(s.o.Core)}
	srv.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(answering, cancel)()
			return door.receive(ctx, method, req, next)
		}
	})
	return srv
}

// door is the shim as its MCP server sees it.
type door struct {
	shim    *Shim
	offered []*tool.Op

	mu    sync.Mutex            // guards hello
	hello *mcp.InitializeResult // the answer to the first initialize
}

func (d *door) receive(ctx context.Context, method string, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	switch p := req.GetParams().(type) {
	case *mcp.InitializeParams:
		return d.initialize(ctx, method, req, next)
	case *mcp.InitializedParams:
		if _, err := next(ctx, method, req); err != nil {
			return nil, err // too early, or said before
		}
		d.shim.session.begin(clientInfo(req))
		return nil, nil
	case *mcp.ListToolsParams:
		if p != nil && p.Cursor != "" {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "unknown cursor: the list has one page"}
		}
		return offer(d.offered), nil
	case *mcp.CallToolParamsRaw:
		d.shim.session.begin(clientInfo(req))
		return d.call(ctx, &request{call: callOf(req), params: p, session: req.GetSession().(*mcp.ServerSession)}), nil
	}
	return next(ctx, method, req)
}

// initialize answers a client that introduces itself again like the first time:
// some do after a probe or a reconnection, and the library would refuse them.
func (d *door) initialize(ctx context.Context, method string, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hello == nil {
		res, err := next(ctx, method, req)
		if hello, ok := res.(*mcp.InitializeResult); ok && err == nil {
			d.hello = hello
		}
		return res, err
	}
	again := *d.hello
	again.ProtocolVersion = protocols[0]
	if p := req.GetParams().(*mcp.InitializeParams); slices.Contains(protocols, p.ProtocolVersion) {
		again.ProtocolVersion = p.ProtocolVersion
	}
	return &again, nil
}

// clientInfo is what the client said of itself in its first initialize.
func clientInfo(req mcp.Request) coord.ClientInfo {
	session, ok := req.GetSession().(*mcp.ServerSession)
	if !ok {
		return coord.ClientInfo{}
	}
	p := session.InitializeParams()
	if p == nil || p.ClientInfo == nil {
		return coord.ClientInfo{}
	}
	return coord.ClientInfo{Name: p.ClientInfo.Name, Version: p.ClientInfo.Version}
}

// call runs a tool call and makes its result. A fault of ours is told to the
// client and kept from ending the session.
func (d *door) call(ctx context.Context, r *request) (res mcp.Result) {
	defer func() {
		if p := recover(); p != nil {
			d.shim.log.Error("a tool call panicked", "tool", r.params.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			res = failure(coord.Errorf(coord.Internal, "this is a fault of coord; go on without it", "%s failed in the shim", r.params.Name))
		}
	}()
	answer, err := d.run(ctx, r)
	if err != nil {
		return failure(err)
	}
	return success(answer)
}
