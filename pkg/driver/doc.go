// Package driver runs one coord-shim and talks to it the way an MCP client
// does: newline-delimited JSON-RPC over the standard streams of a real process.
//
// A [Process] is the shim with its raw lines, a [Conversation] an initialised MCP
// client on the streams of any shim, a [Session] both together; [Call] is a typed
// tool call through either of the last two.
// Whatever the shim prints on stdout that is not one JSON object per line is
// reported by Close, since stdout belongs to the protocol alone.
//
// The demo and the process tests are its users; it keeps nothing of its own
// on disk and starts no hub: the shim does that.
package driver
