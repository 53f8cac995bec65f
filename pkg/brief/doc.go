// Package brief puts what peers did and said into words for a model. It is the
// only place that does.
//
// Everything that came from a peer is data and goes through one cleaner
// ([Quote]): terminal sequences, control characters, bidirectional controls,
// zero-width and tag characters are dropped, angle brackets are replaced by ‹
// and ›, so that no text can close or open a tag of its surroundings, and line
// breaks and quotation marks are escaped, so that a quotation is one line from
// its first mark to its last. A block of news is a frame of two fixed lines with
// one line per event between them: whatever a peer writes, one message in is
// one message out.
//
// Lengths are in characters (runes).
package brief
