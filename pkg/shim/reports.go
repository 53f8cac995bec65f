package shim

import (
	"context"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// maxReports bounds the reports that wait for a hub. When there are more, the
// oldest are dropped: their events may be told again.
const maxReports = 1000

// reports tell the hub, in order and beside the calls, what became of the news
// that was handed over.
type reports struct {
	more chan struct{} // capacity 1

	mu    sync.Mutex // guards what follows
	queue []tool.WrittenIn
	owed  bool // something was handed over since the last progress
	idle  chan struct{}
}

func newReports() *reports {
	idle := make(chan struct{})
	close(idle)
	return &reports{more: make(chan struct{}, 1), idle: idle}
}

// add queues a report.
func (r *reports) add(in tool.WrittenIn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.idle = make(chan struct{})
	}
	if r.queue = append(r.queue, in); len(r.queue) > maxReports {
		r.queue = r.queue[1:]
	}
	r.owed = !in.Progress
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// progress reports that the client has come back after all its earlier calls,
// if the hub has a use for it.
func (r *reports) progress() {
	r.mu.Lock()
	owed := r.owed
	r.mu.Unlock()
	if owed {
		r.add(tool.WrittenIn{Progress: true})
	}
}

// flush waits until what is queued has been reported.
func (r *reports) flush(ctx context.Context) {
	r.mu.Lock()
	idle := r.idle
	r.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// run reports until ctx ends. What the hub refuses is dropped.
func (r *reports) run(ctx context.Context, tell func(context.Context, tool.WrittenIn) error) {
	for {
		select {
		case <-r.more:
		case <-ctx.Done():
			return
		}
		for next, ok := r.first(); ok; next, ok = r.first() {
			if err := tell(ctx, next); coord.CodeOf(err) == coord.Unavailable {
				if ctx.Err() != nil {
					return
				}
				continue
			}
			r.told()
		}
	}
}

func (r *reports) first() (tool.WrittenIn, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return tool.WrittenIn{}, false
	}
	return r.queue[0], true
}

func (r *reports) told() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) > 0 {
		r.queue = r.queue[1:]
	}
	if len(r.queue) == 0 {
		close(r.idle)
	}
}

// reportPause is between two attempts to report to a hub that is away.
const reportPause = 200 * time.Millisecond

// report makes one report at the hub there is.
func (s *Shim) report(ctx context.Context, in tool.WrittenIn) error {
	l := s.session.linkNow()
	if l == nil {
		within(reportPause, ctx.Done())
		return s.session.absent(nil)
	}
	in.Epoch = l.me.Epoch
	limited, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	_, err := l.hub.Call(limited, l.me.SessionKey, tool.Written.Name, mcptool.Encode(in), "")
	if code := coord.CodeOf(err); code == coord.Unavailable && ctx.Err() == nil {
		s.session.lost(l, err)
		within(reportPause, ctx.Done())
	}
	return err
}
