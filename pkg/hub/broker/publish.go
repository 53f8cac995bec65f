package broker

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/topic"
)

// Publish queues events for the publishing goroutine and returns at once. Those
// that find the queue full are dropped and counted; an agent's retained status
// is right even then.
func (b *Broker) Publish(batch []hub.Publication) {
	batch = slices.Clone(batch) // the caller's slice is its own again
	jobs, now := make([]job, len(batch)), time.Now()
	for i := range batch {
		jobs[i].event, jobs[i].since = &batch[i], now
		if post, ok := topic.Public(&batch[i].Event); ok && post.Retain {
			e := batch[i].Event // a copy: not to keep the whole batch
			b.retained.set(e.Project, post.Topic, e.Wire)
		}
	}
	b.queue.put(jobs)
}

// Subscribers counts the connections that a publication on the topic would
// reach now.
func (b *Broker) Subscribers(project coord.ProjectID, t string) int {
	return len(b.server.Topics.Subscribers(projectMount(project).topic(topic.Name(t))).Subscriptions)
}

// job is one thing for the publishing goroutine to do: an event to publish, or
// the retained messages to send to a new subscriber.
type job struct {
	event   *hub.Publication
	since   time.Time // when the event was handed over
	to      *conn
	filters []topic.Filter
}

// drain is the publishing goroutine. There is one, so each subscriber gets its
// messages in the order of Publish.
func (b *Broker) drain() {
	for {
		jobs, ok := b.queue.take(b.stop)
		if !ok {
			return
		}
		for _, j := range jobs {
			if j.event != nil {
				b.publish(j.event)
				b.opt.Pushed(time.Since(j.since))
			} else {
				b.replay(j.to, j.filters)
			}
		}
	}
}

// publish sends an event to its public topic and to the inbox of each recipient.
func (b *Broker) publish(p *hub.Publication) {
	at, epoch := projectMount(p.Event.Project), b.life()
	if post, ok := topic.Public(&p.Event); ok {
		b.send(at.topic(post.Topic), p.Event.Wire(epoch), post.Retain)
	}
	for _, r := range p.Recipients {
		if inbox := topic.Inbox(r.Agent); inbox != "" {
			d := coord.Delivery{Event: p.Event, Prev: r.Prev}
			b.send(at.topic(inbox), d.Wire(epoch), false)
		}
	}
}

// send hands one message to the MQTT server, which never waits for a subscriber
// at QoS 0.
func (b *Broker) send(mounted string, payload []byte, retain bool) {
	b.published.Add(1)
	if err := b.server.Publish(mounted, payload, retain, 0); err != nil {
		b.log.Error("message not published", "topic", mounted, "error", err)
	}
}

// queue is what waits for the publishing goroutine.
type queue struct {
	limit   int
	dropped atomic.Uint64
	wake    chan struct{} // capacity 1: a wake-up is never lost and never waits

	mu   sync.Mutex // guards jobs
	jobs []job
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, wake: make(chan struct{}, 1)}
}

// put appends what there is room for and drops the rest.
func (q *queue) put(jobs []job) {
	q.mu.Lock()
	room := min(max(q.limit-len(q.jobs), 0), len(jobs))
	q.jobs = append(q.jobs, jobs[:room]...)
	q.mu.Unlock()
	q.dropped.Add(uint64(len(jobs) - room)) // #nosec G115 -- room is at most len(jobs)
	q.signal()
}

// add appends a job whatever the limit says. The caller bounds their number.
func (q *queue) add(j job) {
	q.mu.Lock()
	q.jobs = append(q.jobs, j)
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for jobs and gives all there are; ok is false when stop is closed.
func (q *queue) take(stop <-chan struct{}) (jobs []job, ok bool) {
	for {
		q.mu.Lock()
		jobs, q.jobs = q.jobs, nil
		q.mu.Unlock()
		if len(jobs) > 0 {
			return jobs, true
		}
		select {
		case <-stop:
			return nil, false
		case <-q.wake:
		}
	}
}
