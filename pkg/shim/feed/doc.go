// Package feed brings an agent's news from the hub into its queue, each event
// once and in order.
//
// The event log at the hub is the truth; MQTT is only the doorbell. A message
// that rings is taken at its word when its prev is the last event we have. A
// repeated one is dropped, and one that follows a hole makes the feed read the
// log from the last event on. The feed also reads on after every (re)connect,
// and every 5 seconds asks for the head of its inbox, so a last message that
// was lost is noticed too. The same question carries what the client has been
// given so far, which is how events are acknowledged.
//
// When the log has begun another life (its epoch changed) or the session has
// become another agent, what was queued is replaced by one resync event and
// reading starts at the agent's acknowledged position.
//
// One goroutine does all of this, so order needs no locks; the MQTT library's
// own goroutines only put bytes into a channel, and never wait for it.
package feed
