// Package streamable is the hub's door for MCP clients without a shim: MCP over
// Streamable HTTP, stateful, protocols 2024-11-05 to 2025-11-25. It offers the
// same tools as a shim, from the same table.
//
// One MCP session is one agent. It joins with the first tool call: its project
// is the one of ?project= in the URL, else that of register_agent, else the only
// live one; its working tree is what register_agent says, else one of its own.
// The agent is present while the client holds a GET stream open, or made a
// request within the last 5 minutes. DELETE ends session and agent; 30 minutes
// without a request end them too. A client that shows the key of a registered
// session instead of the token is that session's agent, which outlives the MCP
// session. After a restart of the hub a session is unknown (404), and the client
// starts another one.
//
// A session belongs to the credential that opened it; whoever shows its id with
// another one is refused. Credentials, Host, Origin, body size and rates are
// checked by the guard of hub/web before a request comes here; the guard puts
// the caller into the context.
//
// The hub never opens a path that a client named: relative ones are taken as
// they are, absolute ones must lie, by their letters, under the working tree
// that the session registered.
//
// News is read from the agent's inbox when the client asks for it, and rides
// along in the answer of every other tool call, as far as 8 KB hold it. It counts
// as handed over when the answer that carries it has been written to a client
// that was still there, otherwise it is given again; and as seen with the next
// call of the session.
package streamable
