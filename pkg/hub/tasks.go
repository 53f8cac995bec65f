package hub

import (
	"fmt"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/impact"
	"github.com/coordhq/coord/pkg/tool"
)

// Work stealing: an announcement with keep_open is a task that others may claim.
// Nobody is scored against it until then; from the claim on it is the claimer's
// announcement like any other.

// offerLife is how long a task that nobody has claimed outlives its owner.
const offerLife = 24 * time.Hour

// claimTask gives an offered task to the caller.
func (h *Hub) claimTask(t *txn, me *coord.Agent, c coord.Caller, in tool.ClaimTaskIn) (tool.ClaimTaskOut, error) {
	th, err := t.thread(me, in.ThreadID)
	if err != nil {
		return tool.ClaimTaskOut{}, err
	}
	if th.Status == coord.ThreadClaimed && th.Claimer == me.ID {
		return claimed(t.view(th), nil, 0), nil
	}
	next, err := claimWork(*th, me.ID, t.name)
	if err != nil {
		return tool.ClaimTaskOut{}, err
	}
	offer := t.anns[th.Announcement]
	if offer == nil {
		return tool.ClaimTaskOut{}, coord.Errorf(coord.Conflict, "choose another task", "the announcement of %s is closed", th.ID)
	}
	if err := t.rival(me, th, offer); err != nil {
		return tool.ClaimTaskOut{}, err
	}
	a := t.takeOver(me, c.Workspace, offer)
	t.putThread(&next)
	t.emitStatus(me.ID, &next, coord.Medium, "", nil) // on its topic; the owner gets what follows
	t.emit(news{kind: coord.KindThreadClaimed, project: th.Project, actor: me.ID, thread: th.ID, priority: coord.Medium,
		payload: coord.ClaimWon{ClaimedBy: me.ID, Name: me.Name}, to: others(th.Participants(), me.ID)})
	concerned, _ := split(t.impacts(a, h.ignore))
	t.lineUp(me, a, concerned)
	refs, more := t.someRefs(agentsOf(concerned))
	return claimed(t.view(&next), refs, more), nil
}

// claimed words a claim for its winner.
func claimed(v tool.ThreadView, concerned []tool.AgentRef, more int) tool.ClaimTaskOut {
	v.Next = fmt.Sprintf("%s is yours: complete_task when it is done, unclaim_task to give it back.", v.ThreadID)
	if len(concerned) > 0 {
		v.Next = fmt.Sprintf("%s is yours, but %s works on its files already: settle who goes first (announce_work opens a thread) before you write them.", v.ThreadID, names(concerned, more))
	}
	return tool.ClaimTaskOut{ThreadView: v, ConcernedAgents: list(concerned)}
}

// others leaves one agent out of a list.
func others(ids []coord.AgentID, me coord.AgentID) []coord.AgentID {
	return slices.DeleteFunc(ids, func(a coord.AgentID) bool { return a == me })
}

// rival refuses a claim whose files somebody else has claimed with another task.
func (t *txn) rival(me *coord.Agent, th *coord.Thread, offer *coord.Announcement) error {
	x := t.project(th.Project).index
	for _, other := range t.threadsByNumber(th.Project) {
		if other.Status != coord.ThreadClaimed || other.Claimer == me.ID || t.anns[other.Announcement] == nil {
			continue
		}
		if where := x.meeting(offer, t.anns[other.Announcement]); where != "" {
			return coord.Errorf(coord.Conflict, "choose another task, or wait until that one is completed",
				"%s overlaps %s, which %s has claimed, in %s", th.ID, other.ID, t.refOf(other.Claimer).Name, where)
		}
	}
	return nil
}

// takeOver makes an offered announcement the claimer's. It gets a number of its
// own among the announcements: seniority counts from the claim.
func (t *txn) takeOver(me *coord.Agent, ws coord.WorkspaceID, offer *coord.Announcement) *coord.Announcement {
	t.counters.Announcement++
	a := *offer
	a.Agent, a.Workspace, a.KeepOpen, a.Claimed = me.ID, ws, false, t.now
	a.Targets = slices.Clone(offer.Targets)
	for i := range a.Targets {
		a.Targets[i].Order = coord.Seq(t.counters.Announcement)
	}
	t.putAnnouncement(&a)
	return &a
}

// claimOf gives the thread by which an announcement is a claimed task, nil for
// any other.
func (s *state) claimOf(a *coord.Announcement) *coord.Thread {
	th := s.threads[a.Thread]
	if th == nil || th.Status != coord.ThreadClaimed || th.Announcement != a.ID {
		return nil
	}
	return th
}

// unclaimTask gives the caller's task back; the second time it is poisoned.
func (t *txn) unclaimTask(me *coord.Agent, in tool.UnclaimTaskIn) (tool.ThreadView, error) {
	th, err := t.thread(me, in.ThreadID)
	if err != nil {
		return tool.ThreadView{}, err
	}
	next, err := unclaimWork(*th, me.ID, t.name, in.Reason, t.now)
	if err != nil {
		return tool.ThreadView{}, err
	}
	priority := coord.Medium
	if !next.Status.Live() {
		priority = coord.High
	}
	return t.view(t.giveBack(me.ID, th, next, priority, in.Reason)), nil
}

// giveBack takes a claimed task from its claimer: it is offered again, or over.
func (t *txn) giveBack(me coord.AgentID, was *coord.Thread, next coord.Thread, priority coord.Priority, words string) *coord.Thread {
	if a := t.anns[was.Announcement]; a != nil && next.Status.Live() {
		offer := *a
		offer.Agent, offer.KeepOpen, offer.Claimed, offer.LastEdit = was.Initiator, true, 0, 0
		t.putAnnouncement(&offer)
		t.loosen(a.Project)
		t.standDown(a)
	} else if a != nil {
		t.closeAnnouncement(a)
		t.standDown(a)
	}
	return t.advance(me, was, next, priority, words)
}

// completeTask ends the caller's task.
func (t *txn) completeTask(me *coord.Agent, in tool.CompleteTaskIn) (tool.ThreadView, error) {
	th, err := t.thread(me, in.ThreadID)
	if err != nil {
		return tool.ThreadView{}, err
	}
	next, err := t.completed(me, th, in.Summary)
	if err != nil {
		return tool.ThreadView{}, err
	}
	return t.view(next), nil
}

// completed ends a claimed task: its owner gets one event, thread.completed.
func (t *txn) completed(me *coord.Agent, th *coord.Thread, summary string) (*coord.Thread, error) {
	next, err := completeWork(*th, me.ID, t.name, summary, t.now)
	if err != nil {
		return nil, err
	}
	t.putThread(&next)
	if a := t.anns[th.Announcement]; a != nil {
		t.closeAnnouncement(a)
		t.standDown(a)
	}
	words := shorten(summary, maxEventWords)
	if words == "" {
		words = string(coord.Completed)
	}
	t.emitStatus(me.ID, &next, coord.High, summary, nil) // on its topic
	t.emit(news{kind: coord.KindThreadCompleted, project: th.Project, actor: me.ID, thread: th.ID, priority: coord.High,
		payload: coord.WorkCompleted{Resolution: words}, to: others(th.Participants(), me.ID)})
	return &next, nil
}

// returnTasks offers the tasks of an agent again that is gone, or has forgotten
// them. That does not count as giving back.
func (t *txn) returnTasks(id coord.AgentID) {
	for _, th := range t.threadsOf(id) {
		if th.Claimer == id && th.Status == coord.ThreadClaimed {
			t.giveBack(id, th, dropAgent(*th, id, t.now), coord.Medium, "")
		}
	}
}

// forsaken lists the offered tasks whose owner left too long ago.
func (s *state) forsaken(now coord.Millis) []coord.ThreadID {
	var out []coord.ThreadID
	for _, p := range s.projects {
		for _, th := range p.live {
			if !th.KeepOpen || th.Status != coord.ThreadOpen {
				continue
			}
			if owner := s.agents[th.Initiator]; owner == nil || (!owner.Live() && now >= owner.LastSeen.Add(offerLife)) {
				out = append(out, th.ID)
			}
		}
	}
	slices.Sort(out)
	return out
}

// withdraw ends an offered task whose owner stayed away.
func (t *txn) withdraw(id coord.ThreadID) {
	th := t.threads[id]
	if a := t.anns[th.Announcement]; a != nil {
		t.closeAnnouncement(a)
	}
	t.advance("", th, end(*th, coord.ThreadExpired, "", "", t.now), coord.High, "")
}

// meeting names a file, or the pattern, in which two announcements overlap; ""
// when they do not.
func (x *index) meeting(a, b *coord.Announcement) string {
	for _, s := range a.Targets {
		for _, t := range b.Targets {
			if where := x.common(s, t); where != "" {
				return where
			}
		}
	}
	return ""
}

// common names what two targets have in common: a file where one of them names
// files, by the names that both stood for where these are known, else the
// pattern itself if one file could match both.
func (x *index) common(s, t coord.Target) string {
	if s.Kind != coord.FileTarget && t.Kind == coord.FileTarget {
		s, t = t, s
	}
	switch {
	case s.Kind == coord.FileTarget:
		if k := x.key(s.Path); (t.Kind == coord.FileTarget && x.key(t.Path) == k) || (t.Kind != coord.FileTarget && x.contains(t, k)) {
			return s.Path.String()
		}
	case len(s.Expanded) > 0 && len(t.Expanded) > 0:
		for _, p := range s.Expanded {
			if slices.ContainsFunc(t.Expanded, func(q coord.Path) bool { return x.key(p) == x.key(q) }) {
				return p.String()
			}
		}
	case impact.Meet(x.glob(s), x.glob(t)):
		return s.String()
	}
	return ""
}
