package web

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// Access says who may use a route.
type Access string

// Open wants no credential and shows nothing; Broker wants none either, since
// the connection becomes one of the broker, which wants it in the first packet;
// Member is a session or the operator; Session and Operator are one of them
// only; Local is the operator on the unix socket. Page wants no credential, since
// its files are the same for everybody and hold no data.
const (
	Open     Access = "open"
	Page     Access = "page"
	Broker   Access = "broker"
	Member   Access = "member"
	Session  Access = "session"
	Operator Access = "operator"
	Local    Access = "local"
)

// Route is one row of the table of routes.
type Route struct {
	Method  string
	Pattern string // of http.ServeMux, without the method
	Access  Access
	Always  bool // answered while the hub leaves, not rate limited, no sign of use
}

// route is a Route and what it does.
type route struct {
	Route
	handle func(*Server, http.ResponseWriter, *http.Request) error
}

// table is every route there is.
func table() []route {
	return append(readRoutes(), []route{
		{Route{"POST", "/api/sessions", Operator, false}, (*Server).register},
		{Route{"DELETE", "/api/sessions", Session, false}, (*Server).leave},
		{Route{"POST", "/api/tools/{name}", Member, false}, (*Server).tool},
		{Route{"POST", hooksPath + "{client}/{event}", Member, false}, (*Server).hook},
		{Route{"GET", "/api/hello", Member, true}, (*Server).hello},
		{Route{"GET", "/api/status", Member, false}, (*Server).status},
		{Route{"POST", "/api/stop", Local, true}, (*Server).stop},
		{Route{"GET", "/api/quota", Member, false}, (*Server).quota},
		{Route{"POST", "/api/quota/refresh", Member, false}, (*Server).quota},
		{Route{"GET", "/api/tokens", Member, false}, (*Server).tokens},
		{Route{"POST", "/api/tokens", Member, false}, (*Server).recordTokens},
		{Route{"POST", "/api/release", Operator, false}, (*Server).releasePath},
		{Route{"DELETE", "/api/leases/{id}", Operator, false}, (*Server).releaseLease},
		{Route{"POST", "/api/threads/{id}/messages", Operator, false}, (*Server).humanPost},
		{Route{"POST", "/api/threads/{id}/close", Operator, false}, (*Server).humanClose},
		{Route{"POST", mcpPath, Member, false}, (*Server).mcp},
		{Route{"GET", mcpPath, Member, false}, (*Server).mcp},
		{Route{"DELETE", mcpPath, Member, false}, (*Server).mcp},
		{Route{"GET", "/mqtt", Broker, false}, (*Server).mqtt},
		{Route{"GET", "/metrics", Operator, false}, (*Server).metrics},
		{Route{"GET", "/health", Open, true}, (*Server).health},
		{Route{"GET", "/livez", Open, true}, (*Server).health},
		{Route{"GET", "/readyz", Member, true}, (*Server).ready},
		{Route{"GET", "/api/events", Member, false}, (*Server).events},
		{Route{"POST", "/api/dashboard/link", Local, false}, (*Server).link},
		{Route{"GET", "/dashboard", Page, false}, (*Server).page},
		{Route{"GET", "/dashboard/{file...}", Page, false}, (*Server).page},
		{Route{"GET", "/enter", Page, false}, (*Server).enter},
	}...)
}

// Routes lists the table of routes.
func Routes() []Route {
	var out []Route
	for _, r := range table() {
		out = append(out, r.Route)
	}
	return out
}

// mux serves the table. What is not in it is 404, a path in it with another
// method 405, both in our own words.
func (s *Server) mux(rows []route) http.Handler {
	m := http.NewServeMux()
	methods := map[string][]string{}
	for _, row := range rows {
		m.Handle(row.Method+" "+row.Pattern, s.guarded(row))
		methods[row.Pattern] = append(methods[row.Pattern], row.Method)
	}
	for pattern, allowed := range methods {
		m.Handle(pattern, wrongMethod(allowed))
	}
	m.HandleFunc("/", unknown)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path.Clean(r.URL.Path) && r.URL.Path != "/dashboard/" { // ServeMux would redirect to the clean form
			unknown(w, r)
			return
		}
		m.ServeHTTP(w, r)
	})
}

func unknown(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusNotFound, coord.Errorf(coord.NotFound, "see the list of routes in the documentation", "there is no such route"))
}

func wrongMethod(allowed []string) http.Handler {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		refuse(w, r, http.StatusMethodNotAllowed, coord.Errorf(coord.Invalid, "use "+allow, "this route does not take this method"))
	})
}
