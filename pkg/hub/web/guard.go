package web

import (
	"crypto/rand"
	"mime"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/auth"
)

// front is what every request meets first, known route or not: headers that
// keep a browser from misusing the answer, a request id, recovery from a panic,
// and the refusal of whatever a web page may have sent.
func (s *Server) front(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := "r-" + strings.ToLower(rand.Text()[:12])
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		a := &answer{ResponseWriter: w}
		r = r.WithContext(coord.WithRequest(r.Context(), id))
		defer s.recover(a, r)
		if status, err := crossSite(r); err != nil {
			refuse(a, r, status, err)
			return
		}
		next.ServeHTTP(a, r)
	})
}

// recover turns a panic of a handler into a 500; the hub goes on.
func (s *Server) recover(a *answer, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v) // net/http's own way to cut an answer
	}
	s.log.Error("panic in a handler", "panic", v, "stack", string(debug.Stack()), "request_id", coord.RequestFrom(r.Context()))
	if a.status != 0 {
		panic(http.ErrAbortHandler) // too late for words: cut, so that no half answer passes for a whole one
	}
	refuse(a, r, http.StatusInternalServerError, internal())
}

// crossSite refuses what a page in the user's browser could send: a foreign
// Host (DNS rebinding), a foreign Origin, a changing request from another site.
// A unix socket is out of a browser's reach, so any Origin is foreign there.
func crossSite(r *http.Request) (status int, err *coord.Error) {
	d := connOf(r).door
	if !d.local && !slices.ContainsFunc(d.hosts, func(h string) bool { return strings.EqualFold(h, r.Host) }) {
		return http.StatusMisdirectedRequest, coord.Errorf(coord.Forbidden, "use one of "+strings.Join(d.hosts, ", "), "this hub does not go by the name in the Host header")
	}
	for _, origin := range r.Header.Values("Origin") {
		if d.local || !strings.EqualFold(origin, "http://"+r.Host) {
			return http.StatusForbidden, coord.Errorf(coord.Forbidden, "call the hub from its own pages, or from outside a browser", "a page of another origin has sent this request")
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return 0, nil
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return http.StatusForbidden, coord.Errorf(coord.Forbidden, "call the hub from its own pages, or from outside a browser", "a page of another site has sent this request")
		}
	}
	return 0, nil
}

// guarded stands before one route.
func (s *Server) guarded(row route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isJSON(r) {
			refuse(w, r, http.StatusUnsupportedMediaType, coord.Errorf(coord.Invalid, "send JSON with Content-Type: application/json", "the content type of the request is not JSON"))
			return
		}
		caller, status, err := s.admit(row, r)
		if err != nil {
			refuse(w, r, status, err)
			return
		}
		if !row.Always {
			leave, serving := s.o.Enter()
			if !serving {
				w.Header().Set("Connection", "close")
				refuse(w, r, http.StatusServiceUnavailable, coord.Errorf(coord.Unavailable, "try again, another hub takes over", "this hub is leaving"))
				return
			}
			defer leave()
			if err := s.rates.take(connOf(r).door.local, s.payer(r, caller)); err != nil {
				refuse(w, r, http.StatusTooManyRequests, err)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, s.o.Limits.Body)
		r = r.WithContext(coord.WithCaller(r.Context(), caller))
		if err := row.handle(s, w, r); err != nil {
			refuse(w, r, statusOf(err), err)
		}
	})
}

// isJSON reports whether a body is declared as JSON: a content type that no page
// can send to another site without asking first. A request without a body needs
// none: what lets it in, a token, a session's key or the header that goes with
// the cookie, a page cannot send so either.
func isJSON(r *http.Request) bool {
	if r.ContentLength == 0 {
		return true
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// admit decides whether the request's credential opens this route.
func (s *Server) admit(row route, r *http.Request) (c coord.Caller, status int, err *coord.Error) {
	if row.Access == Open || row.Access == Page || row.Access == Broker {
		return coord.Caller{}, 0, nil
	}
	c, err = s.identify(r)
	if err != nil {
		return c, statusOf(err), err
	}
	conn := connOf(r)
	conn.known()
	switch {
	case row.Access == Session && c.Operator:
		err = coord.Errorf(coord.Unauthorized, "send the session key as bearer", "this route is for a session")
	case row.Access == Operator && !c.Operator:
		err = coord.Errorf(coord.Forbidden, "leave the session key out, or send the token", "this route is for the user, not for a session")
	case row.Access == Local && !(c.Operator && conn.door.local):
		err = coord.Errorf(coord.Forbidden, "use the coord-hub command on the hub's machine", "this route is for the user, on the unix socket only")
	}
	if err != nil {
		return c, statusOf(err), err
	}
	return c, 0, nil
}

// identify tells who has sent the request.
func (s *Server) identify(r *http.Request) (coord.Caller, *coord.Error) {
	operator := coord.Caller{Member: s.o.Member, Operator: true, Project: coord.ProjectID(r.URL.Query().Get("project"))}
	local := connOf(r).door.local
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 && local {
		return operator, nil
	}
	if len(headers) == 0 {
		switch ok, err := s.visiting(r); {
		case err != nil:
			return coord.Caller{}, err
		case ok:
			return operator, nil
		}
		return coord.Caller{}, coord.Errorf(coord.Unauthorized, "send the token or a session key as Authorization: Bearer", "this door wants a credential")
	}
	scheme, secret, _ := strings.Cut(headers[0], " ")
	if len(headers) == 1 && strings.EqualFold(scheme, "Bearer") {
		if auth.Equal(secret, s.o.Token) {
			return operator, nil
		}
		if c, ok := s.o.Rules.Authenticate(coord.SessionKey(secret)); ok {
			return c, nil
		}
	}
	if !local && s.failures.Failed(remote(r)) {
		s.logs.auth.Debug("credential refused, over the limit", "remote", remote(r).String(), "request_id", coord.RequestFrom(r.Context()))
		return coord.Caller{}, coord.Errorf(coord.RateLimited, "wait a minute", "the limit of %d failed authentications per minute and address is reached", auth.FailuresPerMinute)
	}
	s.logs.auth.Info("credential refused", "local", local, "remote", remote(r).String(), "request_id", coord.RequestFrom(r.Context()))
	return coord.Caller{}, coord.Errorf(coord.Unauthorized, "register again, or send the token of this hub", "the hub does not know this credential")
}

// still reports whether the credential that the request was admitted with is
// good: the key of a session is until the session ends.
func (s *Server) still(r *http.Request, c coord.Caller) bool {
	if c.Operator {
		return true
	}
	_, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	now, ok := s.o.Rules.Authenticate(coord.SessionKey(secret))
	return ok && now.Agent == c.Agent
}

// remote gives the address of the other side, the zero Addr when it has none.
func remote(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr()
}

// internal is all that a caller learns of a fault of ours.
func internal() *coord.Error {
	return coord.Errorf(coord.Internal, "look for the request id in the hub's log (coord-hub logs)", "something failed inside the hub")
}
