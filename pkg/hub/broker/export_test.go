package broker

import (
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

// Remembered counts what the MQTT library keeps of clients: themselves, and
// their subscriptions to the project's broadcasts. A leak shows nowhere else.
func (b *Broker) Remembered(p coord.ProjectID) (clients, subscriptions int) {
	own := 1 // the library's inline client
	return b.server.Clients.Len() - own, len(b.server.Topics.Subscribers(projectMount(p).topic(topic.Broadcast)).Subscriptions)
}
