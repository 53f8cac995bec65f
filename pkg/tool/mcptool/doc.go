// Package mcptool is how the operations of package tool look to an MCP client,
// whichever door it comes through: the server's own words, the list of tools,
// and results.
//
// Tools are not registered with the library: a middleware catches tools/list and
// tools/call before the library looks at them and answers with what is made
// here. So the bytes of a schema and of an answer go out as they are, where the
// library would re-order keys and round large integers.
//
// A result is one block of text and nothing structured, which would hide the
// text from some clients. A refusal is a result too, marked isError, in words a
// model can act on; a protocol error would only tell the client.
package mcptool
