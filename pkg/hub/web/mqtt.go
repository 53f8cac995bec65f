package web

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"github.com/coordhq/coord/pkg/coord"
)

// mqtt turns a request into a WebSocket that carries MQTT, and hands it on. A
// browser can set no header on one, so the credential is the password of the
// CONNECT inside; a foreign page cannot come this far.
func (s *Server) mqtt(w http.ResponseWriter, r *http.Request) error {
	switch {
	case s.o.MQTT == nil:
		return coord.Errorf(coord.NotFound, "use the hub's MQTT port or socket", "this hub does not serve MQTT over WebSocket")
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || !offers(r, "mqtt"):
		return coord.Errorf(coord.Invalid, `open a WebSocket with the subprotocol "mqtt" here`, "this request asks for no MQTT over WebSocket")
	}
	w.Header().Set("Connection", "close") // of a refusal: a stranger holds no connection
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		s.log.Debug("WebSocket refused", "err", err, "request_id", coord.RequestFrom(r.Context()))
		return nil // the library has answered
	}
	s.o.MQTT(tunnel{websocket.NetConn(context.Background(), ws, websocket.MessageBinary), ws})
	return nil
}

// offers reports whether the client speaks a subprotocol.
func offers(r *http.Request, subprotocol string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(name), subprotocol) {
				return true
			}
		}
	}
	return false
}

// tunnel is a WebSocket as a connection of bytes. Its end is the end of the TCP
// connection: a closing handshake would wait for a peer that may not read.
type tunnel struct {
	net.Conn
	ws *websocket.Conn
}

// Close cuts the connection.
func (t tunnel) Close() error { return t.ws.CloseNow() }
