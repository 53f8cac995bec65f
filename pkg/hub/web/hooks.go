package web

import (
	"net/http"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// hooksPath is where the routes of hooks begin.
const hooksPath = "/api/hooks/"

// SessionHeader names the client session a hook belongs to, so that each has its
// own allowance of calls. It opens nothing.
const SessionHeader = "Coord-Session"

// maxSession is the longest session id that counts, in bytes.
const maxSession = 200

// hook takes one hook of a client's session: what happened and where, never the
// client's own JSON.
func (s *Server) hook(w http.ResponseWriter, r *http.Request) error {
	start := time.Now()
	in, err := readKnown[coord.HookCall](r) // a newer coord-hook may say more
	if err != nil {
		return err
	}
	client, event := r.PathValue("client"), r.PathValue("event")
	answer, err := s.o.Rules.Hook(r.Context(), client, coord.HookEvent(event), in)
	s.logs.hook.Debug("hook", "client", client, "event", event, "session", in.Session, "bytes_out", len(answer),
		"ms", float64(time.Since(start).Microseconds())/1000, "code", coord.CodeOf(err), "request_id", coord.RequestFrom(r.Context()))
	if err != nil {
		return err
	}
	write(w, r, http.StatusOK, answer)
	return nil
}

// hookPayer gives each session on the unix socket its own allowance; on TCP the
// token pays.
func hookPayer(r *http.Request, c coord.Caller) coord.Caller {
	session := r.Header.Get(SessionHeader)
	if !connOf(r).door.local || session == "" || len(session) > maxSession {
		return c
	}
	return coord.Caller{Agent: coord.AgentID("hook:" + session)}
}
