// Package shim is the program that stands beside one client session: an MCP
// server on the standard streams in front, the hub of this user behind.
//
// It answers initialize and tools/list by itself, so a client is served in
// milliseconds and without a hub. Nothing happens before the client is
// initialised, since clients start servers just to look at them: no file, no
// registration, no hub. Then a session is opened: the working tree is found, the
// hub is found or started, and the agent registered. A tool call is checked,
// its paths are brought into the project's form, and it goes to the hub as one
// request; the hub's answer comes back byte for byte.
//
// The hub may go away at any time. The session finds or starts it again and
// repeats what had no answer, each changing call under an idempotency key of
// its own, so it has one effect. The shim itself ends with its client only: at
// the end of stdin, at a signal, or when the client's process is gone.
//
// News comes through [feed] into one [inbox.Queue], from which wait_for_message
// and get_queued_messages are answered here. An event counts as handed over when
// the line that carries it was written to stdout and the client had not
// cancelled the call; only then is it acknowledged to the hub.
//
// Layers, outermost first: lines (bytes), stdio (messages, and what has become
// of each call), server (MCP), call and wait (tools), session (the hub).
package shim
