package mcptool

import (
	"log/slog"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Protocols lists the protocol versions that are spoken, newest first: those
// with a handshake.
func Protocols() []string {
	return []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}
}

// NewServer makes the MCP server that clients meet: it offers tools and no more.
// Nil log is none.
func NewServer(version string, log *slog.Logger) *mcp.Server {
	return mcp.NewServer(&mcp.Implementation{Name: "coord", Version: version}, &mcp.ServerOptions{
		Instructions:              tool.Instructions,
		Logger:                    log,
		Capabilities:              &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}}, // nil would promise logging
		SupportedProtocolVersions: Protocols(),
	})
}

// Client is what the client said of itself in its initialize; zero before.
func Client(s *mcp.ServerSession) coord.ClientInfo {
	if s == nil {
		return coord.ClientInfo{}
	}
	p := s.InitializeParams()
	if p == nil || p.ClientInfo == nil {
		return coord.ClientInfo{}
	}
	return coord.ClientInfo{Name: p.ClientInfo.Name, Version: p.ClientInfo.Version}
}
