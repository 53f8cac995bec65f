package hub

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// What the person behind the agents may do: let others write a file, say
// something in a thread, end one. Every act is logged, stands in the event log
// under coord.Human, and reaches the agents it is about with high priority.

// person gives whom an act is done by; only the operator is a person.
func person(ctx context.Context) (coord.Caller, error) {
	c, ok := coord.CallerFrom(ctx)
	if !ok || !c.Operator || c.Member == "" {
		return c, coord.Errorf(coord.Forbidden, "leave the session key out, or send the token", "only the user may do this, not a session")
	}
	return c, nil
}

// act runs a person's rule in the writer and logs it. The rule gets the id the
// person acts under.
func act[Out any](h *Hub, ctx context.Context, op, about, key string, rule func(*txn, coord.AgentID) (Out, error)) (out Out, err error) {
	c, err := person(ctx)
	if err != nil {
		return out, err
	}
	by := coord.Human(c.Member)
	raw, err := h.submit(ctx, op, ReplyKey{Agent: by, Key: key}, func(t *txn) (any, error) { return rule(t, by) })
	h.log.Info("act of a person", "act", op, "by", by, "about", about, "code", coord.CodeOf(err), "request_id", coord.RequestFrom(ctx))
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(raw, &out)
}

// ReleasePath lets others write a path: held leases on it are left,
// reservations end, and announcements lose their right of way for it. Who waits
// first is told at once, and those whose right ended are told who ended it.
// coord.NotFound when nothing was in the way. A look does all that and takes it
// back. The caller in the context must be an operator.
func (h *Hub) ReleasePath(ctx context.Context, in coord.PathRelease, idempotencyKey string) (coord.Freed, error) {
	about, rule, err := releasing(in)
	if err != nil {
		return coord.Freed{}, err
	}
	if in.Look {
		return h.look(ctx, rule)
	}
	return act(h, ctx, "release", about, idempotencyKey, rule)
}

// releasing gives the rule that frees what a person names, and its name.
func releasing(in coord.PathRelease) (about string, rule func(*txn, coord.AgentID) (coord.Freed, error), err error) {
	if in.Lease != "" {
		return string(in.Lease), func(t *txn, by coord.AgentID) (coord.Freed, error) {
			l := t.leases[in.Lease]
			if l == nil {
				return coord.Freed{}, coord.Errorf(coord.NotFound, "it may have ended", "there is no lease %s", in.Lease)
			}
			f := newFreed(l.Path)
			t.freeLease(by, l, &f)
			t.serveLines() // now, so that the answer can say who goes first
			f.First = t.keptFor(l.Project, l.Workspace, l.Path)
			return f, nil
		}, nil
	}
	p, err := coord.ParsePath(in.Path)
	if err != nil {
		return "", nil, err
	}
	if in.Project == "" {
		return "", nil, coord.Errorf(coord.Invalid, "send project", "a path is named without its project")
	}
	return p.String(), func(t *txn, by coord.AgentID) (coord.Freed, error) {
		out := t.freePath(by, t.projectAt(in.Project, in.Workspace, false), in.Workspace, p)
		if len(out.Holders) == 0 {
			return out, coord.Errorf(coord.NotFound, "coord-hub status shows the hub; the file may be free already", "nobody holds or announces %s", p)
		}
		return out, nil
	}, nil
}

// errLooked ends the rule of a look, so that the writer takes back what it did.
var errLooked = errors.New("only looked")

func (h *Hub) look(ctx context.Context, rule func(*txn, coord.AgentID) (coord.Freed, error)) (coord.Freed, error) {
	c, err := person(ctx)
	if err != nil {
		return coord.Freed{}, err
	}
	seen := make(chan coord.Freed, 1)
	_, err = h.submit(ctx, "look", ReplyKey{}, func(t *txn) (any, error) {
		out, err := rule(t, coord.Human(c.Member))
		if err == nil {
			seen <- out
			err = errLooked
		}
		return nil, err
	})
	if errors.Is(err, errLooked) {
		return <-seen, nil
	}
	return coord.Freed{}, err
}

// ReleaseLease leaves one lease; see ReleasePath. One that is left already is
// no error.
func (h *Hub) ReleaseLease(ctx context.Context, id coord.LeaseID, idempotencyKey string) (coord.Freed, error) {
	return h.ReleasePath(ctx, coord.PathRelease{Lease: id}, idempotencyKey)
}

// PostAsHuman says something in a thread; its participants get it with high
// priority. The same rules hold as for an agent's post.
func (h *Hub) PostAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanPost, idempotencyKey string) (tool.MessageView, error) {
	args, err := check(tool.PostToThread, tool.PostToThreadIn{ThreadID: id, Content: in.Content, Type: in.Type})
	if err != nil {
		return tool.MessageView{}, err
	}
	old, err := h.anyArchived(ctx, id)
	if err != nil {
		return tool.MessageView{}, err
	}
	return act(h, ctx, "post", string(id), idempotencyKey, func(t *txn, by coord.AgentID) (tool.MessageView, error) {
		th, err := t.anyThread(ctx, id, old)
		switch {
		case err != nil:
			return tool.MessageView{}, err
		case th.Status == coord.ThreadCancelled:
			return tool.MessageView{}, ended(th)
		}
		m, err := t.sayAs(author{id: by, name: string(by), project: th.Project, priority: coord.High}, th, args.Type, args.Content, "")
		return t.messageView(m), err
	})
}

// CloseAsHuman ends a live thread as resolved/closed, which is nobody's
// permission to write. An offered or claimed task is withdrawn with it.
func (h *Hub) CloseAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanClose, idempotencyKey string) (tool.ThreadView, error) {
	args, err := check(tool.CloseThread, tool.CloseThreadIn{ThreadID: string(id), Summary: in.Summary})
	if err != nil {
		return tool.ThreadView{}, err
	}
	old, err := h.anyArchived(ctx, id)
	if err != nil {
		return tool.ThreadView{}, err
	}
	return act(h, ctx, "close", string(id), idempotencyKey, func(t *txn, by coord.AgentID) (tool.ThreadView, error) {
		th, err := t.anyThread(ctx, id, old)
		switch {
		case err != nil:
			return tool.ThreadView{}, err
		case !th.Status.Live():
			return tool.ThreadView{}, ended(th)
		}
		next := t.advance(by, th, end(*th, coord.ThreadResolved, coord.ClosedByHand, args.Summary, t.now), coord.High, args.Summary)
		if a := t.anns[th.Announcement]; a != nil && th.KeepOpen {
			t.closeAnnouncement(a)
			t.standDown(a)
		}
		return t.view(next), nil
	})
}

// check holds a person's words to the bounds an agent's have.
func check[In, Out any](spec tool.Spec[In, Out], in In) (In, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return in, err
	}
	return spec.Read(raw, "")
}

// anyThread finds a thread of the project the person's request names, or of any
// when it names none: ids are unique on a hub.
func (t *txn) anyThread(ctx context.Context, id coord.ThreadID, old *coord.Thread) (*coord.Thread, error) {
	c, _ := coord.CallerFrom(ctx)
	for _, th := range []*coord.Thread{t.threads[id], old} {
		if th != nil && (c.Project == "" || th.Project == c.Project) {
			return th, nil
		}
	}
	return nil, noThread(id)
}

// anyArchived gives a thread that is no longer in memory, nil for any other.
// Without a project in the request it is looked for in all that are known.
func (h *Hub) anyArchived(ctx context.Context, id coord.ThreadID) (*coord.Thread, error) {
	c, _ := coord.CallerFrom(ctx)
	projects := []coord.ProjectID{c.Project}
	if c.Project == "" {
		projects = h.Projects()
	}
	for _, p := range projects {
		if th, err := h.archivedThread(ctx, p, id); th != nil || err != nil {
			return th, err
		}
	}
	return nil, nil
}

func newFreed(p coord.Path) coord.Freed {
	return coord.Freed{Path: p, Leases: []coord.LeaseID{}, Announcements: []coord.AnnouncementID{}, Reserved: []coord.AgentID{},
		Holders: []coord.Holder{}, Told: []string{}}
}

// freePath takes everything out of the way of a path.
func (t *txn) freePath(by coord.AgentID, project coord.ProjectID, ws coord.WorkspaceID, p coord.Path) coord.Freed {
	out := newFreed(p)
	x := t.project(project).index
	here := func(w coord.WorkspaceID) bool { return ws == "" || w == ws }
	waits := map[coord.AgentID]bool{} // who waits is not in the way
	for _, w := range x.waits[x.key(p)] {
		waits[w.Agent] = waits[w.Agent] || here(w.Workspace)
	}
	for _, l := range slices.Clone(x.leases[x.key(p)]) {
		if here(l.Workspace) && l.Left == 0 {
			t.freeLease(by, l, &out)
		}
	}
	for _, w := range slices.Clone(x.waits[x.key(p)]) {
		if here(w.Workspace) && w.Reserved > t.now {
			t.holder(&out, w.Agent, "is next for it", "", w.Since)
			t.passReservation(w)
			out.Reserved = append(out.Reserved, w.Agent)
			t.tellFreed(by, w.Agent, w.Workspace, project, p, "", &out)
		}
	}
	for _, th := range t.threadsByNumber(project) {
		if first := t.turnOf(th, ""); first != "" && slices.Contains(th.Paths, p) && here(t.agents[first].Workspace) {
			t.holder(&out, first, "goes first by agreement", th.Subject, 0)
			t.passOrder(th, first)
			t.tellFreed(by, first, t.agents[first].Workspace, project, p, "", &out)
		}
	}
	for _, c := range t.claims(project, p) {
		if here(c.ann.Workspace) && c.concrete && !waits[c.ann.Agent] && !yielded(x, c.ann, p) {
			t.holder(&out, c.ann.Agent, "announced it", c.ann.Subject, c.ann.Created)
			next := *c.ann
			next.Yielded = append(slices.Clone(next.Yielded), p)
			t.putAnnouncement(&next)
			t.loosen(project)
			out.Announcements = append(out.Announcements, next.ID)
			t.tellFreed(by, next.Agent, next.Workspace, project, p, next.ID, &out)
		}
	}
	t.serveLines() // now, so that the answer can say who goes first
	out.First = t.keptFor(project, ws, p)
	return out
}

func (t *txn) freeLease(by coord.AgentID, l *coord.Lease, out *coord.Freed) {
	if l.Left != 0 {
		return
	}
	t.holder(out, l.Agent, "holds it", t.subjectAt(l.Project, l.Agent, l.Path), l.Taken)
	t.leave(l)
	out.Leases = append(out.Leases, l.ID)
	t.tellFreed(by, l.Agent, l.Workspace, l.Project, l.Path, "", out)
	t.settle(l.Agent)
}

// holder notes who had a right that a person is about to end.
func (t *txn) holder(out *coord.Freed, agent coord.AgentID, right, subject string, since coord.Millis) {
	out.Holders = append(out.Holders, coord.Holder{Name: t.name(agent), Right: right, Subject: subject, Since: since, State: t.stateOf(agent)})
}

// tellFreed tells an agent, once per act, that a person took its right to a path.
func (t *txn) tellFreed(by, agent coord.AgentID, ws coord.WorkspaceID, project coord.ProjectID, p coord.Path, a coord.AnnouncementID, out *coord.Freed) {
	name := t.refOf(agent).Name
	if slices.Contains(out.Told, name) {
		return
	}
	out.Told = append(out.Told, name)
	t.emit(news{kind: coord.KindFileReleased, project: project, actor: by, priority: coord.High, to: []coord.AgentID{agent},
		payload: coord.FileTouched{Path: p, Workspace: ws, Agent: agent, Name: name, Announcement: a, By: by}})
}

// keptFor names whom a path is reserved for, "" for nobody.
func (t *txn) keptFor(project coord.ProjectID, ws coord.WorkspaceID, p coord.Path) string {
	x := t.project(project).index
	for _, w := range x.waits[x.key(p)] {
		if (ws == "" || w.Workspace == ws) && w.Reserved > t.now {
			return t.refOf(w.Agent).Name
		}
	}
	return ""
}

// yielded reports whether a person took the announcement's right of way for a
// path.
func yielded(x *index, a *coord.Announcement, p coord.Path) bool {
	return slices.ContainsFunc(a.Yielded, func(q coord.Path) bool { return x.key(q) == x.key(p) })
}
