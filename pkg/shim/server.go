package shim

import (
	"context"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// server makes the MCP server. Tools are not registered with it: lists and calls
// are caught before it looks at them, so their bytes stay as they are. When
// answering ends, calls under way are cut short.
func (s *Shim) server(answering context.Context) *mcp.Server {
	srv := mcptool.NewServer(s.o.Version, s.log)
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
		d.shim.session.begin(mcptool.Client(sessionOf(req)))
		return nil, nil
	case *mcp.ListToolsParams:
		return mcptool.List(d.offered, p)
	case *mcp.CallToolParamsRaw:
		d.shim.session.begin(mcptool.Client(sessionOf(req)))
		r := &request{call: callOf(req), params: p, session: sessionOf(req)}
		return mcptool.Answer(d.shim.log, p.Name, func() ([]byte, error) { return d.run(ctx, r) }), nil
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
	protocols := mcptool.Protocols()
	again.ProtocolVersion = protocols[0]
	if p := req.GetParams().(*mcp.InitializeParams); slices.Contains(protocols, p.ProtocolVersion) {
		again.ProtocolVersion = p.ProtocolVersion
	}
	return &again, nil
}

func sessionOf(req mcp.Request) *mcp.ServerSession {
	session, _ := req.GetSession().(*mcp.ServerSession)
	return session
}
