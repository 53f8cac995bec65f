// Package daemon runs a hub as a process: the lock that makes it the only one
// of its home, the sockets and ports, hub.json, the log, and the end.
//
// [New] and [Daemon.Run] are the whole of it for "coord-hub serve". Start brings
// up, in this order, the home, the lock, the database, the broker, the rules,
// the doors and, once they answer, hub.json; Stop takes all of it down in
// reverse, whatever asked for it: a signal, POST /api/stop, idleness, or the
// home being removed.
//
// The lock is the truth about who is the hub. Sockets are unlinked and hub.json
// is written and removed only while it is held.
//
// The other half of the package is for the commands beside serve: [Spawn]
// starts a detached hub, [Ask] and [StopHub] talk to the one of a home.
package daemon
