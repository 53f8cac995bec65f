package client

import (
	"context"
	"net"

	"github.com/coordhq/coord/pkg/client/peer"
)

// Connect opens a connection to a socket of this user's hub, as [peer.Connect]
// does. [Client] connects with it; so does who speaks MQTT to the hub's other
// socket.
func Connect(ctx context.Context, socket string) (net.Conn, error) { return peer.Connect(ctx, socket) }
