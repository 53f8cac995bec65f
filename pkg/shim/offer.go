package shim

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// offerLimit bounds the question what may be handed out; without an answer the
// shim gives what it has.
const offerLimit = 2 * time.Second

// want says what a call may hand over.
type want struct {
	max, usual int
	thread     coord.ThreadID
}

// take gives the answer that hands over what is queued, nil when that is
// nothing. The hub says what may be given. While it does not answer the queue
// alone decides, unless hooks give of the same news: only the hub knows which.
func (s *Shim) take(ctx context.Context, r *request, w want) []byte {
	filter := mcptool.OfThread(w.thread)
	if s.queue.Waiting(filter) == 0 || !s.told.enter(ctx) {
		return nil
	}
	out := s.handing(r, coord.RungPoll)
	defer out.end()
	limit := w.max
	if limit == 0 {
		limit = w.usual
	}
	events, _, err := s.offer(ctx, tool.OfferIn{Rung: coord.RungPoll, Max: limit, Bytes: mcptool.MaxNews, ThreadID: w.thread})
	var batch *inbox.Batch
	switch {
	case err == nil:
		batch = s.queue.TakeSeqs(seqs(events))
		events = merge(events, batch.Events)
	case ctx.Err() != nil || s.hooked.Load():
		return nil // what the hub may have noted as offered it offers again
	default:
		s.queue.Take(math.MaxInt, s.told.has).Confirm() // by way of an answer, before they had come here
		batch = mcptool.Take(s.queue, w.max, w.usual, filter)
		events = batch.Events
	}
	if len(events) == 0 {
		return nil
	}
	out.over(batch, events)
	return mcptool.News(&inbox.Batch{Events: events}, s.queue, filter)
}

// ride puts the news that may be told now into the answer of another call.
func (s *Shim) ride(ctx context.Context, r *request, answer []byte) []byte {
	room := mcptool.RideRoom(answer)
	if room <= 0 || s.queue.Waiting(nil) == 0 || !s.told.enter(ctx) {
		return answer
	}
	out := s.handing(r, coord.RungResult)
	defer out.end()
	events, unread, err := s.offer(ctx, tool.OfferIn{Rung: coord.RungResult, Max: mcptool.WaitBatch, Bytes: room})
	if err != nil || len(events) == 0 {
		return answer
	}
	full, told := mcptool.Ride(answer, events, unread)
	if left := seqs(events[told:]); len(left) > 0 {
		s.reports.add(tool.WrittenIn{Rung: coord.RungResult, Seqs: left, Failed: true})
	}
	if told > 0 {
		out.over(s.queue.TakeSeqs(seqs(events[:told])), events[:told])
	}
	return full
}

// offer asks the hub for the news that a rung may give now. What was given
// before is reported first, so that it is not in the way.
func (s *Shim) offer(ctx context.Context, in tool.OfferIn) ([]coord.Delivery, int, error) {
	ctx, cancel := context.WithTimeout(ctx, offerLimit)
	defer cancel()
	l := s.session.linkNow()
	if l == nil {
		return nil, 0, s.session.absent(nil)
	}
	s.reports.flush(ctx)
	in.Settled = true // this answer alone takes news out, and those before have been reported
	var out tool.OfferOut
	raw, err := l.hub.Call(ctx, l.me.SessionKey, tool.Offer.Name, mcptool.Encode(in), "")
	if err != nil {
		return nil, 0, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, 0, fmt.Errorf("read the hub's offer: %w", err)
	}
	events, err := deliveries(out.Events)
	if err != nil {
		return nil, 0, err
	}
	fresh, known := s.told.split(events)
	if len(known) > 0 {
		s.reports.add(tool.WrittenIn{Rung: in.Rung, Seqs: known})
		s.queue.Take(len(known), func(d *coord.Delivery) bool { return slices.Contains(known, d.Seq) }).Confirm()
	}
	return fresh, out.Unread, nil
}

func deliveries(wires []json.RawMessage) ([]coord.Delivery, error) {
	var out []coord.Delivery
	for _, raw := range wires {
		_, d, err := coord.ParseWire(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// handing is the turn of one answer to take news out.
type handing struct {
	shim  *Shim
	r     *request
	rung  coord.Rung
	epoch coord.Epoch
	given bool // over was called
}

func (s *Shim) handing(r *request, rung coord.Rung) *handing {
	return &handing{shim: s, r: r, rung: rung, epoch: s.told.now()}
}

// over puts a batch on the call: what becomes of the answer decides what the hub
// is told of it, and ends the turn.
func (h *handing) over(b *inbox.Batch, events []coord.Delivery) {
	s, given, leave := h.shim, seqs(events), sync.OnceFunc(h.shim.told.leave)
	h.given = true
	h.r.call.carry(&parcel{b, func(out bool) {
		s.told.note(h.epoch, given, out)
		s.reports.add(tool.WrittenIn{Rung: h.rung, Seqs: given, Failed: !out})
		leave()
	}})
}

// end ends the turn of an answer that takes nothing.
func (h *handing) end() {
	if !h.given {
		h.shim.told.leave()
	}
}

func seqs(events []coord.Delivery) []coord.Seq {
	out := []coord.Seq{}
	for i := range events {
		out = append(out, events[i].Seq)
	}
	return out
}

// merge adds those of more that are not among the events, in order.
func merge(events, more []coord.Delivery) []coord.Delivery {
	out := make([]coord.Delivery, 0, len(events)+len(more))
	for len(events) > 0 || len(more) > 0 {
		switch {
		case len(more) == 0 || len(events) > 0 && events[0].Seq < more[0].Seq:
			out, events = append(out, events[0]), events[1:]
		case len(events) > 0 && events[0].Seq == more[0].Seq:
			more = more[1:]
		default:
			out, more = append(out, more[0]), more[1:]
		}
	}
	return out
}
