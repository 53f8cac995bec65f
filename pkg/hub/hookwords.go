package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	wording "github.com/coordhq/coord/pkg/brief"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// hookBatch is how many events one hook shows at most.
const hookBatch = 20

// progressed notes that the main thread has come back: what it was shown before
// has been seen. Its user is told of what only people can settle.
func (k *hook) progressed() {
	if k.in.Subagent == "" {
		k.progress(k.me.ID)
		k.disagreed()
	}
}

// disagreed tells the user once of each consultation of the session that has
// ended without an agreement.
func (k *hook) disagreed() {
	for id, th := range k.project(k.me.Project).threads {
		if th.Status == coord.ThreadUnresolved && slices.Contains(th.Parties, k.me.ID) && k.once("unresolved", id, k.me.ID) {
			k.note(fmt.Sprintf("coord: the agents did not agree in %s, in four rounds. Whoever announced the files first keeps the right of way for now; tell yours how to go on.", id))
		}
	}
}

// news adds what the session has not been told. A subagent gets only verdicts
// about its own call: what is for the session waits for the main thread.
func (k *hook) news(rung coord.Rung) {
	if k.in.Subagent != "" {
		return
	}
	k.say(k.offered(rung))
}

// offered takes the news that a rung may show now, in words, and notes it for
// the receipt.
func (k *hook) offered(rung coord.Rung) string {
	events := k.offer(k.me.ID, rung, hookBatch)
	if len(events) == 0 {
		return ""
	}
	k.answer.Receipt = receiptOf(k.me.ID, rung, events)
	return wording.News(k.now, events, k.unread(k.me.ID))
}

func receiptOf(id coord.AgentID, rung coord.Rung, events []coord.Event) *coord.HookReceipt {
	r := &coord.HookReceipt{Agent: id, Rung: rung}
	for _, e := range events {
		r.Seqs = append(r.Seqs, e.Seq)
	}
	return r
}

// urgent blocks the end of the turn with news that should not wait, if there is
// any.
func (k *hook) urgent() bool {
	text := k.offered(coord.RungStop)
	k.answer.Refused, k.answer.Reason = text != "", text
	return k.answer.Refused
}

// confirmed notes that an answer has reached the client.
func (k *hook) confirmed() {
	if r := k.in.Receipt; r != nil && r.Agent == k.me.ID {
		k.written(k.me.ID, r.Rung, r.Seqs)
	}
}

// refusal says why an edit must not be made now.
func (k *hook) refusal(v coord.Verdict) string {
	o := wording.RefusalOptions{Now: k.now, Names: k.names(v), File: k.typed(v)}
	if !k.me.HookOnly {
		for _, op := range tool.Offered(true) {
			o.Tools = append(o.Tools, op.Name)
		}
	}
	return wording.Refusal(v, o)
}

// typed is how the session's user names the file of a refusal where they are, ""
// = as the verdict does.
func (k *hook) typed(v coord.Verdict) string {
	ws := v.Notes[0].Workspace
	top, here := strings.CutPrefix(string(ws), string(k.in.Host)+":")
	if !here || ws == k.in.Workspace && !k.in.Inside {
		return ""
	}
	return path.Join(top, v.Path.String())
}

// hints says what a session should know of a file it writes.
func (k *hook) hints(v coord.Verdict) string {
	return wording.Context(v, wording.ContextOptions{Now: k.now, Names: k.names(v)})
}

func (k *hook) names(v coord.Verdict) map[coord.AgentID]string {
	out := map[coord.AgentID]string{}
	for _, n := range v.Notes {
		if a := k.agents[n.Agent]; a != nil {
			out[a.ID] = a.Name
		}
	}
	return out
}

// whereIStand restates what the session holds, waits for and talks about.
func (k *hook) whereIStand() string { return wording.Standing(k.standing(k.agents[k.me.ID])) }

// say adds words for the model.
func (k *hook) say(text string) {
	if text == "" {
		return
	}
	if k.answer.Context != "" {
		k.answer.Context += "\n"
	}
	k.answer.Context += text
}

// note adds words for the user.
func (k *hook) note(text string) {
	if k.answer.Note != "" {
		k.answer.Note += " "
	}
	k.answer.Note += text
}

// rewake waits until news may wake the idle session of a hook: its client is the
// background process that wakes it.
func (h *Hub) rewake(ctx context.Context, c coord.Caller, in coord.HookCall, said *coord.HookAnswer) (json.RawMessage, error) {
	h.mu.RLock()
	a := h.state.agentOfHook(c, in, false, coord.At(h.now()))
	h.mu.RUnlock()
	if a == nil {
		return asJSON(coord.HookAnswer{Over: true})
	}
	out, err := h.awaitWake(ctx, coord.Caller{Agent: a.ID}, tool.AwaitWakeIn{Rung: coord.RungRewake})
	if err != nil {
		return nil, err
	}
	answer := coord.HookAnswer{Over: out.Over}
	var events []coord.Event
	for _, raw := range out.Events {
		_, d, err := coord.ParseWire(raw)
		if err != nil {
			return nil, coord.Errorf(coord.Internal, "this is a fault of coord", "an event cannot be read: %v", err)
		}
		events = append(events, d.Event)
	}
	if len(events) > 0 {
		answer.Wake, answer.Receipt = wording.News(coord.At(h.now()), events, out.Unread), receiptOf(a.ID, coord.RungRewake, events)
	}
	*said = answer
	return asJSON(answer)
}
