// Package hook is coord-hook: what a client runs at each event of a session. It
// reads the client's JSON from standard input, makes one call to the hub over
// its unix socket and prints one JSON answer, or nothing.
//
// What goes to the hub is normalised (coord.HookCall): which session, which
// files under their project's names, never a prompt, a command or content.
// Whatever goes wrong, the client goes on: the exit code is 0 and, once per
// outage and session, a note tells the user; a command line that is wrong is said
// on standard error with exit code 1, which refuses nothing. Only COORDINATOR_STRICT=1 refuses
// edits while no hub answers, and tool calls that the client does not describe.
//
// It runs before and after every tool call, so it stays small: no net/http, no
// MCP SDK, no MQTT, and git's answers are remembered between runs.
package hook
