// Package coordtest tests coord as its users meet it: through real coord-shim
// processes over stdio, a hub that they start themselves, a real repository and
// a home of its own for each test. It also plays scenario files against a hub
// inside the test process, with its time under control.
//
// A test of processes reads like this:
//
//	home := coordtest.NewHome(t)
//	repo := coordtest.NewRepo(t, "shop")
//	alice := home.Agent("alice", repo.Dir)
//	verdict := alice.Announce("src/models/user.ts")
//
// The harness builds the binaries once per test process, with the race detector
// when the test has it. At its end a test fails when a process outlives it, when
// a shim had to be forced or printed anything but protocol, and when a binary
// reported a data race. Nothing waits for a fixed time: waits end with what they
// wait for, or fail at a deadline.
package coordtest
