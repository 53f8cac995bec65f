// Package top shows in a terminal what the dashboard shows in a browser: who is
// here and at what, what is being settled and who has to answer, who waits for
// which file, where the work is, and what happened last.
//
// It follows the hub's stream of events over the unix socket, asks for nothing
// again, and draws anew when something has come and, for what counts down, once
// a second. A hub that goes away is waited for. The [Model] holds everything
// that is shown and is driven by messages alone; [Run] feeds it, [Look] shows it
// once to who is no terminal.
//
// Everything that an agent has written is cleaned before it is drawn: no
// control character of a peer reaches the terminal.
package top
