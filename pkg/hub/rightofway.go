package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// rightNames is the largest expansion of a pattern that still gives right of way.
const rightNames = 50

// claim is an announcement that covers a path.
type claim struct {
	ann      *coord.Announcement
	order    coord.Seq // seniority for this path
	concrete bool      // by name, not only by a broad pattern
}

// claims lists the live announcements that cover a path, the most senior first.
func (s *state) claims(project coord.ProjectID, p coord.Path) []claim {
	x := s.project(project).index
	var out []claim
	x.announcers(coord.Target{Kind: coord.FileTarget, Path: p}, func(id coord.AnnouncementID) {
		if slices.ContainsFunc(out, func(c claim) bool { return c.ann.ID == id }) {
			return
		}
		a := s.anns[id]
		if c, ok := x.covers(a, p); ok {
			out = append(out, c)
		}
	})
	slices.SortFunc(out, func(a, b claim) int { return int(a.order - b.order) })
	return out
}

// covers tells how an announcement covers a path, if it does.
func (x *index) covers(a *coord.Announcement, p coord.Path) (claim, bool) {
	k := x.key(p)
	c := claim{ann: a}
	found := false
	for _, target := range a.Targets {
		named := target.Kind == coord.FileTarget && x.key(target.Path) == k
		expanded := target.Kind != coord.FileTarget && slices.ContainsFunc(target.Expanded, func(q coord.Path) bool { return x.key(q) == k })
		inside := target.Kind != coord.FileTarget && !target.Wide && x.contains(target, k)
		if !named && !expanded && !inside {
			continue
		}
		if !found || target.Order < c.order {
			c.order = target.Order
		}
		c.concrete = c.concrete || named || (expanded && len(target.Expanded) <= rightNames)
		found = true
	}
	return c, found
}

// rightOfWay finds the peer who goes first on a path: by an agreed order, or by
// having announced it earlier. It gives nil when the editor may go.
func (t *txn) rightOfWay(e editor, p coord.Path) *coord.Note {
	if n := t.agreedOrder(e, p); n != nil {
		return n
	}
	claims := t.claims(e.project, p)
	for _, c := range claims {
		until := max(c.ann.Created, c.ann.Claimed, c.ann.LastEdit).Add(rightLife)
		switch {
		case c.ann.Agent == e.agent.ID, c.ann.Workspace != e.workspace, !c.concrete, t.now >= until,
			!t.inTurn(t.agents[c.ann.Agent], t.now), senior(claims, e.agent.ID, c), t.lifted(e, c.ann, p),
			yielded(t.project(e.project).index, c.ann, p):
			continue
		}
		return &coord.Note{Gate: coord.GateRightOfWay, Agent: c.ann.Agent, Announcement: c.ann.ID, Subject: c.ann.Subject, Since: c.ann.Created, Until: until}
	}
	return nil
}

// senior reports whether the agent announced the path before c did.
func senior(claims []claim, id coord.AgentID, c claim) bool {
	return slices.ContainsFunc(claims, func(mine claim) bool { return mine.ann.Agent == id && mine.order < c.order })
}

// lifted reports whether a thread between the editor and the announcement's
// owner has freed the path for the editor: by agreement, because nobody
// contests it any more, or because it ran out of time without a word of the
// owner.
func (t *txn) lifted(e editor, a *coord.Announcement, p coord.Path) bool {
	return t.endedBetween(e, a, p, func(th *coord.Thread) bool {
		return th.Resolution.Permits() || (th.Status == coord.ThreadExpired && !slices.Contains(th.Answered, a.Agent))
	})
}

// agreed reports whether editor and owner have settled the path between them.
func (t *txn) agreed(e editor, a *coord.Announcement, p coord.Path) bool {
	return t.endedBetween(e, a, p, func(th *coord.Thread) bool { return th.Resolution.Permits() })
}

func (t *txn) endedBetween(e editor, a *coord.Announcement, p coord.Path, how func(*coord.Thread) bool) bool {
	for _, th := range t.project(e.project).threads {
		if t.between(th, e.agent.ID, a) && slices.Contains(th.Paths, p) && how(th) {
			return true
		}
	}
	return false
}

// between reports whether a thread is about this announcement and this editor,
// and the editor's own announcement behind it, if any, still lives.
func (t *txn) between(th *coord.Thread, editor coord.AgentID, a *coord.Announcement) bool {
	if !slices.Contains(th.Parties, editor) || !slices.Contains(th.Parties, a.Agent) {
		return false
	}
	about := th.Announcement == a.ID || slices.Contains(th.Against, a.ID)
	mine := t.anns[th.Announcement] != nil || th.Announcement == ""
	return about && mine
}

// ask gives the thread in which an editor and the owner of a right of way can
// settle it: the one they have, or a new one. After one has ended without
// lifting the right no other is opened for the same announcement and path.
func (t *txn) ask(e editor, p coord.Path, n *coord.Note) coord.ThreadID {
	if n.Thread != "" {
		return n.Thread
	}
	a := t.anns[n.Announcement]
	for _, th := range t.threadsByNumber(e.project) {
		if t.between(th, e.agent.ID, a) && slices.Contains(th.Paths, p) {
			return th.ID
		}
	}
	th := &coord.Thread{ID: t.nextThread(), Project: e.project, Subject: "edit of " + p.String(), Initiator: e.agent.ID, Respondents: []coord.AgentID{a.Agent},
		Parties: []coord.AgentID{e.agent.ID, a.Agent}, Against: []coord.AnnouncementID{a.ID}, Paths: []coord.Path{p}, Category: coord.Concerned,
		Score: 100, Layer: coord.LayerSameFile, Status: coord.ThreadOpen, Round: 1, Deadline: t.now.Add(roundTime), Created: t.now}
	t.putThread(th)
	t.emit(news{kind: coord.KindThreadOpened, project: e.project, actor: e.agent.ID, thread: th.ID, priority: coord.High, to: th.Respondents,
		payload: coord.ThreadOpened{Subject: th.Subject, InitiatorID: e.agent.ID, InitiatorName: e.agent.Name, TargetFiles: []string{p.String()},
			TargetModules: []string{}, Overlap: th.Paths, Score: th.Score, Layer: th.Layer, Respondents: th.Respondents, Deadline: th.Deadline}})
	return th.ID
}
