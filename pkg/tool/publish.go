package tool

import "github.com/coordhq/coord/pkg/coord"

// MqttPublish puts an object on a topic.
var MqttPublish = declare[MqttPublishIn, MqttPublishOut](Op{
	Name: "mqtt_publish",
	Text: "Publish a JSON object on coordinator/broadcast (also news for every agent here) or on your own coordinator/agents/{your id}/out. To talk about a conflict use post_to_thread.",
})

// MqttPublishIn is the argument of mqtt_publish.
type MqttPublishIn struct {
	Topic   string         `json:"topic" req:"true" max:"200"`
	Payload map[string]any `json:"payload" req:"true" doc:"at most 4 KiB; author and time are added"`
}

// MqttPublishOut answers mqtt_publish.
type MqttPublishOut struct {
	Published   bool      `json:"published"` // it is in the event log
	Topic       string    `json:"topic"`
	Subscribers int       `json:"subscribers"` // MQTT connections subscribed to the topic at that moment
	Agents      int       `json:"agents"`      // inboxes it was put into
	Seq         coord.Seq `json:"seq"`
}
