package hub

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// state is everything live, in memory. The writer goroutine changes it, under
// Hub.mu, through a txn only; readers hold Hub.mu for reading.
type state struct {
	epoch    coord.Epoch
	counters Counters
	agents   map[coord.AgentID]*coord.Agent
	heads    map[coord.AgentID]coord.Seq // newest seq in each inbox
	mail     map[coord.AgentID]*mailbox  // what is on its way to each agent
	creds    map[coord.KeyHash]coord.AgentID
	anns     map[coord.AnnouncementID]*coord.Announcement // live ones
	threads  map[coord.ThreadID]*coord.Thread             // live ones, and ended ones for keepEnded
	leases   map[coord.LeaseID]*coord.Lease
	waits    map[coord.WaitID]*coord.Wait
	waitsOf  map[coord.AgentID]map[coord.WaitID]*coord.Wait // the same by who waits
	told     map[string]coord.Millis                        // what has been said once; not stored
	actions  map[coord.AgentID]string                       // newest summary of what an agent did
	heard    map[coord.AgentID]coord.Millis                 // when an agent's last hook came; not stored
	sights   map[coord.AgentID]sights                       // when an agent last knew files; not stored
	tokens   map[tally]coord.TokenTotal
	quota    []coord.QuotaUse         // newest measurement; not stored
	quotaTo  map[coord.ProjectID]bool // who has been told of it; not stored
	lastCall func(coord.AgentID) coord.Millis
	projects map[coord.ProjectID]*project

	agentLife time.Duration // see Options.AgentLife
}

// usualAgentLife is how long an agent is remembered when nobody says otherwise.
const usualAgentLife = 30 * 24 * time.Hour

// keepEnded is how long an ended thread stays in memory, where late comments
// find it.
const keepEnded = 24 * time.Hour

// project is the part of the state that belongs to one project.
type project struct {
	index   *index
	agents  map[coord.AgentID]*coord.Agent
	anns    map[coord.AnnouncementID]*coord.Announcement
	threads map[coord.ThreadID]*coord.Thread // like state.threads
	live    map[coord.ThreadID]*coord.Thread
	deps    *depMap
}

func newState() *state {
	return &state{
		agents: map[coord.AgentID]*coord.Agent{}, heads: map[coord.AgentID]coord.Seq{}, mail: map[coord.AgentID]*mailbox{},
		creds: map[coord.KeyHash]coord.AgentID{}, anns: map[coord.AnnouncementID]*coord.Announcement{},
		threads: map[coord.ThreadID]*coord.Thread{}, leases: map[coord.LeaseID]*coord.Lease{},
		waits: map[coord.WaitID]*coord.Wait{}, waitsOf: map[coord.AgentID]map[coord.WaitID]*coord.Wait{}, told: map[string]coord.Millis{}, actions: map[coord.AgentID]string{},
		heard: map[coord.AgentID]coord.Millis{}, sights: map[coord.AgentID]sights{}, tokens: map[tally]coord.TokenTotal{},
		lastCall: func(coord.AgentID) coord.Millis { return 0 }, projects: map[coord.ProjectID]*project{},
		quotaTo: map[coord.ProjectID]bool{}, agentLife: usualAgentLife,
	}
}

// load fills a new state from what the store kept.
func (s *state) load(snap *Snapshot) {
	s.epoch, s.counters = snap.Epoch, snap.Counters
	for _, id := range snap.FoldCase {
		s.ensure(id).index = newIndex(true)
	}
	for _, a := range snap.Agents {
		s.setAgent(nil, a)
		s.heads[a.ID] = snap.Heads[a.ID]
	}
	s.loadMail(snap.Mail)
	for _, c := range snap.Credentials {
		s.creds[c.Hash] = c.Agent
	}
	for _, a := range snap.Announcements {
		s.setAnnouncement(nil, a)
	}
	for _, t := range snap.Threads {
		s.setThread(nil, t)
	}
	for _, l := range snap.Leases {
		s.setLease(nil, l)
	}
	for _, w := range snap.Waits {
		s.setWait(nil, w)
	}
	for _, e := range snap.Edits {
		s.addEdit(e)
		if e.Summary != "" {
			s.actions[e.Agent] = e.Summary
		}
	}
	for _, sum := range snap.Tokens {
		s.tokens[tally{sum.Agent, sum.Model}] = sum
	}
	modules := map[coord.ProjectID]map[coord.ModuleID]*coord.Module{}
	for _, m := range snap.Modules {
		if modules[m.Project] == nil {
			modules[m.Project] = map[coord.ModuleID]*coord.Module{}
		}
		modules[m.Project][m.ID] = m
	}
	for id, of := range modules {
		s.ensure(id).deps = newDepMap(of)
	}
}

// project gives a project to read; one that nobody has written to is empty.
func (s *state) project(id coord.ProjectID) *project {
	if p := s.projects[id]; p != nil {
		return p
	}
	return newProject()
}

// ensure gives a project to write to.
func (s *state) ensure(id coord.ProjectID) *project {
	p := s.projects[id]
	if p == nil {
		p = newProject()
		s.projects[id] = p
	}
	return p
}

func newProject() *project {
	return &project{index: newIndex(false), agents: map[coord.AgentID]*coord.Agent{},
		anns: map[coord.AnnouncementID]*coord.Announcement{}, threads: map[coord.ThreadID]*coord.Thread{}, live: map[coord.ThreadID]*coord.Thread{}}
}

// The setters replace old by new; either may be nil. They keep every map and
// index in step, so that set(new, old) undoes set(old, new).

func (s *state) setAgent(old, new *coord.Agent) {
	if old != nil {
		delete(s.agents, old.ID)
		delete(s.ensure(old.Project).agents, old.ID)
	}
	if new != nil {
		s.agents[new.ID] = new
		s.ensure(new.Project).agents[new.ID] = new
	}
}

func (s *state) setAnnouncement(old, new *coord.Announcement) {
	if old != nil && old.Live() {
		p := s.ensure(old.Project)
		delete(s.anns, old.ID)
		delete(p.anns, old.ID)
		p.index.drop(old)
	}
	if new != nil && new.Live() {
		p := s.ensure(new.Project)
		s.anns[new.ID] = new
		p.anns[new.ID] = new
		p.index.add(new)
	}
}

func (s *state) setThread(old, new *coord.Thread) {
	if old != nil {
		delete(s.threads, old.ID)
		delete(s.ensure(old.Project).threads, old.ID)
		delete(s.ensure(old.Project).live, old.ID)
	}
	if new != nil {
		s.threads[new.ID] = new
		s.ensure(new.Project).threads[new.ID] = new
		if new.Status.Live() {
			s.ensure(new.Project).live[new.ID] = new
		}
	}
}

func (s *state) setLease(old, new *coord.Lease) {
	if old != nil {
		delete(s.leases, old.ID)
		x := s.ensure(old.Project).index
		k := x.key(old.Path)
		x.leases[k] = slices.DeleteFunc(x.leases[k], func(l *coord.Lease) bool { return l.ID == old.ID })
		if len(x.leases[k]) == 0 {
			delete(x.leases, k)
		}
	}
	if new != nil && new.Ended == 0 {
		s.leases[new.ID] = new
		x := s.ensure(new.Project).index
		x.leases[x.key(new.Path)] = append(x.leases[x.key(new.Path)], new)
	}
}

func (s *state) setWait(old, new *coord.Wait) {
	if old != nil && old.Ended == 0 {
		delete(s.waits, old.ID)
		if delete(s.waitsOf[old.Agent], old.ID); len(s.waitsOf[old.Agent]) == 0 {
			delete(s.waitsOf, old.Agent)
		}
		x := s.ensure(old.Project).index
		k := x.key(old.Path)
		x.waits[k] = slices.DeleteFunc(x.waits[k], func(w *coord.Wait) bool { return w.ID == old.ID })
		if len(x.waits[k]) == 0 {
			delete(x.waits, k)
		}
	}
	if new != nil && new.Ended == 0 {
		s.waits[new.ID] = new
		if s.waitsOf[new.Agent] == nil {
			s.waitsOf[new.Agent] = map[coord.WaitID]*coord.Wait{}
		}
		s.waitsOf[new.Agent][new.ID] = new
		x := s.ensure(new.Project).index
		x.waits[x.key(new.Path)] = append(x.waits[x.key(new.Path)], new)
	}
}

// addEdit enters an edit; one without a path is a note and not indexed.
func (s *state) addEdit(e coord.Edit) {
	if e.Path.IsZero() {
		return
	}
	x := s.ensure(e.Project).index
	k := x.key(e.Path)
	x.edits[k] = append(x.edits[k], e)
	x.recent = append(x.recent, e)
}

// popEdit undoes the newest addEdit of the project.
func (s *state) popEdit(e coord.Edit) {
	if e.Path.IsZero() {
		return
	}
	x := s.ensure(e.Project).index
	k := x.key(e.Path)
	x.edits[k] = x.edits[k][:len(x.edits[k])-1]
	if len(x.edits[k]) == 0 {
		delete(x.edits, k)
	}
	x.recent = x.recent[:len(x.recent)-1]
}

// setFold rebuilds a project's index under another case policy.
func (s *state) setFold(id coord.ProjectID, fold bool) {
	p := s.ensure(id)
	old := p.index
	p.index = newIndex(fold)
	for _, a := range p.anns {
		p.index.add(a)
	}
	for _, e := range old.recent {
		s.addEdit(e)
	}
	for _, leases := range old.leases {
		for _, l := range leases {
			k := p.index.key(l.Path)
			p.index.leases[k] = append(p.index.leases[k], l)
		}
	}
	for _, waits := range old.waits {
		for _, w := range waits {
			k := p.index.key(w.Path)
			p.index.waits[k] = append(p.index.waits[k], w)
		}
	}
}

// prune forgets what has grown too old to matter to a rule.
func (s *state) prune(now coord.Millis) {
	old := now.Add(-keepEnded)
	for _, t := range s.threads {
		if !t.Status.Live() && t.Ended < old {
			s.setThread(t, nil)
		}
	}
	for what, when := range s.told {
		if when < old {
			delete(s.told, what)
		}
	}
	for _, p := range s.projects {
		n := 0
		for n < len(p.index.recent) && p.index.recent[n].Time < old {
			n++
		}
		if n == 0 {
			continue
		}
		for _, e := range p.index.recent[:n] {
			k := p.index.key(e.Path)
			p.index.edits[k] = p.index.edits[k][1:]
			if len(p.index.edits[k]) == 0 {
				delete(p.index.edits, k)
			}
		}
		p.index.recent = slices.Clone(p.index.recent[n:])
	}
}

func (s *state) tooOld(a *coord.Agent, now coord.Millis) bool {
	life := s.agentLife
	if a.Project.Trial() {
		life = 0
	}
	return !a.Live() && now >= a.LastSeen.Add(life)
}

// forget drops the agents that nobody has seen for long, and their credentials.
func (s *state) forget(now coord.Millis) (gone []*coord.Agent) {
	for id, a := range s.agents {
		if s.tooOld(a, now) {
			s.setAgent(a, nil)
			delete(s.heads, id)
			delete(s.mail, id)
			delete(s.actions, id)
			delete(s.heard, id)
			delete(s.sights, id)
			maps.DeleteFunc(s.tokens, func(k tally, _ coord.TokenTotal) bool { return k.agent == id })
			gone = append(gone, a)
		}
	}
	for hash, id := range s.creds {
		if s.agents[id] == nil {
			delete(s.creds, hash)
		}
	}
	for id, p := range s.projects {
		if id.Trial() && len(p.agents) == 0 {
			s.dropProject(id, p)
		}
	}
	return gone
}

// dropProject takes a project that was only a trial out of all views.
func (s *state) dropProject(id coord.ProjectID, p *project) {
	for _, th := range p.threads {
		s.setThread(th, nil)
	}
	for _, a := range p.anns {
		s.setAnnouncement(a, nil)
	}
	for _, l := range s.leases {
		if l.Project == id {
			s.setLease(l, nil)
		}
	}
	for _, w := range s.waits {
		if w.Project == id {
			s.setWait(w, nil)
		}
	}
	delete(s.projects, id)
}

// peers lists a project's live agents other than me, by name.
func (s *state) peers(id coord.ProjectID, me coord.AgentID) []*coord.Agent {
	var out []*coord.Agent
	for _, a := range s.project(id).agents {
		if a.Live() && a.ID != me {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, byName)
	return out
}

func byName(a, b *coord.Agent) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// agentsOf lists a project's agents by name, the live ones or all.
func (s *state) agentsOf(id coord.ProjectID, live bool) []*coord.Agent {
	var out []*coord.Agent
	for _, a := range s.project(id).agents {
		if a.Live() || !live {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, byName)
	return out
}
