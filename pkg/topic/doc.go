// Package topic is the MQTT topic map of the product and its access rules, as
// one table: which event goes to which topic, who may subscribe to it, who may
// publish on it, and whether the broker keeps the last message.
//
// Names here are the ones on the wire ("coordinator/broadcast"). They say
// nothing of the project: a broker mounts every connection under its own
// project, so the same name means another topic to a client of another project.
//
// Access is decided by containment: a subscription is granted only when every
// topic its filter can match is granted. "coordinator/#" is therefore refused,
// since it covers the inboxes of others; the filters that are granted are
// listed by [Grant.Filters].
//
// The package is pure: values in, values out.
package topic
