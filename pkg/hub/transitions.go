package hub

import (
	"slices"

	"github.com/coordhq/coord/pkg/coord"
)

// The transitions of a consultation. Each is a pure function from a thread to
// the next one, or to the error that says why not; none changes its argument.

// maxRounds is the round in which a contest ends the thread.
const maxRounds = 4

// propose puts a numbered proposal on the table; its author approves it.
func propose(th coord.Thread, by coord.AgentID, summary string, order []coord.AgentID, now coord.Millis) (coord.Thread, error) {
	if err := mayNegotiate(&th, by); err != nil {
		return th, err
	}
	for i, id := range order {
		if !th.Has(id) {
			return th, coord.Errorf(coord.Invalid, "order takes agent ids of participants", "order: %s takes no part in %s", id, th.ID)
		}
		if slices.Contains(order[:i], id) {
			return th, coord.Errorf(coord.Invalid, "name each agent once", "order: %s is named twice", id)
		}
	}
	th.Proposals = append(slices.Clone(th.Proposals), coord.Proposal{Number: len(th.Proposals) + 1, By: by, Summary: summary,
		Order: order, Approved: []coord.AgentID{by}, Time: now})
	th.Status = coord.ThreadResolving
	return agree(heard(th, by), now), nil
}

// approve adds an approval. Approving twice changes nothing.
func approve(th coord.Thread, by coord.AgentID, number int, now coord.Millis) (coord.Thread, error) {
	p, err := onTheTable(&th, by, number)
	if err != nil || slices.Contains(p.Approved, by) {
		return th, err
	}
	next := *p
	next.Approved = append(slices.Clone(p.Approved), by)
	th.Proposals = append(slices.Clone(th.Proposals[:len(th.Proposals)-1]), next)
	return agree(heard(th, by), now), nil
}

// contest takes the proposal off the table: a new round, or the end.
func contest(th coord.Thread, by coord.AgentID, number int, reason string, now coord.Millis) (coord.Thread, error) {
	if _, err := onTheTable(&th, by, number); err != nil {
		return th, err
	}
	th = heard(th, by)
	if th.Round >= maxRounds {
		return end(th, coord.ThreadUnresolved, "", reason, now), nil
	}
	th.Status = coord.ThreadOpen
	th.Round++
	if th.Deadline != 0 {
		th.Deadline = now.Add(roundTime)
	}
	return th, nil
}

// heard notes that a participant has said something.
func heard(th coord.Thread, by coord.AgentID) coord.Thread {
	if th.Has(by) && !slices.Contains(th.Answered, by) {
		th.Answered = append(slices.Clone(th.Answered), by)
	}
	return th
}

// agree resolves the thread when every participant has approved the proposal on
// the table. It is asked after each approval and each departure.
func agree(th coord.Thread, now coord.Millis) coord.Thread {
	p := th.Proposal()
	if p == nil || th.Status != coord.ThreadResolving || len(awaiting(&th)) > 0 {
		return th
	}
	return end(th, coord.ThreadResolved, coord.Consensus, p.Summary, now)
}

// awaiting lists the participants whose approval is missing.
func awaiting(th *coord.Thread) []coord.AgentID {
	p := th.Proposal()
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(th.Participants(), func(a coord.AgentID) bool { return slices.Contains(p.Approved, a) })
}

// awaited lists those whose word is missing: their approval of the proposal on
// the table, before there is one any answer of a respondent.
func awaited(th *coord.Thread) []coord.AgentID {
	if th.Status != coord.ThreadOpen {
		return awaiting(th)
	}
	return slices.DeleteFunc(slices.Clone(th.Respondents), func(a coord.AgentID) bool { return slices.Contains(th.Answered, a) })
}

// lacksWord tells since when a participant has had to wait for the word of
// others: the one who asked for the first answer, who agreed to a proposal for
// the approval of the rest. 0 = it is not held up, or its own word is missing.
func lacksWord(th *coord.Thread, a coord.AgentID) coord.Millis {
	missing := awaited(th)
	switch p := th.Proposal(); {
	case len(missing) == 0:
		return 0
	case p != nil && slices.Contains(p.Approved, a):
		return p.Time
	case p == nil && th.Initiator == a:
		return th.Deadline.Add(-roundTime)
	}
	return 0
}

// concern makes somebody who was asked by the way a respondent, because the work
// concerns it after all. An auto-resolved thread opens again.
func concern(th coord.Thread, by coord.AgentID, against []coord.AnnouncementID, now coord.Millis) coord.Thread {
	th.Respondents = append(slices.Clone(th.Respondents), by)
	if !slices.Contains(th.Parties, by) {
		th.Parties = append(slices.Clone(th.Parties), by)
	}
	th.Against = append(slices.Clone(th.Against), against...)
	if !th.Status.Live() {
		th.Status, th.Resolution, th.Ended, th.Deadline = coord.ThreadOpen, "", 0, now.Add(roundTime)
	}
	return th
}

// namer gives the name an agent goes by in words for others.
type namer func(coord.AgentID) string

// claimWork gives an offered task to an agent.
func claimWork(th coord.Thread, by coord.AgentID, name namer) (coord.Thread, error) {
	switch {
	case !th.Status.Live():
		return th, ended(&th)
	case !th.KeepOpen:
		return th, coord.Errorf(coord.Conflict, "list_threads status=open shows what is offered", "%s is a consultation, not an offered task", th.ID)
	case th.Status == coord.ThreadClaimed:
		return th, coord.Errorf(coord.Conflict, "choose another task", "%s is claimed by %s", th.ID, name(th.Claimer))
	case th.AssignedTo != "" && th.AssignedTo != by:
		return th, coord.Errorf(coord.Forbidden, "choose another task", "%s is assigned to %s", th.ID, name(th.AssignedTo))
	}
	th.Status, th.Claimer = coord.ThreadClaimed, by
	return th, nil
}

// maxUnclaims is how often a task may be given back: the last time poisons it.
const maxUnclaims = 2

// unclaimWork gives a task back.
func unclaimWork(th coord.Thread, by coord.AgentID, name namer, reason string, now coord.Millis) (coord.Thread, error) {
	if err := mayEndClaim(&th, by, name); err != nil {
		return th, err
	}
	th.Status, th.Claimer = coord.ThreadOpen, ""
	if th.Unclaims++; th.Unclaims >= maxUnclaims {
		return end(th, coord.ThreadPoisoned, "", reason, now), nil
	}
	return th, nil
}

// completeWork ends a claimed task. Its claimer stays named.
func completeWork(th coord.Thread, by coord.AgentID, name namer, summary string, now coord.Millis) (coord.Thread, error) {
	if err := mayEndClaim(&th, by, name); err != nil {
		return th, err
	}
	return end(th, coord.ThreadResolved, coord.Completed, summary, now), nil
}

func mayEndClaim(th *coord.Thread, by coord.AgentID, name namer) error {
	switch {
	case !th.Status.Live():
		return ended(th)
	case th.Status != coord.ThreadClaimed:
		return coord.Errorf(coord.Conflict, "claim_task takes it", "%s is not claimed", th.ID)
	case th.Claimer != by:
		return coord.Errorf(coord.Forbidden, "only its claimer can do that", "%s is claimed by %s", th.ID, name(th.Claimer))
	}
	return nil
}

// dropAgent takes a departed agent out. A respondent is dropped: with none left
// nobody contests the work; an initiator's leaving abandons the thread; a
// claimer's returns the task.
func dropAgent(th coord.Thread, id coord.AgentID, now coord.Millis) coord.Thread {
	switch {
	case !th.Status.Live() || !th.Has(id):
		return th
	case th.Claimer == id:
		th.Claimer, th.Status = "", coord.ThreadOpen
		return th
	case th.Initiator == id && th.KeepOpen:
		return th // an offered task outlives its owner
	case th.Initiator == id:
		return end(th, coord.ThreadAbandoned, "", "", now)
	}
	th.Respondents = slices.DeleteFunc(slices.Clone(th.Respondents), func(a coord.AgentID) bool { return a == id })
	if len(th.Respondents) == 0 {
		return end(th, coord.ThreadResolved, coord.Uncontested, "", now)
	}
	return agree(th, now)
}

// end closes the thread for good.
func end(th coord.Thread, status coord.ThreadStatus, how coord.Resolution, summary string, now coord.Millis) coord.Thread {
	th.Status, th.Resolution, th.Ended, th.Deadline = status, how, now, 0
	if summary != "" {
		th.Summary = summary
	}
	return th
}

// expire ends a thread whose round ran out of time.
func expire(th coord.Thread, now coord.Millis) coord.Thread {
	if !overdue(&th, now) {
		return th
	}
	return end(th, coord.ThreadExpired, "", "", now)
}

func overdue(th *coord.Thread, now coord.Millis) bool {
	return th.Status.Live() && th.Deadline != 0 && now >= th.Deadline
}

// mayNegotiate checks that the thread is live and the agent takes part.
func mayNegotiate(th *coord.Thread, by coord.AgentID) error {
	switch {
	case !th.Status.Live():
		return ended(th)
	case !th.Has(by):
		return coord.Errorf(coord.Forbidden, "post_to_thread lets you comment", "you take no part in %s", th.ID)
	case th.KeepOpen:
		return coord.Errorf(coord.Conflict, "talk with post_to_thread; complete_task or unclaim_task ends a claim", "%s is an offered task, not a consultation: there is nobody to agree with", th.ID)
	}
	return nil
}

func ended(th *coord.Thread) error {
	how := string(th.Status)
	if th.Resolution != "" {
		how += "/" + string(th.Resolution)
	}
	return coord.Errorf(coord.Conflict, "announce_work again if there is more to settle", "%s has ended (%s)", th.ID, how)
}

// onTheTable gives the proposal that an approval or contest is about.
func onTheTable(th *coord.Thread, by coord.AgentID, number int) (*coord.Proposal, error) {
	if err := mayNegotiate(th, by); err != nil {
		return nil, err
	}
	p := th.Proposal()
	switch {
	case p == nil:
		return nil, coord.Errorf(coord.Conflict, "propose_resolution puts one there", "%s has no proposal on the table", th.ID)
	case number < 0 || number > p.Number:
		return nil, coord.Errorf(coord.NotFound, "read the current one with get_thread and answer that", "%s has no proposal %d: proposal %d is on the table", th.ID, number, p.Number)
	case number != 0 && number != p.Number:
		return nil, coord.Errorf(coord.Conflict, "read the current one with get_thread and answer that", "proposal %d of %s was replaced: proposal %d is on the table", number, th.ID, p.Number)
	}
	return p, nil
}
