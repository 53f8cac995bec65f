// Package demo plays the story of the README with real programs: two coord-shim
// processes in one repository, the hub that the first of them starts, a
// conflict that is found, talked out and settled, and a hub that is killed in
// the middle of it.
//
// It needs nothing and leaves nothing: home and repository are temporary, and
// whatever it started has ended when it returns, also when it is interrupted.
package demo
