package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// handler runs one operation for a caller.
type handler func(h *Hub, ctx context.Context, caller coord.Caller, args json.RawMessage, key string) (json.RawMessage, error)

// handlers binds every operation of the table to its rule.
var handlers = map[string]handler{
	tool.RegisterAgent.Name:     change(tool.RegisterAgent, (*Hub).registerAgent),
	tool.ListAgents.Name:        look(tool.ListAgents, (*Hub).listAgents),
	tool.LogActionSummary.Name:  change(tool.LogActionSummary, (*Hub).logAction),
	tool.CoordinatorStatus.Name: look(tool.CoordinatorStatus, (*Hub).status),
	tool.AnnounceWork.Name: change(tool.AnnounceWork, func(h *Hub, t *txn, me *coord.Agent, c coord.Caller, in tool.AnnounceWorkIn) (tool.AnnounceWorkOut, error) {
		return h.announce(t, me, c.Workspace, in)
	}),
	tool.CheckFileConflict.Name: change(tool.CheckFileConflict, plain((*txn).checkFile)),
	tool.Heartbeat.Name:         change(tool.Heartbeat, plain((*txn).heartbeat)),
	tool.Acquire.Name:           change(tool.Acquire, (*Hub).acquire),
	tool.Edited.Name:            change(tool.Edited, (*Hub).edited),
	tool.Turn.Name:              change(tool.Turn, plain((*txn).turn)),
	tool.Release.Name:           change(tool.Release, plain((*txn).release)),
	tool.PostToThread.Name:      change(tool.PostToThread, plain((*txn).post)),
	tool.ProposeResolution.Name: change(tool.ProposeResolution, plain((*txn).propose)),
	tool.ApproveResolution.Name: change(tool.ApproveResolution, plain((*txn).approve)),
	tool.ContestResolution.Name: change(tool.ContestResolution, plain((*txn).contest)),
	tool.CloseThread.Name:       change(tool.CloseThread, plain((*txn).closeWork)),
	tool.CancelThread.Name:      change(tool.CancelThread, plain((*txn).cancel)),
	tool.GetThread.Name:         free(tool.GetThread, (*Hub).getThread),
	tool.Sync.Name: free(tool.Sync, func(h *Hub, ctx context.Context, c coord.Caller, in tool.SyncIn) (tool.SyncOut, error) {
		return h.sync(ctx, c.Agent, in)
	}),
	tool.WaitForMessage.Name: free(tool.WaitForMessage, func(h *Hub, ctx context.Context, c coord.Caller, in tool.WaitForMessageIn) (tool.WaitForMessageOut, error) {
		return h.waitForMessage(ctx, c.Agent, in)
	}),
	tool.GetQueuedMessages.Name: free(tool.GetQueuedMessages, (*Hub).queued),
}

// Call runs one operation of the tool table. The caller stands in the context
// (coord.WithCaller); with a non-empty idempotencyKey a repeated call of a
// changing operation gets the first one's answer for 10 minutes. Errors are
// *coord.Error.
func (h *Hub) Call(ctx context.Context, op string, args json.RawMessage, idempotencyKey string) (json.RawMessage, error) {
	run, ok := handlers[op]
	if !ok {
		return nil, coord.Errorf(coord.NotFound, "GET /api/status names this hub's version; the shim may be newer", "no operation %q", op)
	}
	caller, ok := coord.CallerFrom(ctx)
	if !ok {
		return nil, coord.Errorf(coord.Unauthorized, "register first", "%s needs a session", op)
	}
	if caller.Agent != "" {
		now := coord.At(h.now())
		h.presence.touch(caller.Agent, now, localGrace)
		if op != tool.Sync.Name {
			h.presence.called(caller.Agent, now)
		}
	}
	return run(h, ctx, caller, args, idempotencyKey)
}

// change makes a handler of a rule that runs in the writer.
func change[In, Out any](spec tool.Spec[In, Out], rule func(*Hub, *txn, *coord.Agent, coord.Caller, In) (Out, error)) handler {
	return func(h *Hub, ctx context.Context, c coord.Caller, args json.RawMessage, key string) (json.RawMessage, error) {
		in, err := readFor(spec, c, args)
		if err != nil {
			return nil, err
		}
		return h.submit(ctx, spec.Name, ReplyKey{Agent: c.Agent, Key: key}, func(t *txn) (any, error) {
			me := t.agents[c.Agent]
			if me == nil {
				return nil, coord.Errorf(coord.Unauthorized, "register again", "the hub does not know agent %s", c.Agent)
			}
			return rule(h, t, t.revive(me), c, in)
		})
	}
}

// plain adapts a rule that needs neither the hub nor the caller.
func plain[In, Out any](rule func(*txn, *coord.Agent, In) (Out, error)) func(*Hub, *txn, *coord.Agent, coord.Caller, In) (Out, error) {
	return func(_ *Hub, t *txn, me *coord.Agent, _ coord.Caller, in In) (Out, error) { return rule(t, me, in) }
}

// look makes a handler of a rule that only reads the state. The agent is nil
// for an operator.
func look[In, Out any](spec tool.Spec[In, Out], rule func(*Hub, *coord.Agent, coord.Caller, In) (Out, error)) handler {
	return func(h *Hub, _ context.Context, c coord.Caller, args json.RawMessage, _ string) (json.RawMessage, error) {
		in, err := spec.Read(args, c.Agent)
		if err != nil {
			return nil, err
		}
		h.mu.RLock()
		out, err := rule(h, h.state.agents[c.Agent], c, in)
		h.mu.RUnlock()
		return encode(spec.Name, out, err)
	}
}

// free makes a handler of an operation that takes care of itself.
func free[In, Out any](spec tool.Spec[In, Out], run func(*Hub, context.Context, coord.Caller, In) (Out, error)) handler {
	return func(h *Hub, ctx context.Context, c coord.Caller, args json.RawMessage, _ string) (json.RawMessage, error) {
		in, err := readFor(spec, c, args)
		if err != nil {
			return nil, err
		}
		out, err := run(h, ctx, c, in)
		return encode(spec.Name, out, err)
	}
}

// readFor reads the arguments of an operation that needs an agent.
func readFor[In, Out any](spec tool.Spec[In, Out], c coord.Caller, args json.RawMessage) (In, error) {
	if c.Agent == "" {
		var none In
		return none, coord.Errorf(coord.Forbidden, "call it with a session key from POST /api/sessions", "%s needs an agent's session", spec.Name)
	}
	return spec.Read(args, c.Agent)
}

func encode(op string, out any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("%s: encode the answer: %w", op, err)
	}
	return b, nil
}

// revive brings an agent back that calls although it counted as gone.
func (t *txn) revive(me *coord.Agent) *coord.Agent {
	if me.Status == coord.Online {
		return me
	}
	back := *me
	back.Status, back.LastSeen = coord.Online, t.now
	if t.nameTaken(back.Project, back.Name, back.ID) {
		back.Name = t.freeName(back.Project, back.ID, back.Name)
	}
	t.putAgent(&back)
	t.emitAgentStatus(&back)
	return &back
}

func (h *Hub) registerAgent(t *txn, me *coord.Agent, _ coord.Caller, in tool.RegisterAgentIn) (tool.RegisterAgentOut, error) {
	next := *me
	next.Name, next.Modules = t.freeName(me.Project, me.ID, in.Name), trimmed(in.Modules)
	t.putAgent(&next)
	t.emitAgentStatus(&next)
	out := tool.RegisterAgentOut{AgentID: next.ID, Name: next.Name, Project: next.Project, Workspace: next.Workspace,
		Modules: list(next.Modules), Peers: []tool.AgentRef{}}
	for _, p := range t.peers(next.Project, next.ID) {
		if len(out.Peers) == maxPeers {
			break
		}
		out.Peers = append(out.Peers, t.refOf(p.ID))
	}
	return out, nil
}

// maxPeers bounds the peers named in one answer.
const maxPeers = 20

func (h *Hub) listAgents(_ *coord.Agent, c coord.Caller, in tool.ListAgentsIn) (tool.ListAgentsOut, error) {
	skip := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil || n < 0 {
			return tool.ListAgentsOut{}, coord.Errorf(coord.Invalid, "use next_cursor of the page before", "cursor %q is not one of ours", in.Cursor)
		}
		skip = n
	}
	limit := in.Limit
	if limit == 0 {
		limit = 20
	}
	online := in.OnlineOnly == nil || *in.OnlineOnly
	out := tool.ListAgentsOut{Agents: []tool.AgentView{}}
	for i, a := range h.state.agentsOf(c.Project, online) {
		switch {
		case i < skip:
		case len(out.Agents) == limit:
			out.NextCursor = strconv.Itoa(i)
			return out, nil
		default:
			out.Agents = append(out.Agents, h.agentView(a, c.Agent))
		}
	}
	return out, nil
}

func (h *Hub) logAction(t *txn, me *coord.Agent, c coord.Caller, in tool.LogActionSummaryIn) (tool.LogActionSummaryOut, error) {
	e := coord.Edit{Project: me.Project, Workspace: c.Workspace, Agent: me.ID, Time: t.now, Summary: in.Summary}
	if in.FilePath != "" {
		p, err := coord.ParsePath(in.FilePath)
		if err != nil {
			return tool.LogActionSummaryOut{}, err
		}
		t.edited(editor{agent: me, project: me.Project, workspace: c.Workspace}, p, in.Summary)
		return tool.LogActionSummaryOut{Recorded: true, FilePath: p.String(), Time: t.now}, nil
	}
	t.putEdit(e)
	return tool.LogActionSummaryOut{Recorded: true, FilePath: e.Path.String(), Time: t.now}, nil
}

func (h *Hub) status(me *coord.Agent, c coord.Caller, _ tool.CoordinatorStatusIn) (tool.CoordinatorStatusOut, error) {
	p := h.publisher.Stats()
	out := tool.CoordinatorStatusOut{
		Hub:     tool.HubStatus{Instance: h.instance, Version: h.version, Started: h.started, Epoch: h.state.epoch},
		MQTT:    tool.MQTTStatus{Connections: p.Connections, Published: p.Published, Dropped: p.Dropped},
		Agents:  tool.AgentCount{Peers: []tool.AgentRef{}},
		Threads: tool.ThreadCount{WaitingForMe: []coord.ThreadID{}},
		Hot:     []tool.HotFile{},
	}
	if me != nil {
		v := h.agentView(me, me.ID)
		out.Me = &v
		out.Threads.WaitingForMe = h.state.waitingFor(me)
		out.Threads.WaitingForMe = out.Threads.WaitingForMe[:min(len(out.Threads.WaitingForMe), maxPeers)]
	}
	for id, p := range h.state.projects {
		if c.Project != "" && id != c.Project {
			continue
		}
		for _, a := range p.agents {
			if a.Live() {
				out.Agents.Online++
			}
		}
		for _, th := range p.live {
			if th.Status == coord.ThreadOpen {
				out.Threads.Open++
			} else {
				out.Threads.Resolving++
			}
		}
	}
	if c.Project != "" {
		for _, a := range h.state.peers(c.Project, c.Agent) {
			if len(out.Agents.Peers) < maxPeers {
				out.Agents.Peers = append(out.Agents.Peers, h.state.refOf(a.ID))
			}
		}
		out.Hot = list(h.state.hotFiles(c.Project, 5))
	}
	return out, nil
}

// getThread reads a thread, from memory or the store, and a page of messages.
func (h *Hub) getThread(ctx context.Context, c coord.Caller, in tool.GetThreadIn) (tool.ThreadView, error) {
	h.mu.RLock()
	th := h.state.threads[in.ThreadID]
	h.mu.RUnlock()
	if th == nil || th.Project != c.Project {
		var err error
		if th, err = h.store.Thread(ctx, c.Project, in.ThreadID); coord.CodeOf(err) == coord.NotFound {
			return tool.ThreadView{}, noThread(in.ThreadID)
		} else if err != nil {
			return tool.ThreadView{}, unavailable(err)
		}
	}
	limit := in.Limit
	if limit == 0 {
		limit = 20
	}
	messages, more, err := h.store.Messages(ctx, c.Project, in.ThreadID, in.SinceSeq, limit)
	if err != nil {
		return tool.ThreadView{}, unavailable(err)
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	out := h.state.view(th)
	out.Messages, out.More = []tool.MessageView{}, more
	size := 0
	for i, m := range messages {
		if size += len(m.Content); i > 0 && size > maxThreadBytes {
			out.More += len(messages) - i
			break
		}
		out.Messages = append(out.Messages, h.state.messageView(m))
		out.NextSeq = m.Seq
	}
	if out.More == 0 {
		out.NextSeq = 0
	}
	return out, nil
}

// maxThreadBytes bounds the messages of one answer, which stays under 8 KB.
const maxThreadBytes = 5 << 10

func (h *Hub) queued(ctx context.Context, c coord.Caller, in tool.GetQueuedMessagesIn) (tool.GetQueuedMessagesOut, error) {
	limit := in.Max
	if limit == 0 {
		limit = 50
	}
	events, rest, err := h.unread(ctx, c.Agent, limit, "")
	return tool.GetQueuedMessagesOut{Events: events, Remaining: rest}, err
}
