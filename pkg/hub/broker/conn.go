package broker

import (
	"net"
	"strconv"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

// conn is one client connection with all we know of it. The identity is written
// once, by the goroutine that serves the connection, before the MQTT server
// makes the client known to others.
type conn struct {
	net.Conn
	local         bool // a unix socket
	serial        uint64
	writeDeadline time.Duration
	sessions      Sessions

	caller  coord.Caller
	author  coord.AgentID    // stamped on what the client publishes
	key     coord.SessionKey // until the connection is open
	holder  holder
	grant   topic.Grant
	mount   mount
	private mount  // what is published under it reaches this connection only
	refusal string // why CONNECT is refused, for the client to read

	open bool // CONNECT was accepted; guarded by Broker.mu
	told bool // Sessions.Connected was called

	replay    []topic.Filter // granted by the SUBSCRIBE being handled; reader goroutine only
	replaying chan struct{}  // capacity 1: holds a token while retained messages are due
}

// holder is who holds a client id: the same id of another project, agent or
// member is another holder.
type holder struct {
	project coord.ProjectID
	agent   coord.AgentID
	member  coord.MemberID
	client  string
}

// id names the connection inside the MQTT server. It is never used twice, so
// the server's own take-over, which can leave the newcomer deaf, never happens.
func (c *conn) id() string { return "c" + strconv.FormatUint(c.serial, 10) }

// stillValid asks again whether the session's key is good, and forgets the key.
func (c *conn) stillValid() bool {
	if c.caller.Agent == "" {
		return true
	}
	caller, ok := c.sessions.Authenticate(c.key)
	c.key = ""
	return ok && caller.Agent == c.caller.Agent
}

// Write gives up after the deadline and closes the connection, which is the only
// way out of a peer that has stopped reading.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.writeDeadline)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		_ = c.Close()
	}
	return n, err
}

// SetDeadline moves the read deadline only: the MQTT server sets both from the
// keep-alive, which for writes would be far too long, or none at all.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// of gives our side of a client; nil for the server's own inline client.
func of(cl *mqtt.Client) *conn {
	c, _ := cl.Net.Conn.(*conn)
	return c
}
