// Package launch finds the hub's program and starts it. Whether it is needed,
// and whether it answers, is for the caller to find out: package spawn for a
// shim, package hook for a hook, which must stay small.
package launch
