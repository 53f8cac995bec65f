package broker

import (
	"maps"
	"slices"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

// MQTT 5's retain handling of a subscription.
const (
	sendIfNew byte = 1
	sendNever byte = 2
)

// SetStatus puts the retained status of an agent in place without telling the
// present subscribers: for the rebuild at start. The payload is the wire form of
// an agent.status event.
func (b *Broker) SetStatus(project coord.ProjectID, agent coord.AgentID, payload []byte) {
	if name := topic.Status(agent); name != "" {
		b.retained.set(project, name, func(coord.Epoch) []byte { return payload })
	}
}

// ClearStatus forgets the retained status of an agent that is gone for good.
// Subscribers are told nothing: they have heard that it went offline.
func (b *Broker) ClearStatus(project coord.ProjectID, agent coord.AgentID) {
	b.retained.clear(project, topic.Status(agent))
}

// retained keeps the last message of each topic that has one.
type retained struct {
	mu       sync.Mutex // guards messages
	messages map[coord.ProjectID]map[topic.Name]wire
}

// wire writes a message when it is sent: the epoch may be set after it was kept.
type wire func(coord.Epoch) []byte

func newRetained() *retained {
	return &retained{messages: map[coord.ProjectID]map[topic.Name]wire{}}
}

func (r *retained) set(p coord.ProjectID, n topic.Name, w wire) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.messages[p] == nil {
		r.messages[p] = map[topic.Name]wire{}
	}
	r.messages[p][n] = w
}

func (r *retained) clear(p coord.ProjectID, n topic.Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.messages[p], n)
	if len(r.messages[p]) == 0 {
		delete(r.messages, p)
	}
}

// message is one retained message.
type message struct {
	name topic.Name
	wire wire
}

// matching gives what each filter matches, in the order of the filters and then
// of the topics.
func (r *retained) matching(p coord.ProjectID, filters []topic.Filter) []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []message
	for _, f := range filters {
		for _, name := range slices.Sorted(maps.Keys(r.messages[p])) {
			if f.Matches(name) {
				found = append(found, message{name, r.messages[p][name]})
			}
		}
	}
	return found
}

// sendRetained has the retained messages for new subscriptions sent. They go
// through the publishing goroutine: whatever is newer comes after them. The
// subscriptions stand already, so that when nothing is retained now, nothing
// can be missed.
func (b *Broker) sendRetained(cl *mqtt.Client, c *conn, filters []topic.Filter) {
	if len(b.retained.matching(c.caller.Project, filters)) == 0 {
		return
	}
	private := packets.Subscription{Filter: string(c.private) + "#", FwdRetainedFlag: true} // keeps the retain flag on the wire
	if _, exists := cl.State.Subscriptions.Get(private.Filter); !exists {
		b.server.Topics.Subscribe(cl.ID, private)
		cl.State.Subscriptions.Add(private.Filter, private) // and so it ends with the connection
	}
	select {
	case c.replaying <- struct{}{}: // one at a time: who asks again and again waits for himself
		b.queue.add(job{to: c, filters: filters})
	case <-b.stop:
	}
}

// replay sends the retained messages to one connection.
func (b *Broker) replay(c *conn, filters []topic.Filter) {
	for _, m := range b.retained.matching(c.caller.Project, filters) {
		b.send(c.private.topic(m.name), m.wire(b.life()), true)
	}
	<-c.replaying
}
