package streamable

import (
	"context"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
)

const sessionHeader = "Mcp-Session-Id"

// ServeHTTP serves one request of a client whose caller the guard has put into
// the context.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, ok := coord.CallerFrom(r.Context())
	if !ok {
		http.Error(w, "this door wants a credential", http.StatusUnauthorized)
		return
	}
	s := h.find(r.Header.Get(sessionHeader))
	switch {
	case r.Header.Get(sessionHeader) == "":
		s = h.newSession(caller, r.URL.Query())
	case s == nil:
		http.Error(w, "session not found: it has ended, or the hub was restarted; initialize again", http.StatusNotFound)
		return
	case !s.opensTo(caller):
		h.log.Warn("an MCP session was asked for with another credential", "member", caller.Member, "agent", caller.Agent)
		http.Error(w, "this session belongs to another credential", http.StatusForbidden)
		return
	}
	stream := r.Method == http.MethodGet
	s.enter(stream)
	defer s.leave(stream)
	h.serve(&post{session: s, ctx: r.Context()}, w, r)
}

// serve hands a request to the library.
func (h *Handler) serve(p *post, w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet: // its end is open
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // only a test's recorder has none
	case http.MethodPost:
		if !p.read(w, r) {
			return
		}
	case http.MethodDelete:
		p.session.endWaits() // the library waits for them
	}
	out := &writer{ResponseWriter: w, client: p.ctx}
	r = r.Clone(context.WithValue(r.Context(), postKey{}, p))
	r.Header.Set("Authorization", "Bearer checked") // the guard has; the credential goes no further
	p.begin(out)
	h.protocol.ServeHTTP(out, r)
	out.end()
	p.settle()
	if r.Method == http.MethodDelete && out.status == http.StatusNoContent {
		<-p.session.left
	}
}

type postKey struct{}

// introduce tells the library whose request it has, and lets the request travel
// with the message: the library hands a handler only what belongs to a token.
func introduce(ctx context.Context, _ string, _ *http.Request) (*auth.TokenInfo, error) {
	p := ctx.Value(postKey{}).(*post)
	return &auth.TokenInfo{
		UserID: string(p.session.opener.Member) + "\x00" + string(p.session.opener.Agent),
		Extra:  map[string]any{"post": p},
	}, nil
}

func postOf(req mcp.Request) *post {
	return req.GetExtra().TokenInfo.Extra["post"].(*post)
}
