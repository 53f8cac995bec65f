package stream

import (
	"context"
	"errors"
	"sync"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// kept is how many events are remembered, so that readers that keep up do not
// ask the store.
const kept = 1024

// Store reads stored events; it is part of hub.Store.
type Store interface {
	Events(ctx context.Context, project coord.ProjectID, after coord.Seq, limit int) ([]coord.Event, error)
}

// Options make a Log.
type Options struct {
	Next  hub.Publisher // gets every publication after the log; required
	Store Store         // required
}

// Log is the event log as readers follow it. It is a hub.Publisher.
type Log struct {
	hub.Publisher
	store Store

	mu     sync.Mutex // guards what follows
	epoch  coord.Epoch
	head   coord.Seq
	recent []coord.Event // the newest, without a hole between them
	bells  map[chan struct{}]bool
}

// New makes a log that knows no event yet.
func New(o Options) (*Log, error) {
	if o.Next == nil || o.Store == nil {
		return nil, errors.New("stream: Options.Next and Options.Store are required")
	}
	return &Log{Publisher: o.Next, store: o.Store, bells: map[chan struct{}]bool{}}, nil
}

// Begin says which log it is and how far it has come, once the rules have
// started.
func (l *Log) Begin(epoch coord.Epoch, head coord.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch, l.head = epoch, max(head, l.head)
}

// Publish notes committed events, wakes the readers and passes the batch on. It
// never blocks.
func (l *Log) Publish(batch []hub.Publication) {
	l.note(batch)
	l.Publisher.Publish(batch)
}

func (l *Log) note(batch []hub.Publication) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range batch {
		if len(l.recent) > 0 && p.Event.Seq != l.head+1 {
			l.recent = nil // a hole: what is before it is for the store to tell
		}
		l.recent, l.head = append(l.recent, p.Event), p.Event.Seq
	}
	if len(l.recent) > 2*kept {
		l.recent = append([]coord.Event(nil), l.recent[len(l.recent)-kept:]...)
	}
	for bell := range l.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}

// Head gives the life of the log and the seq of its newest event.
func (l *Log) Head() (coord.Epoch, coord.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch, l.head
}

// Listen gives a channel that is signalled after new events, and a function
// that ends the listening. A reader that listens before it reads misses nothing.
func (l *Log) Listen() (<-chan struct{}, func()) {
	bell := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bells[bell] = true
	return bell, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.bells, bell)
	}
}

// After gives at most limit events with a seq greater than after, in order; an
// empty project gives all projects. The second result is how far was looked:
// everything up to it is in this answer or an earlier one.
func (l *Log) After(ctx context.Context, project coord.ProjectID, after coord.Seq, limit int) ([]coord.Event, coord.Seq, error) {
	if out, upTo, ok := l.remembered(project, after, limit); ok {
		return out, upTo, nil
	}
	_, head := l.Head() // before the query: what it does not find up to here is of others, or gone
	out, err := l.store.Events(ctx, project, after, limit)
	if err != nil {
		return nil, after, err
	}
	if len(out) == limit {
		return out, out[limit-1].Seq, nil
	}
	if n := len(out); n > 0 {
		head = max(head, out[n-1].Seq)
	}
	return out, max(head, after), nil
}

// remembered answers from memory; ok is false when the events that follow are
// not all there.
func (l *Log) remembered(project coord.ProjectID, after coord.Seq, limit int) (out []coord.Event, upTo coord.Seq, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case after >= l.head:
		return nil, after, true
	case len(l.recent) == 0 || l.recent[0].Seq > after+1:
		return nil, after, false
	}
	for _, e := range l.recent[after+1-l.recent[0].Seq:] {
		if len(out) == limit {
			return out, upTo, true
		}
		if upTo = e.Seq; project == "" || e.Project == project {
			out = append(out, e)
		}
	}
	return out, upTo, true
}
