package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// maxBatch is how many waiting requests share one commit.
const maxBatch = 64

// request is one rule waiting for the writer.
type request struct {
	op   string
	key  ReplyKey // Key "" = no idempotency
	rule func(*txn) (any, error)
	done chan outcome // capacity 1
}

// outcome is what a caller gets once the commit is durable.
type outcome struct {
	result json.RawMessage
	err    error
	txn    *txn          // nil for an error or a repeated answer
	said   any           // what the rule answered
	took   time.Duration // by the rule
}

// submit hands a rule to the writer and waits for the outcome. When the context
// ends first the rule may still run: only an idempotency key tells later.
func (h *Hub) submit(ctx context.Context, op string, key ReplyKey, rule func(*txn) (any, error)) (json.RawMessage, error) {
	r := &request{op: op, key: key, rule: rule, done: make(chan outcome, 1)}
	select {
	case h.requests <- r:
	case <-h.stopped:
		return nil, errStopping()
	case <-ctx.Done():
		return nil, coord.Errorf(coord.Unavailable, "try again", "%s: not run: %v", op, ctx.Err())
	}
	select {
	case out := <-r.done:
		return out.result, out.err
	case <-ctx.Done():
		return nil, coord.Errorf(coord.Unavailable, "try again with the same Idempotency-Key", "%s: %v", op, ctx.Err())
	case <-h.stopped: // and maybe it came into the queue after the writer's last look
		select {
		case out := <-r.done:
			return out.result, out.err
		default:
			return nil, errStopping()
		}
	}
}

func errStopping() error {
	return coord.Errorf(coord.Unavailable, "connect again; a new hub will answer", "the hub is stopping")
}

// write is the writer goroutine: it owns every change of the state.
func (h *Hub) write() {
	defer close(h.stopped)
	for {
		select {
		case r := <-h.requests:
			h.runBatch(h.drain(r))
		case <-h.stopping:
			for {
				select {
				case r := <-h.requests:
					h.runBatch(h.drain(r))
				default:
					return
				}
			}
		}
	}
}

// drain takes what is waiting, up to maxBatch, without waiting for more.
func (h *Hub) drain(first *request) []*request {
	batch := []*request{first}
	for len(batch) < maxBatch {
		select {
		case r := <-h.requests:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// runBatch runs the rules, stores and commits what they changed, publishes and
// answers. A rule that fails takes back its own changes only; a commit that
// fails takes back the whole batch.
func (h *Hub) runBatch(batch []*request) {
	outcomes := make([]outcome, len(batch))
	publications, err := h.commit(batch, outcomes)
	if err != nil {
		h.log.Error("commit failed", "requests", len(batch), "error", err)
		for i := range outcomes {
			if outcomes[i].err == nil { // a repeated answer too: it may repeat a call of this batch
				outcomes[i] = outcome{err: storage(err)}
			}
		}
	}
	if len(publications) > 0 {
		h.publisher.Publish(publications)
		h.wake(publications)
	}
	for i, r := range batch {
		r.done <- outcomes[i]
	}
	h.chronicle.write(publications)
}

// storage words what the store could not do: in its own words when it has some.
// A read that was cut short says nothing of the disk.
func storage(err error) error {
	var own *coord.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &coord.Error{Code: coord.Unavailable, What: "the hub did not get to read this", Next: "call again", Err: err}
	}
	return &coord.Error{Code: coord.Storage, What: "the hub could not read or store this", Err: err,
		Next: "nothing was changed; see coord-hub logs and check the disk that holds the coord home, then call again"}
}

// commit is the part of runBatch that holds the state. It waits for the
// database before that: a lock of somebody else's must not keep readers waiting.
func (h *Hub) commit(batch []*request, outcomes []outcome) (publications []Publication, err error) {
	tx, err := h.store.Begin(context.Background()) // a commit is never cut short by a caller that went away
	if err != nil {
		for i := range outcomes {
			outcomes[i] = outcome{err: storage(err)}
		}
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	h.mu.Lock()
	defer h.mu.Unlock()
	now := coord.At(h.now())
	for i, r := range batch {
		outcomes[i] = h.runOne(tx, r, now)
	}
	began := time.Now()
	if err := tx.Commit(); err != nil {
		for i := len(outcomes) - 1; i >= 0; i-- {
			if outcomes[i].txn != nil {
				outcomes[i].txn.rollback()
			}
		}
		return nil, err
	}
	h.meter.Committed(len(batch), time.Since(began))
	for _, o := range outcomes {
		if o.txn != nil {
			h.count(o)
			publications = append(publications, o.txn.publications...)
			h.admit(&o.txn.changes)
			h.waiters.turned(o.txn.changes.Agents)
			if o.txn.after != nil {
				o.txn.after()
			}
			h.waiters.turned(o.txn.changes.Agents)
		}
	}
	return publications, nil
}

// runOne runs one request under its own savepoint.
func (h *Hub) runOne(tx Batch, r *request, now coord.Millis) outcome {
	if r.key.Key != "" {
		reply, found, err := tx.Reply(r.key)
		switch {
		case err != nil:
			return outcome{err: storage(err)}
		case found && reply.Op != r.op:
			return outcome{err: coord.Errorf(coord.Conflict, "use a new Idempotency-Key", "this Idempotency-Key belongs to a call of %s", reply.Op)}
		case found:
			return outcome{result: reply.Result}
		}
	}
	t := newTxn(h.state, now)
	began := time.Now()
	result, err := h.runRule(t, r)
	took := time.Since(began)
	if err != nil {
		t.rollback()
		return outcome{err: err}
	}
	body, err := asJSON(result)
	if err != nil {
		t.rollback()
		return outcome{err: fmt.Errorf("%s: encode the answer: %w", r.op, err)}
	}
	if r.key.Key != "" && !t.changes.Empty() {
		t.changes.Reply = &Reply{Key: r.key, Op: r.op, Result: body, Time: now}
	}
	if changes := t.finish(); !changes.Empty() {
		if err := tx.Apply(changes); err != nil {
			t.rollback()
			h.log.Error("store refused a request", "op", r.op, "error", err)
			return outcome{err: storage(err)}
		}
	}
	return outcome{result: body, txn: t, said: result, took: took}
}

// count tells the meter what a stored request did.
func (h *Hub) count(o outcome) {
	if out, ok := o.said.(tool.AnnounceWorkOut); ok {
		h.meter.Announced(out.Category, o.took)
	}
	for _, r := range o.txn.changes.Receipts {
		h.meter.Delivered(r.Rung, r.State)
	}
	for _, use := range o.txn.changes.Tokens {
		h.meter.Used(use)
	}
}

// runRule runs a rule and turns a panic into an internal error of this request
// alone.
func (h *Hub) runRule(t *txn, r *request) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.log.Error("rule panicked", "op", r.op, "panic", p, "stack", string(debug.Stack()))
			err = coord.Errorf(coord.Internal, "this is a fault of coord; the hub's log has the details", "%s failed", r.op)
		}
	}()
	if result, err = r.rule(t); err == nil {
		t.serveLines()
	}
	return result, err
}
