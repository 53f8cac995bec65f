// Package broker is the hub's MQTT door: an embedded mochi-mqtt server behind
// our own listeners, access rules and publisher. It implements hub.Publisher.
//
// MQTT is the doorbell, the event log is the truth. All is QoS 0; what a slow
// subscriber cannot take is dropped and counted, and the reader finds the hole
// by the "prev" of its next inbox message. Three things keep one client from
// harming the others:
//
//   - every write has a deadline and closes the connection when it is missed;
//     one stopped subscriber would otherwise hold its own lock for ever;
//   - publications go through a bounded queue and one goroutine, so that
//     [Broker.Publish] never waits and the order is the log's;
//   - a connection is served inside a recover: the packet decoder of the MQTT
//     library can panic on malformed input (a v5 SUBSCRIBE that ends before its
//     options byte does it), and that must cost one connection, not the hub.
//
// Every connection lives under its project's mount "p/<hash>/". The prefix is
// put on in the subscribe, unsubscribe and publish hooks and taken off when a
// packet is encoded, so clients see the plain topics of package topic and two
// projects never meet. The library's MQTT client id is our own serial number;
// the id a client chose only decides which older connection of the same owner
// it replaces. Nobody can take over a connection of somebody else.
//
// Retained messages (agent status) are kept here, not in the library, whose
// retained store is read without its lock while it is written. They are sent to
// a new subscriber by the publishing goroutine, which makes them exact: a
// subscriber never ends with an older status than the last one published.
//
// Not offered: QoS 1 and 2 (a publish at QoS 1 or 2 is acknowledged at once and
// handled at QoS 0, a subscription is granted QoS 0), sessions that outlive the
// connection, wills (accepted and discarded), topic aliases, shared
// subscriptions, subscription identifiers and $SYS.
package broker
