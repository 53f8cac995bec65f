// Package stream lets any number of onlookers follow the event log as it grows.
//
// A [Log] stands between the rules and the publisher: it remembers the newest
// committed events and rings a bell for whoever listens, and never waits for
// anybody. A reader asks with [Log.After] for what follows its own position, as
// slowly as it likes: from memory when it keeps up, from the store when it does
// not. So a reader costs one page of memory, whatever it is behind, and loses
// nothing by being slow.
package stream
