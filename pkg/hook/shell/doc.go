// Package shell reads a shell command before it runs and says which files it
// is going to write.
//
// [Read] (bash, sh, zsh) and [ReadPowerShell] run nothing and look at no file but
// the patch that git apply, git am or patch is given ([Place].Read). They give a [Plan]: the write targets, the git commands that
// touch a whole working tree, and whether some part could not be read. A plan
// errs on the side of silence. What cannot be told from the text (a variable set
// elsewhere, a script, xargs) makes the plan Unreadable instead of adding a
// guess, because a target that is none would refuse a command for nothing, and
// what an unreadable command wrote is found afterwards (package reconcile).
//
// What a command does with its arguments stands in one table (commands.go); git
// has its own (gittable.go). [Endangered] says which uncommitted files of others
// a git command would drop, move or take in, and how to say it for one's own.
package shell
