// Package hub holds the rules of coordination, and nothing that touches SQL,
// MQTT, HTTP or the clock.
//
// One writer goroutine owns the [state]: every live agent, announcement, thread
// and lease, indexed by path and module. A request is a rule run against that
// state inside a [txn]; the rule puts new values and emits events, and the txn
// keeps both what to store and how to undo it. The writer drains up to 64
// waiting requests into one store transaction, a savepoint each, commits once,
// publishes the events and only then answers the callers. If the commit fails,
// all of the batch is undone in memory too and each caller gets
// coord.Storage. So scoring and inserting are one step: of two agents that
// announce one file at the same moment exactly one is told "clear".
//
// Values put into the state are never changed in place: a rule copies a noun,
// changes the copy and puts it. Readers that hold a pointer keep a consistent
// value.
package hub
