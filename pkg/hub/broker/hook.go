package broker

import (
	"log/slog"
	"slices"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

// maxPacket is the largest packet a client may send. The buffer for it is
// allocated before the sender is known.
const maxPacket = 64 << 10

// newServer makes the MQTT server with everything off that we do not offer. It
// is never told to Serve: connections come from our own accept loops, and its
// event loop only serves what is off here. Its log is discarded, since it writes
// whole packets, credentials included; what matters we log ourselves.
func newServer(h mqtt.Hook, pending int) (*mqtt.Server, error) {
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumClientWritesPending = int32(pending) // #nosec G115 -- validated: at most 65,536
	caps.MaximumMessageExpiryInterval = 0
	caps.MaximumSessionExpiryInterval = 0
	caps.MaximumPacketSize = maxPacket
	caps.TopicAliasMaximum = 0
	caps.SharedSubAvailable = 0
	caps.SubIDAvailable = 0
	caps.MinimumProtocolVersion = 4
	caps.MaximumQos = 0
	caps.RetainAvailable = 0 // kept by type retained
	server := mqtt.New(&mqtt.Options{
		InlineClient:           true,
		Capabilities:           caps,
		Logger:                 slog.New(slog.DiscardHandler),
		SysTopicResendInterval: 3600,
	})
	if err := server.AddHook(h, nil); err != nil {
		return nil, err
	}
	return server, nil
}

// hook is where the MQTT server asks us. All but the delivery checks and the
// encoding run on the goroutine of the connection they are about.
type hook struct {
	mqtt.HookBase
	b *Broker
}

var provided = []byte{
	mqtt.OnPacketRead, mqtt.OnConnectAuthenticate, mqtt.OnSessionEstablish, mqtt.OnACLCheck, mqtt.OnSubscribe,
	mqtt.OnSubscribed, mqtt.OnUnsubscribe, mqtt.OnPublish, mqtt.OnPacketProcessed, mqtt.OnPacketEncode, mqtt.OnPublishDropped,
}

func (h *hook) ID() string           { return "coord" }
func (h *hook) Provides(b byte) bool { return slices.Contains(provided, b) }

// OnPacketRead brings what a client sends down to what we offer.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	switch pk.FixedHeader.Type {
	case packets.Connect:
		normalise(&pk)
	case packets.Publish:
		return h.plain(cl, pk)
	}
	return pk, nil
}

// plain makes a PUBLISH one of QoS 0 without the retain flag and properties. It
// acknowledges a higher QoS here: the server would take the message and never
// answer, and the client would send it again for ever. In MQTT 5 the answer says
// when the topic is not allowed; in 3.1.1 it cannot, and closing the connection
// instead would have the client come back and try again.
func (h *hook) plain(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	pk.FixedHeader.Retain = false
	alias, used := pk.Properties.TopicAlias, pk.Properties.TopicAliasFlag
	pk.Properties = packets.Properties{TopicAlias: alias, TopicAliasFlag: used} // refused by the server
	if pk.FixedHeader.Qos == 0 || pk.PacketID == 0 {
		return pk, nil
	}
	ack := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: pk.PacketID}
	if pk.FixedHeader.Qos == 2 {
		ack.FixedHeader.Type = packets.Pubrec
	}
	if !of(cl).grant.MayWrite(topic.Name(pk.TopicName)) {
		ack.ReasonCode = packets.ErrNotAuthorized.Code
	}
	pk.FixedHeader.Qos, pk.FixedHeader.Dup, pk.PacketID = 0, false, 0
	if err := cl.WritePacket(ack); err != nil {
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

// OnConnectAuthenticate decides whether a CONNECT is accepted.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	c := of(cl)
	if err := h.b.identify(c, pk); err != nil {
		c.refusal = err.Error()
		h.b.refusals.Do(func() {
			h.b.log.Warn("CONNECT refused", "local", c.local, "remote", c.RemoteAddr().String(), "code", coord.CodeOf(err), "error", err)
		})
		return false
	}
	cl.ID = c.id()
	return true
}

// OnSessionEstablish comes after the CONNECT was accepted and before the client
// hears of it.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, _ packets.Packet) { h.b.open(of(cl)) }

// OnACLCheck is asked with the plain topic for a client's publish, and with the
// mounted one for each filter of a SUBSCRIBE and for each delivery.
func (h *hook) OnACLCheck(cl *mqtt.Client, t string, write bool) bool {
	c := of(cl)
	if c == nil {
		return false
	}
	allowed := false
	if write {
		allowed = c.grant.MayWrite(topic.Name(t))
	} else if plain, ok := c.cut(t); ok {
		allowed = c.grant.MayRead(topic.Filter(plain))
	}
	if !allowed {
		h.b.log.Debug("topic refused", "agent", c.caller.Agent, "topic", t, "write", write)
	}
	return allowed
}

// OnSubscribe mounts the filters. One over the limit becomes empty, which the
// server refuses.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	c := of(cl)
	mounted := make(packets.Subscriptions, len(pk.Filters))
	room := h.b.opt.Limits.Subscriptions - cl.State.Subscriptions.Len()
	for i, s := range pk.Filters {
		filter := c.mount.topic(topic.Name(s.Filter))
		_, exists := cl.State.Subscriptions.Get(filter)
		if !exists {
			room--
		}
		mounted[i] = packets.Subscription{Filter: filter, NoLocal: s.NoLocal, RetainAsPublished: s.RetainAsPublished, RetainHandling: s.RetainHandling}
		if !exists && room < 0 {
			mounted[i].Filter = ""
		}
		if exists && s.RetainHandling == sendIfNew {
			mounted[i].RetainHandling = sendNever
		}
	}
	pk.Filters = mounted
	return pk
}

// OnSubscribed notes for which filters the retained messages are due.
func (h *hook) OnSubscribed(cl *mqtt.Client, pk packets.Packet, codes []byte) {
	c := of(cl)
	for i, s := range pk.Filters {
		plain, ok := c.cut(s.Filter)
		if ok && codes[i] < packets.ErrUnspecifiedError.Code && s.RetainHandling != sendNever {
			c.replay = append(c.replay, topic.Filter(plain))
		}
	}
}

// OnPacketProcessed comes after the SUBACK was written.
func (h *hook) OnPacketProcessed(cl *mqtt.Client, pk packets.Packet, _ error) {
	if c := of(cl); c != nil && pk.FixedHeader.Type == packets.Subscribe && len(c.replay) > 0 {
		filters := c.replay
		c.replay = nil
		h.b.sendRetained(cl, c, filters)
	}
}

// OnUnsubscribe mounts the filters.
func (h *hook) OnUnsubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	mounted := make(packets.Subscriptions, len(pk.Filters))
	for i, s := range pk.Filters {
		mounted[i] = packets.Subscription{Filter: of(cl).mount.topic(topic.Name(s.Filter))}
	}
	pk.Filters = mounted
	return pk
}

// OnPublish mounts and stamps what a client publishes. Any other error than
// ErrRejectPacket would let the packet through as it came.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c := of(cl)
	if c == nil {
		return pk, nil // our own
	}
	payload, err := h.b.stamp(c, topic.Name(pk.TopicName), pk.Payload)
	if err != nil {
		h.b.log.Debug("message refused", "agent", c.caller.Agent, "topic", pk.TopicName, "error", err)
		return pk, packets.ErrRejectPacket
	}
	pk.TopicName, pk.Payload = c.mount.topic(topic.Name(pk.TopicName)), payload
	return pk, nil
}

// OnPacketEncode takes the mount off again. The packet is a copy of its own for
// each subscriber; only its fields are replaced, nothing they point to.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	c := of(cl)
	if c == nil {
		return pk
	}
	switch pk.FixedHeader.Type {
	case packets.Publish:
		pk.TopicName, _ = c.cut(pk.TopicName)
	case packets.Connack:
		p := &pk.Properties
		p.SharedSubAvailable, p.SharedSubAvailableFlag = 0, true
		p.SubIDAvailable, p.SubIDAvailableFlag = 0, true
		p.SessionExpiryInterval, p.SessionExpiryIntervalFlag = 0, true
		p.MaximumPacketSize = maxPacket
		if c.refusal != "" {
			p.ReasonString = c.refusal
		}
	}
	return pk
}

// OnPublishDropped comes when a message found a subscriber's queue full.
func (h *hook) OnPublishDropped(*mqtt.Client, packets.Packet) { h.b.missed.Add(1) }
