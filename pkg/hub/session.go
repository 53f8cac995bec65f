package hub

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// claudeCode is the client that starts a server twice at times, so that two
// shims of one session are one agent.
const claudeCode = "claude-code"

// Register gives a client session its agent and a new session key. The member
// is who the credential of the connection belongs to.
//
// A registration that resumes a key the hub knows keeps its agent. Otherwise a
// live shim of the same Claude Code process and session is the same agent; an
// agent that left comes back when it alone matches; everything else is new.
func (h *Hub) Register(ctx context.Context, member coord.MemberID, r coord.Registration) (coord.Registered, error) {
	if err := checkRegistration(&r); err != nil {
		return coord.Registered{}, err
	}
	key := coord.SessionKey(rand.Text() + rand.Text()) // 260 random bits
	hash := hashOf(key)
	var resumed *coord.KeyHash
	if r.Resume != "" {
		sum := hashOf(r.Resume)
		resumed = &sum
	}
	raw, err := h.submit(ctx, "register", ReplyKey{}, func(t *txn) (any, error) {
		r.Project = t.projectAt(r.Project, r.Workspace, r.Fixed)
		agent, known := t.findAgent(member, r, resumed)
		if !known {
			agent = coord.Agent{ID: newAgentID(), Registered: t.now}
		} else if resumed == nil {
			t.bereft(agent.ID)
		}
		t.welcome(&agent, member, r)
		t.putCredential(Credential{Hash: hash, Agent: agent.ID, Created: t.now})
		h.presence.touch(agent.ID, t.now, localGrace)
		t.after = func() {
			h.presence.touch(agent.ID, t.now, localGrace) // a goodbye of the same batch may have forgotten it
			if resumed != nil {
				h.presence.end(agent.ID, *resumed, t.now)
			}
			h.presence.used(agent.ID, hash, t.now)
		}
		return coord.Registered{AgentID: agent.ID, Name: agent.Name, Project: agent.Project, Epoch: t.epoch,
			Head: t.heads[agent.ID], Seen: agent.Seen, Resumed: known}, nil
	})
	if err != nil {
		return coord.Registered{}, err
	}
	var out coord.Registered
	if err := json.Unmarshal(raw, &out); err != nil {
		return coord.Registered{}, fmt.Errorf("register: %w", err)
	}
	out.SessionKey = key
	return out, nil
}

// maxLabel is the longest name that is asked for, in characters.
const maxLabel = 64

func checkRegistration(r *coord.Registration) error {
	for _, name := range []*string{&r.Client.Name, &r.Client.Version, &r.Branch, &r.Label} {
		*name = coord.CleanLine(*name)
	}
	if label := []rune(r.Label); len(label) > maxLabel {
		r.Label = strings.TrimSpace(string(label[:maxLabel])) // a name that is too long is no reason to work alone
	}
	for _, f := range []struct {
		name, value string
		max         int
		required    bool
	}{
		{"project", string(r.Project), 1024, true}, {"workspace", string(r.Workspace), 2048, true}, {"host_id", string(r.Host), 64, true},
		{"client.name", r.Client.Name, 100, false}, {"client.version", r.Client.Version, 100, false},
		{"session_id", string(r.Session), 200, false}, {"branch", r.Branch, 300, false},
	} {
		if f.required && coord.CleanLine(f.value) == "" {
			return coord.Errorf(coord.Invalid, "send it", "registration without %s", f.name)
		}
		if len(f.value) > f.max {
			return coord.Errorf(coord.TooLarge, "shorten it", "%s of %d bytes is over the limit of %d", f.name, len(f.value), f.max)
		}
	}
	return nil
}

// resumeLife is how long a session that is resumed finds its agent.
const resumeLife = 7 * 24 * time.Hour

// findAgent looks for the agent that a registration continues.
func (t *txn) findAgent(member coord.MemberID, r coord.Registration, resumed *coord.KeyHash) (coord.Agent, bool) {
	if resumed != nil {
		if id, ok := t.creds[*resumed]; ok {
			if a := t.agents[id]; a != nil && a.Project == r.Project && a.Member == member && a.Host == r.Host {
				return *a, true
			}
		}
	}
	parent := coord.Process{PID: r.PID, Start: r.PIDStart}
	var left, before []*coord.Agent
	for _, a := range t.project(r.Project).agents {
		if a.Member != member || a.Host != r.Host {
			continue
		}
		sameProcess := a.Parent == parent && parent.Start != 0
		sameSession := a.Session == r.Session || a.Knows(r.Session)
		claude := r.Client.Name == claudeCode
		switch {
		case sameProcess && claude && a.HookOnly:
			return *a, true // its hooks came first
		case sameProcess && claude && a.Status == coord.Online && r.Session != "" && sameSession:
			return *a, true
		case sameProcess && sameSession && a.Status != coord.Online && a.Label == r.Label:
			left = append(left, a)
		case claude && a.Hooks && a.Knows(r.Session) && a.Status != coord.Online && t.now < a.LastSeen.Add(resumeLife):
			before = append(before, a)
		}
	}
	if len(left) == 0 {
		left = before
	}
	if len(left) == 1 {
		return *left[0], true
	}
	return coord.Agent{}, false
}

// welcome puts an agent as a registration describes it and tells the world when
// it was not there before.
func (t *txn) welcome(a *coord.Agent, member coord.MemberID, r coord.Registration) {
	arrived := a.Status != coord.Online
	if r.FoldCase && !t.project(r.Project).index.fold {
		t.foldCase(r.Project)
	}
	a.Project, a.Fixed, a.Workspace, a.Branch = r.Project, r.Fixed, r.Workspace, r.Branch
	a.Member, a.Host, a.Client, a.Label = member, r.Host, r.Client, r.Label
	a.Parent, a.HookOnly = coord.Process{PID: r.PID, Start: r.PIDStart}, false
	if !a.Hooks || a.Session == "" { // hooks know better: a shim keeps the id that it was started with
		a.Session = r.Session
	} else if r.Session != "" && !a.Knows(r.Session) {
		alias(a, r.Session)
	}
	if a.Name == "" || (arrived && t.nameTaken(a.Project, a.Name, a.ID)) {
		a.Name = t.freeName(a.Project, a.ID, r.Label)
	}
	a.Status, a.LastSeen = coord.Online, t.now
	stored := *a
	t.putAgent(&stored)
	if arrived {
		t.emitAgentStatus(&stored)
		t.tellQuota(a.Project)
	}
}

// maxAliases bounds the session ids that an agent is known by.
const maxAliases = 8

// alias adds an earlier session id.
func alias(a *coord.Agent, id coord.SessionID) {
	a.Aliases = append([]coord.SessionID{id}, a.Aliases[:min(len(a.Aliases), maxAliases-1)]...)
}

func (t *txn) emitAgentStatus(a *coord.Agent) {
	t.emit(news{kind: coord.KindAgentStatus, project: a.Project, actor: a.ID, priority: coord.Low, payload: statusOf(a)})
}

func statusOf(a *coord.Agent) coord.AgentStatusChanged {
	modules, _ := some(a.Modules, maxModuleBytes)
	return coord.AgentStatusChanged{Status: a.Status, Name: a.Name, Modules: modules}
}

// rebuildStatuses tells how the stored agents stand, as of the newest event: the
// events that said so may be gone.
func (h *Hub) rebuildStatuses() {
	if h.statuses == nil {
		return
	}
	for _, a := range h.state.agents {
		e := coord.Event{Seq: coord.Seq(h.state.counters.Seq), Kind: coord.KindAgentStatus, Project: a.Project, Actor: a.ID,
			Time: a.LastSeen, Priority: coord.Low, Payload: mustJSON(statusOf(a))}
		h.statuses.SetStatus(a.Project, a.ID, e.Wire(h.state.epoch))
	}
}

func (t *txn) nameTaken(id coord.ProjectID, name string, me coord.AgentID) bool {
	for _, a := range t.project(id).agents {
		if a.Live() && a.ID != me && a.Name == name {
			return true
		}
	}
	return false
}

// freeName gives the wanted name, or with a number behind it when it is taken;
// without a wanted name, or with one that a person acts under, a readable one
// made from the agent's id.
func (t *txn) freeName(id coord.ProjectID, me coord.AgentID, want string) string {
	if want = strings.TrimSpace(want); want == "" || coord.AgentID(strings.ToLower(want)).IsHuman() {
		want = readableName(me)
	}
	name := want
	for n := 2; t.nameTaken(id, name, me); n++ {
		name = fmt.Sprintf("%s-%d", want, n)
	}
	return name
}

// Authenticate tells who a session key belongs to. It is cheap and never waits
// for a commit.
func (h *Hub) Authenticate(key coord.SessionKey) (coord.Caller, bool) {
	h.keysMu.RLock()
	defer h.keysMu.RUnlock()
	hash := hashOf(key)
	c, ok := h.callers[h.keys[hash]]
	if ok {
		c.Session = hash
	}
	return c, ok
}

func hashOf(key coord.SessionKey) coord.KeyHash { return sha256.Sum256([]byte(key)) }

// admit makes the credentials and agents of a committed request known to
// Authenticate.
func (h *Hub) admit(c *Changes) {
	if len(c.Credentials) == 0 && len(c.Agents) == 0 {
		return
	}
	h.keysMu.Lock()
	defer h.keysMu.Unlock()
	for _, c := range c.Credentials {
		h.keys[c.Hash] = c.Agent
	}
	for _, a := range c.Agents {
		h.callers[a.ID] = coord.Caller{Agent: a.ID, Project: a.Project, Workspace: a.Workspace, Member: a.Member}
	}
}

// expel makes the credentials of forgotten agents unknown to Authenticate, and
// drops their statuses.
func (h *Hub) expel(gone []*coord.Agent) {
	if len(gone) == 0 {
		return
	}
	h.keysMu.Lock()
	defer h.keysMu.Unlock()
	for _, a := range gone {
		delete(h.callers, a.ID)
		if h.statuses != nil {
			h.statuses.ClearStatus(a.Project, a.ID)
		}
	}
	for hash, id := range h.keys {
		if _, known := h.callers[id]; !known {
			delete(h.keys, hash)
		}
	}
}
