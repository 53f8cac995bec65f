package mcptool

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// ProgressEvery is the time between two signs of life of a call that waits.
const ProgressEvery = 10 * time.Second

// Progress gives a sign of life to a client that asked for it with its call.
func Progress(ctx context.Context, s *mcp.ServerSession, p *mcp.CallToolParamsRaw, waited, limit time.Duration) {
	token := p.GetProgressToken()
	if token == nil {
		return
	}
	_ = s.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ // its loss shows when the answer is written
		ProgressToken: token, Message: "waiting for news",
		Progress: waited.Seconds(), Total: limit.Seconds(),
	})
}
