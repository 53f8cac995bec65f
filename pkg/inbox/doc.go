// Package inbox keeps the news of one agent between the doorbell that brings it
// and the client that reads it.
//
// A [Queue] is an ordered ledger. News is pushed at its end in the order of
// seq. A reader takes a [Batch], hands it over, and then says what became of it:
// Confirm when the client has got it, Return when it has not. A returned event
// stands where it stood before, so the order that readers see never changes.
// Seen is the position up to which everything was confirmed; it is what a shim
// may acknowledge to the hub.
//
// The queue is bounded. When it overflows, the oldest waiting events give way
// to one marker of kind resync that says which seqs are gone. Push never blocks.
//
// All methods may be called by any goroutine.
package inbox
