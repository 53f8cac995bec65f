// Package web is the hub's HTTP door: one table of routes ([Routes]) served on
// unix sockets and on TCP, behind one guard.
//
// The guard stands before every route, in this order: the peer's uid on a unix
// socket, before a byte is read; Host, Origin and Sec-Fetch-Site, so that no web
// page reaches the hub; the route; the content type; the credential; whether
// the hub is leaving; the rate limit; the size of the body. A handler therefore
// runs only for a caller it may serve and finds that caller in its context
// ([coord.CallerFrom]).
//
// On the unix socket the peer's uid is the credential and makes an operator of
// the user; a session key as bearer makes it that session. On TCP the bearer is
// a session key or the per-user token.
//
// Two routes lead elsewhere: /mcp to the MCP door (hub/streamable), whose answers
// are those of its protocol, and /mqtt, a WebSocket whose connection the broker
// takes over and asks for a credential.
//
// Every other answer is JSON. An error is {"code","message","request_id"}, the same
// id as in the header X-Request-Id and in the log.
package web
