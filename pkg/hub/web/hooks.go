package web

import (
	"context"
	"encoding/json"
	"fmt"
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
	if c := connOf(r); c.door.local {
		if err := c.handOut(coord.HookEvent(event), answer); err != nil {
			return err
		}
	}
	write(w, r, http.StatusOK, answer)
	return nil
}

// handOut notes what a hook is about to write out, until it says that it has: on
// the same connection, which ends with the hook's process.
func (c *conn) handOut(event coord.HookEvent, answer json.RawMessage) error {
	var said struct {
		Receipt *coord.HookReceipt `json:"receipt"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return fmt.Errorf("read the answer to a hook: %w", err)
	}
	if said.Receipt == nil && event != coord.HookWritten {
		return nil
	}
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	c.owed = said.Receipt
	return nil
}

// goneLimit bounds the note that a hook has ended.
const goneLimit = 5 * time.Second

// gone tells the rules what a hook that has ended leaves unwritten.
func (d *door) gone(owed *coord.HookReceipt) {
	ctx, cancel := context.WithTimeout(context.Background(), goneLimit)
	defer cancel()
	d.web.o.Rules.HookGone(ctx, *owed)
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
