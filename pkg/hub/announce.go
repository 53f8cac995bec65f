package hub

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
	"github.com/coordhq/coord/pkg/tool"
)

// roundTime is how long a round of a consultation may last.
const roundTime = 600 * time.Second

// Bounds of the reasons in one answer.
const (
	maxReasons     = 10
	maxReasonBytes = 3 << 10
)

// announce stores an intention and judges it against everything live: one step,
// so that of two agents announcing one file at once exactly one is clear.
func (h *Hub) announce(t *txn, me *coord.Agent, c coord.Caller, in tool.AnnounceWorkIn) (tool.AnnounceWorkOut, error) {
	a, err := t.newAnnouncement(me, c.Workspace, in)
	if err != nil {
		return tool.AnnounceWorkOut{}, err
	}
	if in.Replaces != "" {
		if err := t.replace(me, a, in.Replaces); err != nil {
			return tool.AnnounceWorkOut{}, err
		}
	}
	impacts := t.impacts(a, h.ignore)
	concerned, gray := split(impacts)
	thread := t.consult(me, a, concerned, gray, impacts)
	if thread != nil {
		a.Thread = thread.ID
	}
	t.putAnnouncement(a)
	t.emitAnnounced(me, a, concerned, impacts)
	if !a.KeepOpen { // who offers a task does not wait for its files
		t.lineUp(me, a, concerned)
	}
	return t.announced(a, thread, concerned, gray, impacts), nil
}

// impacts judges an announcement against everything that is live.
func (t *txn) impacts(a *coord.Announcement, ignore []string) []coord.Impact {
	impacts := impact.Judge(impact.Work{Agent: a.Agent, Workspace: a.Workspace, Targets: a.Targets, DependsOn: a.DependsOn, Modules: a.Modules},
		t.now, t.world(a.Project), ignore)
	return slices.DeleteFunc(impacts, func(i coord.Impact) bool {
		peer := t.agents[i.Agent]
		return peer == nil || !peer.Live()
	})
}

// newAnnouncement checks and normalises what the caller said.
func (t *txn) newAnnouncement(me *coord.Agent, ws coord.WorkspaceID, in tool.AnnounceWorkIn) (*coord.Announcement, error) {
	modules, err := moduleNames(in.TargetModules)
	if err != nil {
		return nil, err
	}
	if len(in.TargetFiles) == 0 && len(modules) == 0 {
		return nil, coord.Errorf(coord.Invalid, "name the files or modules you will change", "announce_work without target_files and target_modules")
	}
	if in.AssignedTo != "" && (t.agents[in.AssignedTo] == nil || t.agents[in.AssignedTo].Project != me.Project) {
		return nil, coord.Errorf(coord.NotFound, "list_agents shows the ids", "assigned_to: no agent %s in this project", in.AssignedTo)
	}
	a := &coord.Announcement{ID: t.nextAnnouncement(), Project: me.Project, Agent: me.ID, Workspace: ws,
		Subject: in.Subject, Plan: in.Plan, Modules: modules, Symbols: trimmed(in.TargetSymbols), Exports: trimmed(in.ExportsAffected),
		KeepOpen: in.KeepOpen, AssignedTo: in.AssignedTo, RunID: in.RunID, State: coord.Active, Created: t.now}
	order := coord.Seq(t.counters.Announcement) // announcements are numbered as they come
	for _, s := range in.TargetFiles {
		target, err := coord.ParseTarget(s)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(a.Targets, func(t coord.Target) bool { return t.String() == target.String() }) {
			continue // said twice
		}
		target.Order = order
		if names, sent := in.Expansions[s]; sent && target.Kind != coord.FileTarget {
			if target.Expanded, err = paths(names); err != nil {
				return nil, err
			}
			if target.Wide = names == nil || len(names) > coord.MaxExpansion; target.Wide {
				target.Expanded = nil
			}
		}
		a.Targets = append(a.Targets, target)
	}
	a.DependsOn, err = paths(in.DependsOnFiles)
	return a, err
}

// replace ends the announcement that a takes the place of; a keeps its
// seniority for the targets it kept, and its part in the threads about it.
func (t *txn) replace(me *coord.Agent, a *coord.Announcement, id coord.AnnouncementID) error {
	old := t.anns[id]
	if old == nil || old.Agent != me.ID {
		return coord.Errorf(coord.NotFound, "leave replaces out, or name a live announcement of yours", "replaces: you have no live announcement %s", id)
	}
	for i, target := range a.Targets {
		for _, was := range old.Targets {
			if was.String() == target.String() {
				a.Targets[i].Order = was.Order
			}
		}
	}
	t.closeAnnouncement(old)
	for _, th := range t.threadsByNumber(me.Project) {
		switch {
		case old.KeepOpen && th.Announcement == old.ID && th.Status.Live():
			t.advance(me.ID, th, end(*th, coord.ThreadCancelled, "", "replaced by "+string(a.ID), t.now), coord.Medium, "")
		case th.Announcement == old.ID || slices.Contains(th.Against, old.ID):
			next := *th
			next.Against = slices.Clone(th.Against)
			for i, about := range next.Against {
				if about == old.ID {
					next.Against[i] = a.ID
				}
			}
			if th.Announcement == old.ID {
				next.Announcement = a.ID
			}
			t.putThread(&next)
		}
	}
	return nil
}

func split(impacts []coord.Impact) (concerned, gray []coord.Impact) {
	for _, i := range impacts {
		switch coord.CategoryOf(i.Score) {
		case coord.Concerned:
			concerned = append(concerned, i)
		case coord.GrayZone:
			gray = append(gray, i)
		}
	}
	return concerned, gray
}

// consult opens the thread that the impacts call for, or joins the live one
// that the same agents already have about the same paths, or names the one in
// which they have been through this very matter. It gives nil when nobody
// needs to be asked.
func (t *txn) consult(me *coord.Agent, a *coord.Announcement, concerned, gray, impacts []coord.Impact) *coord.Thread {
	if a.KeepOpen {
		return t.openThread(me, a, nil, nil, impacts)
	}
	var known *coord.Thread
	fresh := concerned[:0:0]
	for _, i := range concerned {
		th := t.liveThreadWith(me, i)
		if th == nil {
			th = t.endedThreadWith(a, i)
		}
		switch {
		case th == nil:
			fresh = append(fresh, i)
		case known == nil || weight(th) >= weight(known):
			known = th
		}
	}
	switch {
	case len(fresh) > 0:
		return t.openThread(me, a, fresh, gray, impacts)
	case known != nil && len(gray) > 0:
		t.openThread(me, a, nil, gray, gray)
		return known
	case known != nil:
		return known
	case len(gray) > 0:
		return t.openThread(me, a, nil, gray, impacts)
	default:
		return nil
	}
}

// weight orders the threads that an announcement may be answered with: one that
// goes on before one without an agreement before one that permits.
func weight(th *coord.Thread) int {
	switch {
	case th.Status.Live():
		return 2
	case th.Resolution.Permits():
		return 0
	default:
		return 1
	}
}

// liveThreadWith finds the live thread between me and the peer that already
// covers every path of the impact.
func (t *txn) liveThreadWith(me *coord.Agent, i coord.Impact) *coord.Thread {
	for _, th := range t.threadsOf(me.ID) {
		if !th.KeepOpen && th.Has(i.Agent) && covers(th, i) {
			return th
		}
	}
	return nil
}

// endedThreadWith finds the newest ended thread in which the owner of an
// announcement and the peer had the same announcements and every path of the
// impact. An announcement has one if it takes the place of another.
func (t *txn) endedThreadWith(a *coord.Announcement, i coord.Impact) *coord.Thread {
	about := func(th *coord.Thread, id coord.AnnouncementID) bool {
		return th.Announcement == id || slices.Contains(th.Against, id)
	}
	for _, th := range slices.Backward(t.threadsByNumber(a.Project)) {
		foreign := func(r coord.Reason) bool { return r.Announcement != "" && !about(th, r.Announcement) }
		if !th.Status.Live() && about(th, a.ID) && slices.Contains(th.Parties, i.Agent) && covers(th, i) && !slices.ContainsFunc(i.Reasons, foreign) {
			return th
		}
	}
	return nil
}

// covers reports whether a thread is about every path of an impact.
func covers(th *coord.Thread, i coord.Impact) bool {
	at := overlap(i)
	return len(at) > 0 && !slices.ContainsFunc(at, func(p coord.Path) bool { return !slices.Contains(th.Paths, p) })
}

// overlap lists the paths of an impact's strongest reasons, each once.
func overlap(i coord.Impact) []coord.Path {
	var out []coord.Path
	for _, r := range i.Reasons {
		if !r.Path.IsZero() && !slices.Contains(out, r.Path) {
			out = append(out, r.Path)
		}
	}
	return out
}

// openThread stores the thread and tells its respondents, and asks the gray
// agents by the way.
func (t *txn) openThread(me *coord.Agent, a *coord.Announcement, concerned, gray, impacts []coord.Impact) *coord.Thread {
	th := &coord.Thread{ID: t.nextThread(), Project: me.Project, Announcement: a.ID, Subject: a.Subject, Initiator: me.ID,
		Respondents: agentsOf(concerned), Gray: agentsOf(gray), Modules: a.Modules, AssignedTo: a.AssignedTo, RunID: a.RunID, KeepOpen: a.KeepOpen,
		Category: coord.Pass, Status: coord.ThreadOpen, Round: 1, Created: t.now}
	th.Parties = append([]coord.AgentID{me.ID}, th.Respondents...)
	for _, i := range concerned {
		for _, r := range i.Reasons {
			if r.Announcement != "" && !slices.Contains(th.Against, r.Announcement) {
				th.Against = append(th.Against, r.Announcement)
			}
		}
	}
	if len(impacts) > 0 {
		th.Score, th.Layer, th.Category = impacts[0].Score, impacts[0].Layer, coord.CategoryOf(impacts[0].Score)
	}
	for _, i := range slices.Concat(concerned, gray) {
		for _, p := range overlap(i) {
			if !slices.Contains(th.Paths, p) {
				th.Paths = append(th.Paths, p)
			}
		}
	}
	slices.SortFunc(th.Paths, byPath)
	switch {
	case a.KeepOpen:
		th.Paths = t.filesOf(a)
	case len(concerned) > 0:
		th.Deadline = t.now.Add(roundTime)
	default:
		th.Status, th.Resolution, th.Ended = coord.ThreadResolved, coord.AutoResolved, t.now
	}
	t.putThread(th)
	opened := news{kind: coord.KindThreadOpened, project: me.Project, actor: me.ID, thread: th.ID, priority: coord.High,
		payload: threadOpened(me, a, th), to: th.Respondents}
	if th.AssignedTo != "" && th.AssignedTo != me.ID {
		opened.to, opened.priority = []coord.AgentID{th.AssignedTo}, coord.Medium
	}
	t.emit(opened)
	t.askGray(me, th, threadOpened(me, a, th))
	return th
}

// filesOf lists the files that an announcement names, itself or by an expansion,
// at most as many as a pattern may stand for.
func (t *txn) filesOf(a *coord.Announcement) []coord.Path {
	var out []coord.Path
	for _, target := range a.Targets {
		if target.Kind == coord.FileTarget {
			out = append(out, target.Path)
		}
		out = append(out, target.Expanded...)
	}
	slices.SortFunc(out, byPath)
	out = slices.Compact(out)
	return out[:min(len(out), coord.MaxExpansion)]
}

func agentsOf(impacts []coord.Impact) []coord.AgentID {
	var out []coord.AgentID
	for _, i := range impacts {
		out = append(out, i.Agent)
	}
	return out
}

func byPath(a, b coord.Path) int { return cmp.Compare(a.String(), b.String()) }

// Limits of the lists in a thread.opened event, which must stay under 8 KiB.
const (
	maxEventFiles = 20
	maxEventBytes = 2 << 10
)

func threadOpened(me *coord.Agent, a *coord.Announcement, th *coord.Thread) coord.ThreadOpened {
	out := coord.ThreadOpened{Subject: a.Subject, InitiatorID: me.ID, InitiatorName: me.Name, TargetFiles: []string{},
		KeepOpen: a.KeepOpen, Score: th.Score, Layer: th.Layer, Respondents: list(th.Respondents), Deadline: th.Deadline}
	for _, target := range a.Targets {
		out.TargetFiles = append(out.TargetFiles, target.String())
	}
	out.TargetFiles, _ = some(out.TargetFiles[:min(len(a.Targets), maxEventFiles)], maxEventBytes)
	out.More = len(a.Targets) - len(out.TargetFiles)
	out.TargetModules, _ = some(a.Modules, maxModuleBytes)
	out.Overlap = eventPaths(th.Paths)
	return out
}

// eventPaths gives the first paths of a list for an event.
func eventPaths(in []coord.Path) []coord.Path {
	out, _ := some(in[:min(len(in), maxEventFiles)], maxEventBytes)
	return out
}

// announced words the verdict for the announcer.
func (t *txn) announced(a *coord.Announcement, th *coord.Thread, concerned, gray, impacts []coord.Impact) tool.AnnounceWorkOut {
	out := tool.AnnounceWorkOut{AnnouncementID: a.ID, Status: "clear", Category: coord.Pass}
	out.ConcernedAgents, out.MoreConcerned = t.someRefs(agentsOf(concerned))
	out.GrayZoneAgents, out.MoreGray = t.someRefs(agentsOf(gray))
	if len(impacts) > 0 {
		out.Score, out.Layer, out.Category = impacts[0].Score, &impacts[0].Layer, coord.CategoryOf(impacts[0].Score)
	}
	reasons := newPage[tool.ReasonView](maxReasons)
	reasons.room = maxReasonBytes
	for _, i := range impacts {
		for _, r := range i.Reasons {
			if out.More > 0 || !reasons.add(tool.ReasonView{Agent: t.refOf(i.Agent), Score: scoreOf(r.Layer), Reason: r}) {
				out.More++
			}
		}
	}
	out.Reasons = reasons.rows
	switch {
	case th == nil:
	case th.Status.Live():
		out.ThreadID, out.Status = &th.ID, string(coord.ThreadOpen)
	case th.Resolution == coord.AutoResolved:
		out.ThreadID, out.Status = &th.ID, string(coord.AutoResolved)
	case th.Resolution.Permits():
		out.ThreadID = &th.ID
	default:
		out.ThreadID, out.Status = &th.ID, cmp.Or(string(th.Resolution), string(th.Status))
	}
	out.Next = nextAfterAnnounce(a, th, out)
	return out
}

func scoreOf(l coord.Layer) int {
	i := slices.IndexFunc(impact.Layers, func(row impact.Layer) bool { return row.Name == l })
	return impact.Layers[i].Score
}

func nextAfterAnnounce(a *coord.Announcement, th *coord.Thread, out tool.AnnounceWorkOut) string {
	switch {
	case a.KeepOpen:
		return fmt.Sprintf("The task is offered as %s; wait_for_message tells when somebody takes it.", th.ID)
	case len(out.ConcernedAgents) > 0 && th.Resolution.Permits():
		return fmt.Sprintf("%s has settled this with %s: go ahead as agreed there, and close_thread %s when done.", th.ID, names(out.ConcernedAgents, out.MoreConcerned), a.ID)
	case len(out.ConcernedAgents) > 0 && !th.Status.Live():
		return fmt.Sprintf("%s with %s about this has ended without an agreement (%s), and no other opens: check_file_conflict tells whether a file can be written now.",
			th.ID, names(out.ConcernedAgents, out.MoreConcerned), out.Status)
	case len(out.ConcernedAgents) > 0:
		return fmt.Sprintf("Do not write the shared files yet: settle it with %s in %s (post_to_thread, propose_resolution) and wait_for_message for the answer.",
			names(out.ConcernedAgents, out.MoreConcerned), th.ID)
	case len(out.GrayZoneAgents) > 0:
		return fmt.Sprintf("Go ahead; %s is asked by the way and may come back to you in %s. close_thread %s when done.", names(out.GrayZoneAgents, out.MoreGray), th.ID, a.ID)
	default:
		return fmt.Sprintf("Nobody overlaps: go ahead, and close_thread %s when done.", a.ID)
	}
}

// names words a list of agents, of which more are not in it.
func names(refs []tool.AgentRef, more int) string {
	var out []string
	for i, r := range refs {
		if i == 3 {
			more += len(refs) - i
			break
		}
		out = append(out, r.Name)
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}

// announcementsOf lists an agent's live announcements, by number.
func (t *txn) announcementsOf(id coord.AgentID) []*coord.Announcement {
	var out []*coord.Announcement
	if a := t.agents[id]; a != nil {
		for _, ann := range t.project(a.Project).anns {
			if ann.Agent == id {
				out = append(out, ann)
			}
		}
	}
	slices.SortFunc(out, func(a, b *coord.Announcement) int {
		na, _ := coord.Ordinal("A", a.ID)
		nb, _ := coord.Ordinal("A", b.ID)
		return int(na - nb)
	})
	return out
}

// closeAnnouncement ends an announcement; it no longer scores.
func (t *txn) closeAnnouncement(a *coord.Announcement) {
	closed := *a
	closed.State, closed.Ended = coord.Closed, t.now
	t.putAnnouncement(&closed)
	t.emit(news{kind: coord.KindAnnounceClosed, project: a.Project, actor: a.Agent, thread: a.Thread, priority: coord.Low,
		payload: coord.AnnouncementClosed{Announcement: a.ID, Subject: a.Subject}})
}

// trimmed drops blanks around and empty entries.
func trimmed(in []string) []string {
	var out []string
	for _, s := range in {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// paths parses a list of project paths.
func paths(in []string) ([]coord.Path, error) {
	var out []coord.Path
	for _, s := range in {
		p, err := coord.ParsePath(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// list gives an empty list for nil: slices in answers are never null.
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}
