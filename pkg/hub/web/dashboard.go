package web

import (
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/auth"
)

// pagePolicy lets the dashboard use its own files and the hub's answers, and
// nothing else: no inline code or style, no other origin, no frame around it.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// proofHeader must stand in each changing request that a cookie vouches for. A
// page of another origin cannot set it without asking first, and is refused.
const proofHeader = "X-Coord-Dashboard"

// pageTypes are the content types of the dashboard's files.
var pageTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// page serves a file of the dashboard. The files are the same for everybody and
// hold no data: what they show comes from the routes that want a credential.
func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	switch {
	case r.URL.Path == "/dashboard/":
		redirect(w, r, http.StatusPermanentRedirect, "/dashboard")
		return nil
	case name == "":
		name = "index.html"
	}
	kind := pageTypes[path.Ext(name)]
	body, err := s.o.Pages.ReadFile(name)
	if err != nil || kind == "" {
		return coord.Errorf(coord.NotFound, "open /dashboard", "the dashboard has no such file")
	}
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-cache")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if connOf(r).isStranger() {
		h.Set("Connection", "close")
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // #nosec G705 -- a file of ours; a reader that is gone needs no answer
	return nil
}

// link answers POST /api/dashboard/link with the address of the dashboard and
// the secret that lets a browser in once.
func (s *Server) link(w http.ResponseWriter, r *http.Request) error {
	base := s.o.Facts().HTTP
	if base == "" {
		return coord.Errorf(coord.Unavailable, "see coord-hub logs for why it is closed", "this hub has no HTTP door that a browser could use")
	}
	s.logs.auth.Info("a link to the dashboard was given", "request_id", coord.RequestFrom(r.Context()))
	write(w, r, http.StatusCreated, client.Link{URL: "http://" + base + "/enter?once=" + s.visits.Link(), Seconds: int(auth.LinkLife.Seconds())})
	return nil
}

// enter exchanges a one-time link for the cookie and goes on to the page, whose
// address holds no secret.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) error {
	to := "/dashboard#used" // the page says what to do, or just works with the cookie it has
	if cookie, ok := s.visits.Exchange(r.URL.Query().Get("once")); ok {
		http.SetCookie(w, &http.Cookie{Name: cookieName(r), Value: cookie, Path: "/", MaxAge: int(auth.VisitLife.Seconds()),
			HttpOnly: true, SameSite: http.SameSiteStrictMode}) // #nosec G124 -- plain http on loopback, where Secure would lose it
		to = "/dashboard"
		s.logs.auth.Info("a browser was let in", "remote", remote(r).String(), "request_id", coord.RequestFrom(r.Context()))
	} else {
		s.logs.auth.Info("a link to the dashboard was refused", "remote", remote(r).String(), "request_id", coord.RequestFrom(r.Context()))
	}
	redirect(w, r, http.StatusSeeOther, to)
	return nil
}

// redirect sends a browser on to a path of ours.
func redirect(w http.ResponseWriter, r *http.Request, status int, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Content-Length", "0")
	if connOf(r).isStranger() {
		h.Set("Connection", "close")
	}
	w.WriteHeader(status)
}

// cookieName differs by port: browsers do not keep the cookies of two hubs on
// one address apart.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	return "coord-" + port
}

// visiting tells whether the cookie of the dashboard vouches for a request. One
// that changes something must come from the page itself.
func (s *Server) visiting(r *http.Request) (bool, *coord.Error) {
	c, err := r.Cookie(cookieName(r))
	if err != nil || connOf(r).door.local || !s.visits.Good(c.Value) {
		return false, nil
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true, nil
	}
	if r.Header.Get("Origin") == "" || r.Header.Get(proofHeader) == "" || !strings.EqualFold(r.Header.Get("Origin"), "http://"+r.Host) {
		return false, coord.Errorf(coord.Forbidden, "use the dashboard, or the token", "a change on the word of a cookie wants the headers Origin and "+proofHeader)
	}
	return true, nil
}
