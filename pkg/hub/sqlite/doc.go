// Package sqlite keeps the hub's state in one SQLite file. It implements
// hub.Store and knows no rules: it stores what a request decided and reads it
// back.
//
// # Connections
//
// One connection writes. A [Store.Begin] holds it until its batch ends, and
// [Store.Sweep] takes it for one short statement at a time, so that there is
// never more than one transaction. Four read-only connections serve the read
// methods, from any goroutine, with what has been committed.
//
// # Promises
//
// When Commit returns nil the batch survives the death of the process and, with
// the default durability, a power cut. When it returns an error nothing of the
// batch has happened. A full disk or an I/O error is coord.Storage: SQLite
// may have dropped the whole transaction by itself then, so the batch refuses
// all that follows, and the next Begin starts anew.
//
// # Schema
//
// The files in migrations/ are numbered from 0001; PRAGMA user_version is the
// number of the last one applied. A database of a newer coord is refused
// untouched. A noun is a row of its key, the columns that queries need, and its
// JSON in body; a row whose body cannot be read is skipped and logged. Every
// table has a place in the retention table of sweep.go or in its list of what
// is kept.
//
// The file, its -wal and its -shm are readable by their owner alone. The package
// needs cgo: without it Open says so.
package sqlite
