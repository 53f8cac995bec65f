package web

import (
	"net/http"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

const mcpPath = "/mcp"

// MCP serves MCP clients over Streamable HTTP; it is implemented by
// streamable.Handler. It finds the caller in the request's context.
type MCP interface {
	http.Handler
	SessionOf(r *http.Request) string // the live MCP session a request belongs to, "" = none
}

func (s *Server) mcp(w http.ResponseWriter, r *http.Request) error {
	if s.o.MCP == nil {
		return coord.Errorf(coord.NotFound, "connect with coord-shim", "this hub does not serve MCP over HTTP")
	}
	s.o.MCP.ServeHTTP(w, r)
	return nil
}

// payer is whose allowance of calls a request is taken from: clients of one user
// all show the same token, so each MCP session has an allowance of its own; so
// has each session whose hooks come through the unix socket.
func (s *Server) payer(r *http.Request, c coord.Caller) coord.Caller {
	if c.Operator && strings.HasPrefix(r.URL.Path, hooksPath) {
		return hookPayer(r, c)
	}
	if s.o.MCP == nil || r.URL.Path != mcpPath {
		return c
	}
	if id := s.o.MCP.SessionOf(r); id != "" {
		return coord.Caller{Agent: coord.AgentID("mcp:" + id)}
	}
	return c
}
