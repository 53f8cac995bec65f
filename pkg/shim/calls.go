package shim

import (
	"context"
	"fmt"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/coordhq/coord/pkg/inbox"
)

const (
	maxCalls    = 256 // calls under way at once; more are refused
	recentCalls = 16  // answered calls whose cancellation may still be on its way
)

// codeTooMany is the JSON-RPC error code of a call over maxCalls: the first of
// those left to implementations.
const codeTooMany = -32000

// call is one request of the client that has no answer yet.
type call struct {
	id        jsonrpc.ID
	table     *calls
	after     []*call       // cancelled before this one began, and not ended then
	ended     chan struct{} // closed when its news is accounted for
	fresh     bool          // no other call was under way when it began: the client has read all answers before
	cancelled bool          // guarded by table.mu
	news      *parcel       // goes out with the answer; guarded by table.mu
}

// parcel is news that goes out with an answer. The hub is told what becomes of it.
type parcel struct {
	*inbox.Batch
	report func(out bool) // nil = nobody
}

// Confirm says that the client has got the parcel.
func (p *parcel) Confirm() {
	p.Batch.Confirm()
	p.tell(true)
}

// Return says that it has not, after all.
func (p *parcel) Return() {
	p.Batch.Return()
	p.tell(false)
}

func (p *parcel) tell(out bool) {
	if p.report != nil {
		p.report(out)
	}
}

// calls knows every call under way and what its answer will hand over. It
// decides, for each batch of news, whether the client has got it.
type calls struct {
	mu     sync.Mutex // guards what follows, and the fields of each call
	open   map[jsonrpc.ID]*call
	recent []*call // answered with news, the newest last
	active int     // open ones, and those whose answer is being written
	idlers []chan struct{}
}

func newCalls() *calls { return &calls{open: map[jsonrpc.ID]*call{}} }

// begin notes a new call. The error is for the client, with the id to put on
// it: an id that is in use already belongs to the other call.
func (t *calls) begin(id jsonrpc.ID) (*call, jsonrpc.ID, *jsonrpc.Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.open[id] != nil:
		return nil, jsonrpc.ID{}, invalidRequest("the id %s is in use by a call that has no answer yet", wireID(id))
	case len(t.open) >= maxCalls:
		return nil, id, &jsonrpc.Error{Code: codeTooMany, Message: fmt.Sprintf("%d calls are under way; wait for answers first", maxCalls)}
	}
	c := &call{id: id, table: t, ended: make(chan struct{}), fresh: t.active == 0}
	for _, other := range t.open {
		if other.cancelled {
			c.after = append(c.after, other)
		}
	}
	t.open[id] = c
	t.active++
	return c, id, nil
}

// inTurn waits for the calls that the client had cancelled before it made this
// one: the news they hold comes before what is to be taken now.
func (c *call) inTurn(ctx context.Context) {
	for _, other := range c.after {
		select {
		case <-other.ended:
		case <-ctx.Done():
			return
		}
	}
}

// carry says that the answer to the call will hand over a batch. It is called
// at most once, before the answer is given.
func (c *call) carry(p *parcel) {
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	c.news = p
}

// cancel notes that the client will ignore the answer. A client cancels only
// what it has no answer to, so an answer that crossed the cancellation on its
// way is ignored as well, and its news goes back.
func (t *calls) cancel(id jsonrpc.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.open[id]; c != nil {
		c.cancelled = true
		return
	}
	for i, c := range t.recent {
		if c.id == id {
			c.cancelled = true
			c.news.Return()
			t.recent = append(t.recent[:i:i], t.recent[i+1:]...)
			return
		}
	}
}

// finish answers a call by write, unless it was cancelled: then nothing is
// written, as the protocol wants it. News that went out is confirmed.
func (t *calls) finish(id jsonrpc.ID, write func() error) error {
	c, cancelled := t.answer(id)
	if c == nil {
		return write()
	}
	defer t.done(c)
	if cancelled {
		return nil
	}
	if err := write(); err != nil {
		c.giveBack()
		return err
	}
	t.confirm(c)
	return nil
}

// confirm settles the news of a call whose answer is out, unless the client has
// cancelled the call meanwhile.
func (t *calls) confirm(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.news != nil && !c.cancelled {
		c.news.Confirm()
	}
}

// answer takes a call off the table. From here on its news does not change. That
// of a cancelled call goes back at once: a call that begins next does not know of
// this one any more, and would take what comes after it.
func (t *calls) answer(id jsonrpc.ID) (c *call, cancelled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c = t.open[id]
	if c == nil {
		return nil, false
	}
	delete(t.open, id)
	switch {
	case c.cancelled:
		c.giveBack()
	case c.news != nil:
		t.recent = append(t.recent[max(0, len(t.recent)-recentCalls+1):], c)
	}
	return c, c.cancelled
}

func (c *call) giveBack() {
	if c.news != nil {
		c.news.Return()
	}
}

func (t *calls) done(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(c.ended)
	if t.active--; t.active > 0 {
		return
	}
	for _, ch := range t.idlers {
		close(ch)
	}
	t.idlers = nil
}

// idle gives a channel that is closed when no call is under way.
func (t *calls) idle() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	ch := make(chan struct{})
	if t.active == 0 {
		close(ch)
		return ch
	}
	t.idlers = append(t.idlers, ch)
	return ch
}
