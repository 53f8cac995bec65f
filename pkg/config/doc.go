// Package config answers two questions for every program of the product: where
// is the coord home, and what is this setting's value.
//
// [Find] is the only resolver of the home, so shim, hook and hub of one user
// meet at the same socket; [Home] names every file below it and
// [Home.Prepare] makes the directories safe. [Load] reads the settings of one
// program from flag, environment, config.json and default, in that order, by
// one table ([Table]) that also makes the documentation ([Docs]).
//
// [Discovery] is hub.json: how a running hub tells others where it listens. It
// is information only; the truth about who is the hub is the lock on
// [Home.LockFile].
package config

// Protocol is the version of what shim, hook and hub say to each other. It
// changes when an older one would misunderstand a newer one.
const Protocol = 1
