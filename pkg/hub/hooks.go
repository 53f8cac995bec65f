package hub

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// How long an agent without a shim counts as present after its last hook: for
// good while its client can be seen to live, else for a quarter of an hour.
const (
	seenGrace   = 24 * time.Hour
	unseenGrace = 15 * time.Minute
)

// hookClients are the clients whose hooks are understood, by the name in the
// route, and how their shims name them.
var hookClients = map[string]string{"claude": claudeCode}

// hook is one hook at work.
type hook struct {
	*txn
	hub    *Hub
	me     *coord.Agent
	in     coord.HookCall
	answer coord.HookAnswer
}

// hookRules says what each event does.
var hookRules = map[coord.HookEvent]func(*hook){
	coord.HookSessionStart:  (*hook).sessionStart,
	coord.HookPrompt:        (*hook).prompt,
	coord.HookBeforeTool:    (*hook).beforeTool,
	coord.HookAfterTool:     (*hook).afterTool,
	coord.HookToolFailed:    (*hook).toolFailed,
	coord.HookStop:          (*hook).stop,
	coord.HookStopFailed:    (*hook).turnOver,
	coord.HookSubagentStart: func(*hook) {},
	coord.HookSubagentStop:  (*hook).subagentStop,
	coord.HookIdle:          (*hook).turnOver,
	coord.HookSessionEnd:    (*hook).sessionEnd,
	coord.HookWritten:       (*hook).confirmed,
}

// Hook takes one hook of a client's session and gives a coord.HookAnswer as
// JSON. The caller in the context is the user's own connection, or a session:
// then the hook speaks for its agent. Errors are *coord.Error.
func (h *Hub) Hook(ctx context.Context, client string, event coord.HookEvent, in coord.HookCall) (json.RawMessage, error) {
	began := time.Now()
	var said coord.HookAnswer
	raw, err := h.hooked(ctx, client, event, in, &said)
	took := time.Since(began)
	if event == coord.HookRewake { // it waits, and that says nothing of the hub
		took = 0
	}
	if slices.Contains(coord.HookEvents, event) { // other words come from outside: they are no labels
		decision := "failed"
		if err == nil { // else the rule may still be at work on said
			decision = decisionOf(said)
		}
		h.meter.Hooked(event, decision, took)
	}
	return raw, err
}

// HookGone notes that a hook ended and did not say that its news was written out.
func (h *Hub) HookGone(ctx context.Context, owed coord.HookReceipt) {
	if _, err := h.submit(ctx, "hook gone", ReplyKey{}, func(t *txn) (any, error) {
		t.lapsed(owed.Agent, owed.Seqs, owed.Rung)
		return nil, nil
	}); err != nil {
		h.hookLog.Debug("an offer has to lapse by itself", "agent", owed.Agent, "error", err)
	}
}

// hooked is Hook; it notes what was said.
func (h *Hub) hooked(ctx context.Context, client string, event coord.HookEvent, in coord.HookCall, said *coord.HookAnswer) (json.RawMessage, error) {
	caller, ok := coord.CallerFrom(ctx)
	if !ok {
		return nil, coord.Errorf(coord.Unauthorized, "use the hub's unix socket", "a hook needs a credential")
	}
	if event == coord.HookRewake {
		return h.rewake(ctx, caller, in, said)
	}
	name, known := hookClients[client]
	if !known {
		return nil, coord.Errorf(coord.NotFound, "known are "+strings.Join(slices.Sorted(maps.Keys(hookClients)), ", "), "no hooks of client %q", client)
	}
	if event == coord.HookWatch {
		return h.watch(caller, in, said)
	}
	rule, known := hookRules[event]
	if !known {
		return nil, coord.Errorf(coord.NotFound, "this hub may be older than coord-hook; run coord-hub restart", "no hook event %q", event)
	}
	if err := checkHook(in); err != nil {
		return nil, err
	}
	if in.Missed > 0 {
		h.hookLog.Warn("hooks found no hub before this one", "missed", in.Missed, "session", in.Session)
	}
	moved := h.clientMoved(caller.Member, in)
	var refused coord.AgentID // written by the rule, read when it has been answered
	raw, err := h.submit(ctx, "hook "+string(event), ReplyKey{}, func(t *txn) (any, error) {
		refused = ""
		in := t.settleHook(in)
		me, err := t.hooked(caller, name, in, moved, event != coord.HookSessionEnd && event != coord.HookWritten)
		if err != nil || me == nil {
			return coord.HookAnswer{}, err
		}
		if left := t.unite(me); len(left) > 0 {
			t.after = func() { h.withdraw(left) }
		}
		k := &hook{txn: t, hub: h, me: me, in: in}
		k.foundOut()
		k.spent()
		rule(k)
		if !k.asks() {
			t.heard[me.ID] = t.now
		}
		if a := t.agents[me.ID]; a.Live() {
			h.presence.touch(me.ID, t.now, h.hookGrace(a))
		}
		*said = k.answer // the submitter reads it after the outcome has come
		if k.answer.Refused {
			refused = me.ID
		}
		return k.answer, nil
	})
	if err == nil && refused != "" {
		h.hookLog.Info("refused", "event", event, "agent", refused, "session", in.Session, "tool", in.Tool, "files", len(in.Files))
	}
	return raw, err
}

// checkHook bounds what a hook says.
func checkHook(in coord.HookCall) error {
	for _, f := range []struct {
		name, value string
		max         int
	}{
		{"subagent", in.Subagent, 200}, {"source", in.Source, 64}, {"mode", in.Mode, 64}, {"transcript", in.Transcript, 4096},
		{"version", in.Version, 64}, {"tool_use_id", in.ToolUse, 200},
	} {
		if len(f.value) > f.max {
			return coord.Errorf(coord.TooLarge, "shorten it", "%s of %d bytes is over the limit of %d", f.name, len(f.value), f.max)
		}
	}
	if in.Session == "" {
		return coord.Errorf(coord.Invalid, "send it", "a hook without session_id")
	}
	if n := max(len(in.Files), len(in.Reads), len(in.Checked)); n > maxHookFiles {
		return coord.Errorf(coord.TooLarge, "send less", "%d files are over the limit of %d", n, maxHookFiles)
	}
	for _, f := range slices.Concat(in.Files, in.Reads) {
		if f.Path.IsZero() || f.Project == "" || f.Workspace == "" {
			return coord.Errorf(coord.Invalid, "send path, project and workspace", "a file of a hook is not fully named")
		}
	}
	if n := len(in.Trees); n > maxHookTrees {
		return coord.Errorf(coord.TooLarge, "send less", "%d working trees are over the limit of %d", n, maxHookTrees)
	}
	if n := len(in.Found); n > maxHookFiles {
		return coord.Errorf(coord.TooLarge, "send less", "%d findings are over the limit of %d", n, maxHookFiles)
	}
	for _, f := range in.Found {
		if f.File.Path.IsZero() || f.File.Project == "" || f.File.Workspace == "" || len(f.Subagent) > 200 {
			return coord.Errorf(coord.Invalid, "send path, project and workspace", "a finding of a hook is not fully named")
		}
	}
	if s := in.Spent; s != nil && (s.Key == "" || len(s.Key) > 200 || len(s.Uses) > maxModels) {
		return coord.Errorf(coord.Invalid, "send a key and at most 50 uses", "the tokens of a hook cannot be counted")
	}
	r := registrationOf("", in)
	return checkRegistration(&r)
}

// Bounds of what one tool call touches.
const (
	maxHookFiles = 500
	maxHookTrees = 20
)

// registrationOf is how a hook describes its session.
func registrationOf(client string, in coord.HookCall) coord.Registration {
	return coord.Registration{Client: coord.ClientInfo{Name: client}, PID: in.PID, PIDStart: in.PIDStart, Session: in.Session, Project: in.Project, Fixed: in.Fixed,
		Workspace: in.Workspace, Branch: in.Branch, Host: in.Host, Label: in.Label, FoldCase: in.FoldCase}
}

func (h *Hub) hookGrace(a *coord.Agent) time.Duration {
	if a.Host == h.host && a.Parent.PID > 0 && a.Parent.Start > 0 {
		return seenGrace
	}
	return unseenGrace
}

// clientMoved reports whether the client program by which the hub knows a
// session has ended, so that another one may go on with it. It asks the system
// and therefore runs outside the rules.
func (h *Hub) clientMoved(member coord.MemberID, in coord.HookCall) bool {
	h.mu.RLock()
	a := h.state.agentOfSession(member, in)
	h.mu.RUnlock()
	return a != nil && a.Host == h.host && a.Parent.PID > 0 && a.Parent.Start > 0 && !h.alive(a.Parent)
}

// hooked finds the agent that a hook speaks for, or makes one, and notes what
// the hook says of it. Without an agent, and with no reason to make one, it
// gives nil.
func (t *txn) hooked(c coord.Caller, client string, in coord.HookCall, moved, makes bool) (*coord.Agent, error) {
	var a coord.Agent
	switch found := t.agentOfHook(c, in, moved, t.now); {
	case found != nil:
		a = *found
	case !makes:
		return nil, nil
	default:
		a = coord.Agent{ID: newAgentID(), Registered: t.now, Hooks: true}
		t.welcome(&a, c.Member, registrationOf(client, in))
		a.HookOnly = true
	}
	arrived := !a.Live()
	a.Status, a.Hooks = coord.Online, true
	if arrived {
		a.LastSeen, a.HookOnly = t.now, c.Agent == "" // a shim that comes back says so
		if t.nameTaken(a.Project, a.Name, a.ID) {
			a.Name = t.freeName(a.Project, a.ID, a.Name)
		}
	}
	if a.Session != in.Session {
		if a.Session != "" {
			old := a.Session
			a.Aliases = slices.DeleteFunc(slices.Clone(a.Aliases), func(id coord.SessionID) bool { return id == in.Session || id == old })
			alias(&a, old)
		}
		a.Session = in.Session
	}
	if now := (coord.Process{PID: in.PID, Start: in.PIDStart}); now.PID > 0 && now.Start > 0 {
		if a.Parent.Start > 0 && a.Parent != now {
			a.HookOnly = true // its shim was a child of the program before
		}
		a.Parent = now
	}
	if in.Subagent == "" { // a subagent may work in a tree of its own; its session stays where it is
		if a.Project == in.Project {
			a.Workspace, a.Branch = in.Workspace, coord.CleanText(in.Branch)
		}
		a.Transcript, a.Wakes.Mode, a.Wakes.Off = orKeep(in.Transcript, a.Transcript), orKeep(in.Mode, a.Wakes.Mode), in.WakeOff
	}
	if in.FoldCase && !t.project(in.Project).index.fold {
		t.foldCase(in.Project)
	}
	stored := a
	if known := t.agents[a.ID]; known == nil || !sameAgent(&a, known) {
		t.putAgent(&stored)
	}
	if arrived {
		t.emitAgentStatus(&stored)
	}
	return t.agents[a.ID], nil
}

func orKeep(new, old string) string {
	if new == "" {
		return old
	}
	return new
}

// sameAgent reports whether a hook has brought nothing new.
func sameAgent(a, b *coord.Agent) bool {
	return a.Status == b.Status && a.Hooks == b.Hooks && a.Session == b.Session && a.Parent == b.Parent && a.Workspace == b.Workspace &&
		a.HookOnly == b.HookOnly && a.Branch == b.Branch && a.Transcript == b.Transcript && a.Wakes.Mode == b.Wakes.Mode &&
		a.Wakes.Off == b.Wakes.Off && a.Name == b.Name
}

// agentOfHook finds the agent that a hook speaks for: that of the session whose
// connection it is; else that of the client program; else that of the session
// id, unless its client still lives elsewhere. A client that resumes a session
// may start its shim first, under an id of its own: the agent that came of that
// gives way to the one that left, as long as it has done nothing. A program may
// have several sessions, one after the other or side by side: one that begins in
// another project is not the one the program had before.
func (s *state) agentOfHook(c coord.Caller, in coord.HookCall, moved bool, now coord.Millis) *coord.Agent {
	if c.Agent != "" {
		return s.agents[c.Agent]
	}
	var best *coord.Agent
	if parent := (coord.Process{PID: in.PID, Start: in.PIDStart}); parent.PID > 0 && parent.Start > 0 {
		for _, a := range s.agents {
			if a.Member == c.Member && a.Host == in.Host && a.Parent == parent && a.Client.Name == claudeCode && closer(a, best, in.Session) {
				best = a
			}
		}
	}
	if best != nil && beginsElsewhere(best, in) {
		best = nil
	}
	if best != nil && (best.Knows(in.Session) || !s.fresh(best)) {
		return best
	}
	a := s.agentOfSession(c.Member, in)
	switch {
	case a == nil, a.Live() && a.Parent.Start > 0 && in.PIDStart > 0 && !moved, !a.Live() && now >= a.LastSeen.Add(resumeLife):
		return best
	case best != nil && (a.Project != best.Project || a.Live() && !moved):
		return best
	}
	return a
}

// beginsElsewhere reports whether a hook begins a session that is not the agent's,
// though both have one client program.
func beginsElsewhere(a *coord.Agent, in coord.HookCall) bool {
	return in.Source == "startup" && a.Project != in.Project && a.Session != "" && !a.Knows(in.Session)
}

// closer reports whether agent a is a better guess than b for the session.
func closer(a, b *coord.Agent, session coord.SessionID) bool {
	rank := func(a *coord.Agent) (n int64) {
		if a.Knows(session) {
			n += 1 << 62
		}
		if a.Live() {
			n += 1 << 61
		}
		return n + int64(a.LastSeen)
	}
	return b == nil || rank(a) > rank(b) || (rank(a) == rank(b) && a.ID < b.ID)
}

// agentOfSession finds the agent that is known by the session id of a hook.
func (s *state) agentOfSession(member coord.MemberID, in coord.HookCall) *coord.Agent {
	var best *coord.Agent
	for _, a := range s.agents {
		if a.Member == member && a.Host == in.Host && a.Client.Name == claudeCode && a.Knows(in.Session) && closer(a, best, in.Session) {
			best = a
		}
	}
	return best
}

// editor is who writes one of the hook's files.
func (k *hook) editor(f coord.HookFile) editor {
	return editor{agent: k.me, subagent: k.in.Subagent, project: f.Project, workspace: f.Workspace,
		lenient: k.in.Enforce == coord.EnforceWarn || k.in.Enforce == coord.EnforceOff, shell: k.in.Tool == coord.ShellTool}
}

func (k *hook) spots() []spot {
	out := make([]spot, len(k.in.Files))
	for i, f := range k.in.Files {
		out[i] = spot{k.editor(f), f.Path}
	}
	return out
}

// self is the thread of work that the hook belongs to.
func (k *hook) self() editor { return editor{agent: k.me, subagent: k.in.Subagent} }
