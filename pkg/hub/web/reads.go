package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// read is a GET that answers with an operation: its query is the arguments.
type read struct {
	pattern string
	op      *tool.Op
	id      string // the argument that the {id} of the path is
}

// reads are the operations that can be read with GET. An operator sees all
// projects, or the one of ?project=; a session its own.
func reads() []read {
	return []read{
		{"/api/overview", tool.Overview.Op, ""},
		{"/api/agents", tool.ViewAgents.Op, ""},
		{"/api/threads", tool.ViewThreads.Op, ""},
		{"/api/threads/{id}", tool.GetThread.Op, "thread_id"},
		{"/api/files", tool.ViewFiles.Op, ""},
		{"/api/leases", tool.ViewLeases.Op, ""},
		{"/api/stats", tool.ViewStats.Op, ""},
	}
}

// readRoutes makes the routes of the reads.
func readRoutes() []route {
	var out []route
	for _, row := range reads() {
		out = append(out, route{Route{http.MethodGet, row.pattern, Member, false}, func(s *Server, w http.ResponseWriter, r *http.Request) error {
			return s.read(w, r, row)
		}})
	}
	return out
}

func (s *Server) read(w http.ResponseWriter, r *http.Request, row read) error {
	args, err := s.query(r, row.op)
	if err != nil {
		return err
	}
	if row.id != "" {
		args[row.id] = r.PathValue("id")
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	result, err := s.o.Rules.Call(r.Context(), row.op.Name, raw, "")
	if err != nil {
		return err
	}
	write(w, r, http.StatusOK, result)
	return nil
}

// query reads a GET that an operation answers: its project and its arguments. A
// nil op has none.
func (s *Server) query(r *http.Request, op *tool.Op) (map[string]any, error) {
	if err := s.mayAsk(r); err != nil {
		return nil, err
	}
	return queryArgs(op, r.URL.Query())
}

// mayAsk refuses a session that asks for another project than its own, and
// everybody who asks for one that there is not.
func (s *Server) mayAsk(r *http.Request) error {
	c, _ := coord.CallerFrom(r.Context())
	asked := coord.ProjectID(r.URL.Query().Get("project"))
	switch {
	case asked == "":
		return nil
	case !c.Operator && asked != c.Project:
		return coord.Errorf(coord.Forbidden, "leave project out", "a session sees its own project only")
	case !slices.Contains(s.o.Rules.Projects(), asked):
		return coord.Errorf(coord.NotFound, "GET /api/overview lists the projects", "no agent has worked in a project %q", shorten(string(asked)))
	}
	return nil
}

// shorten bounds what is quoted of a request.
func shorten(text string) string {
	if len(text) > 100 {
		text = strings.ToValidUTF8(text[:100], "") + "…"
	}
	return coord.CleanLine(text)
}

// queryArgs reads the arguments of an operation from a query: texts, whole
// numbers and truth values by the type of the argument.
func queryArgs(op *tool.Op, q url.Values) (map[string]any, error) {
	var allowed map[string]reflect.Type
	if op != nil {
		allowed = fields(op.In)
	}
	out := map[string]any{}
	for name, values := range q {
		if name == "project" {
			continue
		}
		kind, ok := allowed[name]
		if !ok || len(values) != 1 {
			return nil, coord.Errorf(coord.Invalid, "allowed are: "+parameters(allowed), "parameter %q is unknown or given twice", shorten(name))
		}
		v, err := queryValue(kind, values[0])
		if err != nil {
			return nil, coord.Errorf(coord.Invalid, "correct it", "parameter %s: %q is not of its kind", name, shorten(values[0]))
		}
		out[name] = v
	}
	return out, nil
}

func queryValue(kind reflect.Type, text string) (any, error) {
	switch kind.Kind() {
	case reflect.Int, reflect.Int64:
		return strconv.ParseInt(text, 10, 64)
	case reflect.Bool:
		return strconv.ParseBool(text)
	default:
		return text, nil
	}
}

func parameters(allowed map[string]reflect.Type) string {
	list := []string{"project"}
	for name := range allowed {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
