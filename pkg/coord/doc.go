// Package coord holds the words of the product: agent, announcement, impact,
// thread, message, lease, event, path, caller and error.
//
// It imports nothing but the standard library and text normalisation, so every
// other package can speak these words. Nothing here performs I/O, reads a clock
// or keeps state; values are plain and treated as immutable once they have been
// handed to somebody else.
//
// Conventions: every id is a named type; times are [Millis] (UTC, milliseconds);
// order comes from [Seq], never from a clock.
package coord
