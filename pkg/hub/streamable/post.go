package streamable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
)

// recentAnswers is how many answers with news may still be taken back by a
// cancellation that crossed them on its way.
const recentAnswers = 16

// post is one HTTP request of a client, with what its answer hands over.
type post struct {
	session *session
	ctx     context.Context // ends when the client hangs up
	id      string          // of the JSON-RPC request, as it is written; "" = several, or none
	out     *writer

	// Guarded by session.mu.
	news      []*inbox.Batch
	before    int  // bytes written when the newest batch was taken
	cancelled bool // the client ignores the answer
	over      bool // the request is
}

// read reads the body whole, and notes the id of the request in it. A
// cancellation takes effect on what it cancels.
func (p *post) read(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		http.Error(w, "the body is over the limit", http.StatusRequestEntityTooLarge)
		return false
	case err != nil:
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var message struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			RequestID json.RawMessage `json:"requestId"`
		} `json:"params"`
	}
	_ = json.Unmarshal(body, &message) // what cannot be read is for the library to refuse
	p.id = string(message.ID)
	if message.Method == "notifications/cancelled" {
		p.session.cancel(string(message.Params.RequestID))
	}
	return true
}

func (p *post) begin(out *writer) {
	p.out = out
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.session.posts = append(p.session.posts, p)
}

// carry says that the answer will hand over a batch. When there is nobody to
// answer any more it goes back.
func (p *post) carry(b *inbox.Batch) {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	if p.over {
		b.Return()
		return
	}
	p.news = append(p.news, b)
	p.before, _ = p.out.sent()
}

// carryNext lets the answer hand over what take gives, and gives its events. It
// takes nothing while another answer has news in hand, which comes first, and
// when there is nobody to answer any more.
func (p *post) carryNext(take func() *inbox.Batch) []coord.Delivery {
	s := p.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.over || slices.ContainsFunc(s.posts, (*post).inHand) {
		return nil
	}
	b := take()
	if len(b.Events) > 0 {
		p.news = append(p.news, b)
		p.before, _ = p.out.sent()
	}
	return b.Events
}

// inHand reports whether there is news that has not gone out; it runs under
// session.mu.
func (p *post) inHand() bool {
	if len(p.news) == 0 {
		return false
	}
	_, out := p.out.sent()
	return out <= p.before
}

// settle decides, when the request is over, whether the client has got the news:
// something went out after they were taken, and the client had not cancelled.
func (p *post) settle() {
	s := p.session
	s.mu.Lock()
	defer s.mu.Unlock()
	p.over = true
	s.posts = slices.DeleteFunc(s.posts, func(other *post) bool { return other == p })
	if len(p.news) == 0 {
		return
	}
	got := !p.inHand() && !p.cancelled
	for _, b := range p.news {
		if got {
			b.Confirm()
		} else {
			b.Return()
		}
	}
	if got {
		s.answered = append(s.answered[max(0, len(s.answered)+1-recentAnswers):], p)
	}
}

// cancel notes that the client ignores the answer to a request. A client cancels
// only what it has no answer to, so an answer that crossed the cancellation on
// its way is ignored as well, and its news is given again.
func (s *session) cancel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		return
	}
	for _, p := range s.posts {
		p.cancelled = p.cancelled || p.id == id
	}
	for _, p := range s.answered {
		if p.id == id {
			for _, b := range p.news {
				b.Return()
			}
			p.news = nil
		}
	}
}
