package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// handler runs one operation for a caller.
type handler func(h *Hub, ctx context.Context, caller coord.Caller, args json.RawMessage, key string) (json.RawMessage, error)

// handlers binds every operation of the table to its rule.
var handlers = map[string]handler{
	tool.RegisterAgent.Name:     change(tool.RegisterAgent, (*Hub).registerAgent),
	tool.ListAgents.Name:        look(tool.ListAgents, (*Hub).listAgents),
	tool.AgentActivity.Name:     look(tool.AgentActivity, (*Hub).agentActivity),
	tool.WaitForPeers.Name:      free(tool.WaitForPeers, (*Hub).waitForPeers),
	tool.Heartbeat.Name:         change(tool.Heartbeat, (*Hub).heartbeat),
	tool.CoordinatorStatus.Name: look(tool.CoordinatorStatus, (*Hub).status),

	tool.AnnounceWork.Name:        change(tool.AnnounceWork, (*Hub).announce),
	tool.PostToThread.Name:        onThread(tool.PostToThread, plain((*txn).post)),
	tool.ProposeResolution.Name:   onThread(tool.ProposeResolution, plain((*txn).propose)),
	tool.ApproveResolution.Name:   onThread(tool.ApproveResolution, plain((*txn).approve)),
	tool.ContestResolution.Name:   onThread(tool.ContestResolution, plain((*txn).contest)),
	tool.CancelThread.Name:        onThread(tool.CancelThread, plain((*txn).cancel)),
	tool.CloseThread.Name:         onThread(tool.CloseThread, (*Hub).closeWork),
	tool.AnswerIntrospection.Name: onThread(tool.AnswerIntrospection, plain((*txn).answer)),
	tool.ClaimTask.Name:           onThread(tool.ClaimTask, (*Hub).claimTask),
	tool.UnclaimTask.Name:         onThread(tool.UnclaimTask, plain((*txn).unclaimTask)),
	tool.CompleteTask.Name:        onThread(tool.CompleteTask, plain((*txn).completeTask)),

	tool.GetThread.Name:        peek(tool.GetThread, (*Hub).getThread),
	tool.GetThreadUpdates.Name: free(tool.GetThreadUpdates, (*Hub).threadUpdates),
	tool.ListThreads.Name:      peek(tool.ListThreads, (*Hub).listThreads),
	tool.Introspection.Name:    look(tool.Introspection, (*Hub).introspection),

	tool.LogActionSummary.Name:  change(tool.LogActionSummary, (*Hub).logAction),
	tool.HotFiles.Name:          look(tool.HotFiles, (*Hub).hotFilesOf),
	tool.GetSessionFiles.Name:   peek(tool.GetSessionFiles, (*Hub).sessionFiles),
	tool.CheckFileConflict.Name: change(tool.CheckFileConflict, (*Hub).checkFile),
	tool.Acquire.Name:           change(tool.Acquire, (*Hub).acquire),
	tool.Edited.Name:            change(tool.Edited, (*Hub).edited),
	tool.Turn.Name:              change(tool.Turn, plain((*txn).turn)),
	tool.Release.Name:           change(tool.Release, plain((*txn).release)),

	tool.Offer.Name:        change(tool.Offer, plain((*txn).offerNews)),
	tool.Written.Name:      change(tool.Written, plain((*txn).writtenNews)),
	tool.AwaitWake.Name:    free(tool.AwaitWake, (*Hub).awaitWake),
	tool.Watch.Name:        change(tool.Watch, (*Hub).watchFiles),
	tool.RecordTokens.Name: recordTokens(),
	tool.TokensUsed.Name:   look(tool.TokensUsed, (*Hub).tokensUsed),

	tool.SetDependencyMap.Name: change(tool.SetDependencyMap, plain((*txn).setDependencyMap)),
	tool.GetBlastRadius.Name:   look(tool.GetBlastRadius, (*Hub).blastRadius),
	tool.GetModuleInfo.Name:    look(tool.GetModuleInfo, (*Hub).moduleInfo),

	tool.ViewAgents.Name:  look(tool.ViewAgents, (*Hub).viewAgents),
	tool.ViewThreads.Name: look(tool.ViewThreads, (*Hub).viewThreads),
	tool.ViewLeases.Name:  look(tool.ViewLeases, (*Hub).viewLeases),
	tool.ViewFiles.Name:   look(tool.ViewFiles, (*Hub).viewFiles),
	tool.ViewStats.Name:   look(tool.ViewStats, (*Hub).viewStats),
	tool.Overview.Name:    look(tool.Overview, (*Hub).overview),
	tool.StatusLine.Name:  look(tool.StatusLine, (*Hub).statusLine),

	tool.MqttPublish.Name:       publishing(),
	tool.Sync.Name:              free(tool.Sync, (*Hub).sync),
	tool.WaitForMessage.Name:    free(tool.WaitForMessage, (*Hub).waitForMessage),
	tool.GetQueuedMessages.Name: free(tool.GetQueuedMessages, (*Hub).queued),
}

// byItself are the operations that a shim or hook calls without its client: they
// do not show that the agent works.
var byItself = map[string]bool{tool.Sync.Name: true, tool.Written.Name: true, tool.AwaitWake.Name: true, tool.Watch.Name: true}

// Call runs one operation of the tool table. The caller stands in the context
// (coord.WithCaller); with a non-empty idempotencyKey a repeated call of a
// changing operation gets the first one's answer for 10 minutes. Errors are
// *coord.Error.
func (h *Hub) Call(ctx context.Context, op string, args json.RawMessage, idempotencyKey string) (json.RawMessage, error) {
	run, ok := handlers[op]
	if !ok {
		return nil, coord.Errorf(coord.NotFound, "GET /api/status names this hub's version; the shim may be newer", "no operation %q", op)
	}
	row, _ := tool.Lookup(op) // whatever is bound is in the table
	caller, ok := coord.CallerFrom(ctx)
	if !ok {
		return nil, coord.Errorf(coord.Unauthorized, "register first", "%s needs a session", op)
	}
	if id := coord.ToolUseFrom(ctx); id != "" {
		caller.Subagent = h.toolUses.subagent(caller.Agent, id)
	}
	if caller.Agent != "" {
		now := coord.At(h.now())
		h.presence.touch(caller.Agent, now, localGrace)
		h.presence.used(caller.Agent, caller.Session, now)
		if !byItself[op] {
			h.presence.called(caller.Agent, now, !row.ReadOnly && op != tool.Heartbeat.Name)
		}
	}
	began := time.Now()
	out, err := run(h, ctx, caller, args, idempotencyKey)
	took := time.Since(began)
	if row.Waits > 0 { // how long somebody waited for news says nothing of the hub
		took = 0
	}
	h.meter.Called(op, coord.CodeOf(err), took)
	return out, err
}

// change makes a handler of a rule that runs in the writer.
func change[In, Out any](spec tool.Spec[In, Out], rule func(*Hub, *txn, *coord.Agent, coord.Caller, In) (Out, error)) handler {
	return func(h *Hub, ctx context.Context, c coord.Caller, args json.RawMessage, key string) (json.RawMessage, error) {
		in, err := readFor(spec, c, args)
		if err != nil {
			return nil, err
		}
		return h.submit(ctx, spec.Name, ReplyKey{Agent: c.Agent, Key: key}, func(t *txn) (any, error) {
			me, err := t.caller(c)
			if err != nil {
				return nil, err
			}
			return rule(h, t, me, c, in)
		})
	}
}

// plain adapts a rule that needs neither the hub nor the caller.
func plain[In, Out any](rule func(*txn, *coord.Agent, In) (Out, error)) func(*Hub, *txn, *coord.Agent, coord.Caller, In) (Out, error) {
	return func(_ *Hub, t *txn, me *coord.Agent, _ coord.Caller, in In) (Out, error) { return rule(t, me, in) }
}

// onThread makes a handler of a rule about the thread that the argument
// thread_id names. One that ended too long ago to be in memory is read from the
// store, so that the rule can say how it ended.
func onThread[In, Out any](spec tool.Spec[In, Out], rule func(*Hub, *txn, *coord.Agent, coord.Caller, In) (Out, error)) handler {
	return func(h *Hub, ctx context.Context, c coord.Caller, args json.RawMessage, key string) (json.RawMessage, error) {
		var named struct {
			ThreadID coord.ThreadID `json:"thread_id"`
		}
		if json.Unmarshal(args, &named) != nil {
			named.ThreadID = "" // change will say what is wrong
		}
		old, err := h.archivedThread(ctx, c.Project, named.ThreadID)
		if err != nil {
			return nil, err
		}
		run := change(spec, func(h *Hub, t *txn, me *coord.Agent, c coord.Caller, in In) (Out, error) {
			t.archived = old
			return rule(h, t, me, c, in)
		})
		return run(h, ctx, c, args, key)
	}
}

// look makes a handler of a rule that only reads the state. The agent is nil
// for an operator.
func look[In, Out any](spec tool.Spec[In, Out], rule func(*Hub, *coord.Agent, coord.Caller, In) (Out, error)) handler {
	return func(h *Hub, _ context.Context, c coord.Caller, args json.RawMessage, _ string) (json.RawMessage, error) {
		in, err := spec.Read(args, c.Agent)
		if err != nil {
			return nil, err
		}
		out, err := func() (Out, error) {
			h.mu.RLock()
			defer h.mu.RUnlock()
			return rule(h, h.state.agents[c.Agent], c, in)
		}()
		return encode(spec.Name, out, err)
	}
}

// peek makes a handler of an operation that reads the store; an operator may
// call it.
func peek[In, Out any](spec tool.Spec[In, Out], run func(*Hub, context.Context, coord.Caller, In) (Out, error)) handler {
	return func(h *Hub, ctx context.Context, c coord.Caller, args json.RawMessage, _ string) (json.RawMessage, error) {
		in, err := spec.Read(args, c.Agent)
		if err != nil {
			return nil, err
		}
		out, err := run(h, ctx, c, in)
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
	b, err := asJSON(out)
	if err != nil {
		return nil, fmt.Errorf("%s: encode the answer: %w", op, err)
	}
	return b, nil
}

// caller gives the agent of a call; one that calls although it counted as gone
// is back.
func (t *txn) caller(c coord.Caller) (*coord.Agent, error) {
	me := t.agents[c.Agent]
	switch {
	case me == nil, united(me):
		return nil, unknownAgent(c.Agent)
	case me.Status == coord.Online:
		return me, nil
	}
	return t.revive(me), nil
}
