// Package reconcile finds out afterwards which files a shell command has
// written.
//
// What a command writes cannot always be read from its text (package shell).
// After it ran there are three sources, the first that applies is the best:
//
//  1. [ChangedFiles]: the client lists what changed during the call.
//  2. [Written]: files that matter to somebody (leased, announced, edited in
//     the session) are looked at one by one; a time stamp inside the [Interval]
//     of the call says that it was written then.
//  3. [Later]: a child process that outlives the hook asks git status for the
//     whole working tree. What it finds is for the session's next hook, which
//     fetches it by [Collect].
//
// After a shell call a hook takes the interval [During] its end and duration,
// tells the hub what [Written] finds in [Look] at the client's list and at the
// files the hub says to watch, and, when the plan of the command was not
// read-only and the client gave no list, calls [Store.Later]. At each hook it
// tells the hub what [Store.Collect] gives. The hub warns whom they hit.
//
// None of them proves who wrote: calls of others at the same time make a
// [Finding] ambiguous, and the user's editor is seen as the call. Not found are
// files that git ignores and nobody watches, and what a process left running
// writes after the call.
package reconcile
