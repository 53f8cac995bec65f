package streamable

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
)

const (
	maxLabel  = 64 // bytes
	maxListed = 10 // projects named in an error
)

// place is where a client says it works. Empty fields are not said.
type place struct {
	Project   coord.ProjectID `json:"project"`
	Workspace string          `json:"workspace"`
}

// join gives the session's agent. The first time it makes one, in the place that
// is said; later it may move the agent to another working tree, and brings it
// back when it may have counted as gone.
func (s *session) join(ctx context.Context, info coord.ClientInfo, at place) (*agent, error) {
	s.joining.Lock()
	defer s.joining.Unlock()
	s.mu.Lock()
	a, stale, closed := s.agent, s.stale, s.closed
	s.mu.Unlock()
	workspace, tree, err := s.tree(at)
	switch {
	case err != nil:
		return nil, err
	case closed:
		return nil, coord.Errorf(coord.Unavailable, "initialize again", "this session has ended")
	case s.opener.Agent != "":
		return s.adopt(ctx, a, at, workspace)
	case a == nil:
		project, err := s.choose(at.Project)
		if err != nil {
			return nil, err
		}
		return s.register(ctx, info, nil, project, workspace, tree)
	case at.Project != "" && at.Project != a.caller.Project && at.Project != a.asked:
		return nil, coord.Errorf(coord.Conflict, "start another MCP session for the other project", "this session works in project %q", a.caller.Project)
	case at.Workspace != "" && workspace != a.caller.Workspace:
		return s.register(ctx, info, a, a.caller.Project, workspace, tree)
	case stale:
		return s.register(ctx, info, a, a.caller.Project, a.caller.Workspace, a.root)
	}
	return a, nil
}

// adopt gives the agent of a client that brought a session of its own, which has
// its place already.
func (s *session) adopt(ctx context.Context, a *agent, at place, workspace coord.WorkspaceID) (*agent, error) {
	c, project := s.opener, at.Project
	if project == "" {
		project = s.project
	}
	switch {
	case project != "" && project != c.Project, at.Workspace != "" && workspace != c.Workspace:
		return nil, coord.Errorf(coord.Conflict, "leave project and workspace out, or send the token instead of the session key",
			"your session key is of project %q and workspace %q", c.Project, c.Workspace)
	case a != nil:
		return a, nil
	}
	a = &agent{rules: s.h.o.Rules, caller: c, root: rootOf(c.Workspace), queue: inbox.New(inbox.Limit)}
	if err := a.begin(ctx); err != nil {
		return nil, err
	}
	s.take(a)
	return a, nil
}

// tree reads the working tree of a place, the session's own when none is said.
func (s *session) tree(at place) (coord.WorkspaceID, root, error) {
	if at.Workspace == "" {
		return s.workspace, root{}, nil
	}
	tree, err := parseRoot(strings.TrimPrefix(at.Workspace, string(s.h.o.Host)+":"))
	return coord.WorkspaceID(string(s.h.o.Host) + ":" + tree.dir), tree, err
}

// choose says in which project a client without one works.
func (s *session) choose(asked coord.ProjectID) (coord.ProjectID, error) {
	switch {
	case s.project != "" && asked != "" && asked != s.project:
		return "", coord.Errorf(coord.Conflict, "leave project out", "the URL of this session says project %q", s.project)
	case s.project != "":
		return s.project, checkProject(s.project)
	case asked != "":
		return asked, checkProject(asked)
	}
	live := s.h.o.Rules.LiveProjects()
	if len(live) == 1 {
		return live[0], nil
	}
	what := "no project is live on this hub"
	if len(live) > 1 {
		names := make([]string, 0, maxListed)
		for _, p := range live[:min(len(live), maxListed)] {
			names = append(names, string(p))
		}
		what = fmt.Sprintf("%d projects are live on this hub: %s", len(live), strings.Join(names, ", "))
		if more := len(live) - len(names); more > 0 {
			what += fmt.Sprintf(" and %d more", more)
		}
	}
	return "", coord.Errorf(coord.Invalid, "say which is yours: register_agent with project, or ?project= in the URL", "%s", what)
}

// checkProject refuses what is surely another spelling than that of a shim: two
// names for one repository would never meet, and nobody would be told.
func checkProject(p coord.ProjectID) error {
	s := string(p)
	if !strings.Contains(s, "://") && !strings.HasSuffix(s, ".git") && !strings.HasPrefix(s, "git@") && s == strings.TrimSpace(coord.CleanText(s)) {
		return nil
	}
	return coord.Errorf(coord.Invalid, "write it as host/path, like github.com/acme/shop", "project %.200q is not how agents name one", s)
}

// register makes the agent, or puts the one there was into its new place.
func (s *session) register(ctx context.Context, info coord.ClientInfo, before *agent, project coord.ProjectID, w coord.WorkspaceID, tree root) (*agent, error) {
	r := coord.Registration{Client: info, Project: project, Workspace: w, Host: s.h.o.Host, Label: label(info.Name)}
	if before != nil {
		r.Resume = before.key
	}
	out, err := s.h.o.Rules.Register(ctx, s.opener.Member, r)
	if err != nil {
		return nil, err
	}
	if before != nil && before.asked != "" {
		project = before.asked
	}
	a := &agent{asked: project, rules: s.h.o.Rules, key: out.SessionKey, epoch: out.Epoch, root: tree, queue: inbox.New(inbox.Limit)}
	if before != nil && out.Resumed {
		a.queue = before.queue
	} else {
		a.queue.Begin(out.Seen)
	}
	var ok bool
	if a.caller, ok = s.h.o.Rules.Authenticate(out.SessionKey); !ok {
		return nil, coord.Errorf(coord.Unavailable, "call again", "the hub does not know the session it has just opened")
	}
	s.h.log.Info("registered", "agent", a.caller.Agent, "name", out.Name, "project", out.Project, "client", info.Name, "resumed", out.Resumed)
	s.take(a)
	return a, nil
}

// label makes a display name of what a client calls itself.
func label(name string) string {
	name = coord.CleanLine(name)
	for len(name) > maxLabel {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// take makes the agent the session's.
func (s *session) take(a *agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent, s.stale = a, false
	s.tell()
}
