package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/topic"
)

// maxPayload bounds what mqtt_publish takes, in bytes of compact JSON.
const maxPayload = 4 << 10

// envelopeFields stand before a payload in the same object; a payload that says
// them itself could pass for somebody else's.
var envelopeFields = []string{"epoch", "v", "seq", "id", "kind", "project", "agent_id", "thread_id", "ts", "priority", "prev"}

// publishing makes the handler of mqtt_publish: the subscribers are counted
// outside of the writer's turn, so that it never waits for the broker.
func publishing() handler {
	return func(h *Hub, ctx context.Context, c coord.Caller, args json.RawMessage, key string) (json.RawMessage, error) {
		run := change(tool.MqttPublish, func(_ *Hub, t *txn, me *coord.Agent, c coord.Caller, in tool.MqttPublishIn) (tool.MqttPublishOut, error) {
			return t.publish(me, c, in)
		})
		raw, err := run(h, ctx, c, args, key)
		if err != nil {
			return nil, err
		}
		var out tool.MqttPublishOut
		if err := json.Unmarshal(raw, &out); err != nil {
			return nil, fmt.Errorf("%s: %w", tool.MqttPublish.Name, err)
		}
		out.Subscribers = h.publisher.Subscribers(c.Project, out.Topic)
		return encode(tool.MqttPublish.Name, out, nil)
	}
}

// publish puts the caller's object on a topic it may write to. A broadcast is
// news for every other agent of the project too.
func (t *txn) publish(me *coord.Agent, c coord.Caller, in tool.MqttPublishIn) (tool.MqttPublishOut, error) {
	at, ok := topic.Parse(topic.Name(in.Topic))
	if !ok || !topic.For(c).MayWrite(topic.Name(in.Topic)) {
		return tool.MqttPublishOut{}, coord.Errorf(coord.Forbidden, "publish on "+string(topic.Broadcast)+" or "+string(topic.Out(me.ID)),
			"topic %q is not yours to publish on", in.Topic)
	}
	payload := cleanJSON(in.Payload).(map[string]any)
	for name := range payload {
		if slices.ContainsFunc(envelopeFields, func(f string) bool { return strings.EqualFold(f, name) }) {
			delete(payload, name)
		}
	}
	if n := len(mustJSON(payload)); n > maxPayload {
		return tool.MqttPublishOut{}, coord.Errorf(coord.TooLarge, "shorten it", "payload of %d bytes is over the limit of %d", n, maxPayload)
	}
	n := news{kind: at.Row.Kind, project: me.Project, actor: me.ID, priority: coord.Low, payload: payload}
	if n.kind == coord.KindBroadcast {
		for _, peer := range t.peers(me.Project, me.ID) {
			n.to = append(n.to, peer.ID)
		}
	}
	seq := t.emit(n)
	return tool.MqttPublishOut{Published: true, Topic: in.Topic, Seq: seq, Agents: len(n.to)}, nil
}

// cleanJSON applies coord.CleanText to every text in decoded JSON.
func cleanJSON(v any) any {
	switch v := v.(type) {
	case string:
		return coord.CleanText(v)
	case []any:
		for i := range v {
			v[i] = cleanJSON(v[i])
		}
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[coord.CleanText(name)] = cleanJSON(value)
		}
		return out
	default:
		return v
	}
}
