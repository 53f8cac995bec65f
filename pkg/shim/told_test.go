package shim_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/shim"
	"github.com/coordhq/coord/pkg/tool"
)

// gate is a client's end of the stream that can stop reading before an answer.
type gate struct {
	io.Writer
	stop    string        // a part of the line that is held
	reached chan struct{} // gets one when it is there
	pass    chan struct{}
}

func (g *gate) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(g.stop)) {
		g.reached <- struct{}{}
		<-g.pass
	}
	return g.Writer.Write(line)
}

// An answer has an event in hand that the hub has not heard of, since its reply
// was lost. Meanwhile another call asks the hub, which offers the event again.
func TestNewsInTheHandOfOneAnswerIsNotGivenByAnother(t *testing.T) {
	g := &gate{stop: `"id":1,`, reached: make(chan struct{}), pass: make(chan struct{})}
	h, peer := serving(t, func(o *shim.Options) { g.Writer, o.Stdout = o.Stdout, g })
	hub := giving(h)
	hub.lose = 1
	hub.give(1)
	peer.send(toolCall(1, "get_queued_messages", `{}`))
	<-g.reached
	hub.give(2)
	peer.send(toolCall(2, "get_queued_messages", `{}`))
	<-time.After(100 * time.Millisecond) // time enough for one that would not wait for the first answer
	close(g.pass)
	peer.wantNews(peer.news(peer.answer()), 0, 1)
	peer.wantNews(peer.news(peer.answer()), 0, 2)
}

// The hub dies while the shim gives from its own queue, and the next one does
// not know of it.
func TestWhatWasGivenWithoutAHubIsNotGivenAgain(t *testing.T) {
	h, peer := serving(t, func(o *shim.Options) { o.Patience = time.Second })
	h.post(1, "T-1", `{}`)
	h.post(2, "T-1", `{}`)
	peer.wantNews(peer.read(1, "get_queued_messages", `{"max":1}`), 1, 1)
	h.stop()
	peer.wantNews(peer.read(2, "get_queued_messages", `{}`), 0, 2)
	hub := giving(h)
	h.with(func() { h.instance, h.seen = "i-2", 0 })
	h.listen()
	<-h.subscribed
	hub.give(3)
	rode := decode[struct{ News news }](t, []byte(peer.until(h, 3)))
	peer.wantNews(rode.News, 0, 3)
	told := map[coord.Seq]bool{}
	for !told[1] || !told[2] || !told[3] { // and the hub learns of all
		for _, seq := range (<-hub.told).Seqs {
			told[seq] = true
		}
	}
}

// What hooks have told only the hub knows.
func TestBesideHooksTheQueueAloneGivesNothing(t *testing.T) {
	home := newHome(t)
	h := startHub(t, home)
	h.with(func() { h.hooks = true })
	hub := giving(h)
	peer := startShim(t, home, nil)
	peer.introduce("claude-code")
	<-h.subscribed
	hub.lose = 1
	hub.give(1)
	peer.wantNews(peer.read(1, "get_queued_messages", `{}`), 1)
	hub.give()
	peer.wantNews(peer.read(2, "get_queued_messages", `{}`), 0, 1)
}

// An answer that the client cancelled has told nothing: the next one does.
func TestWhatACancelledAnswerHadInHandIsGivenAgain(t *testing.T) {
	h, peer := serving(t, nil)
	hub := giving(h)
	hub.give(1)
	peer.wantNews(peer.read(1, "get_queued_messages", `{}`), 0, 1)
	hub.wantTold(t, tool.WrittenIn{Rung: coord.RungPoll, Seqs: []coord.Seq{1}})
	peer.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	hub.wantTold(t, tool.WrittenIn{Rung: coord.RungPoll, Seqs: []coord.Seq{1}, Failed: true})
	hub.give()
	peer.wantNews(peer.read(2, "get_queued_messages", `{}`), 0, 1)
}
