package hook

import (
	"context"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/brief"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook/shell"
	"github.com/coordhq/coord/pkg/workspace"
)

// tree is a working tree and the git command that is about to touch it.
type tree struct {
	space workspace.Workspace
	act   shell.GitAct
}

// maxTrees bounds the git commands of one line that are looked at.
const maxTrees = 20

// trees finds the working trees of git commands. A command that runs where
// there is none touches nothing.
func (p places) trees(ctx context.Context, acts []shell.GitAct) ([]tree, error) {
	var out []tree
	for _, act := range acts {
		if act.Dir == "" || len(out) == maxTrees {
			continue
		}
		w, err := p.at(ctx, act.Dir)
		if coord.CodeOf(err) == coord.Invalid {
			continue
		}
		if err != nil {
			return nil, err
		}
		if w.Git {
			act.Dir = w.Cwd
			out = append(out, tree{w, act})
		}
	}
	return out, nil
}

// guardTrees refuses a git command that would drop, move or take in what other
// sessions have not committed.
func (r *run) guardTrees(ctx context.Context, answer *coord.HookAnswer) {
	if answer.Refused {
		return
	}
	for _, t := range r.trees {
		words := t.danger(ctx, answer.Work)
		switch {
		case words == "":
		case r.settings.Enforce == coord.EnforceDeny:
			answer.Refused, answer.Reason = true, notRun+words
			answer.Context, answer.Receipt = "", nil // nobody knows whether it would be read: it is offered again
			return
		default:
			answer.Context = strings.TrimPrefix(answer.Context+"\ncoord: "+words, "\n")
		}
	}
}

// danger says what the command would do to the work of others, "" when nothing.
func (t tree) danger(ctx context.Context, work []coord.Unfinished) string {
	var others, own []shell.Uncommitted
	var names []coord.Path
	stash := map[string]bool{}
	for _, u := range work {
		if u.Mixed && t.act.Harm == shell.Takes { // nothing is lost, and it can only be committed whole
			u.Owner = ""
		}
		switch {
		case u.Workspace != t.space.ID:
			if u.Other && u.State == coord.Busy {
				stash[u.Owner] = true
			}
			continue
		default:
			names = append(names, u.Path)
		}
		file := shell.Uncommitted{Path: u.Path.String(), Owner: u.Owner}
		if u.Owner == "" {
			own = append(own, file)
		} else {
			file.Owner = brief.Quote(u.Owner) + " (" + string(u.State) + ")"
			others = append(others, file)
		}
	}
	at := shell.Tree{Top: t.space.Top, FoldCase: t.space.FoldCase, Exists: exists}
	// A commit of the index takes what is staged, which only git knows; of other
	// commands git is asked when they reach something at all.
	if len(others) > 0 && (t.act.Reach == shell.Staged || len(shell.Endangered(t.act, at, others, own).Files) > 0) {
		states := statesOf(ctx, t.space.Top, namesOf(t.space, names))
		d := shell.Endangered(t.act, at, known(others, states), known(own, states))
		if len(d.Files) > 0 {
			return t.refusal(d)
		}
	}
	if t.act.SharedStash && len(stash) > 0 {
		return fmt.Sprintf("git %s uses the list of stashes that all working trees of this clone share, and another session works in one of them. "+
			"Commit to a branch of your own instead. Your user can run it.", t.act.Verb)
	}
	return ""
}

func exists(name string) bool {
	_, err := os.Lstat(name) // #nosec G703 -- looked at, not opened
	return err == nil
}

// known leaves out the files that have no uncommitted change, and notes the
// state of the others. Without an answer of git all count.
func known(files []shell.Uncommitted, states map[string]shell.Reach) []shell.Uncommitted {
	if states == nil {
		return files
	}
	var out []shell.Uncommitted
	for _, f := range files {
		if f.State = states[f.Path]; f.State != 0 {
			out = append(out, f)
		}
	}
	return out
}

// statesOf asks git what is uncommitted of some files; nil when it does not say.
func statesOf(ctx context.Context, top string, names []string) map[string]shell.Reach {
	changes, err := workspace.Status(ctx, top, names...)
	if err != nil {
		return nil
	}
	out := map[string]shell.Reach{}
	for _, c := range changes {
		state := out[c.Path.String()]
		switch {
		case c.Untracked():
			state |= shell.Untracked
		default:
			if c.Staged() {
				state |= shell.Staged
			}
			if c.Tree != '.' {
				state |= shell.Tracked
			}
		}
		out[c.Path.String()] = state
		if !c.From.IsZero() { // its old name is gone in the index
			out[c.From.String()] |= shell.Staged
		}
	}
	return out
}

// notRun begins the refusal of a command.
const notRun = "coord: not run: "

// room is how long the words about a danger may be, in characters: a refusal has
// 600.
const room = 600 - len(notRun)

// harms word what a command does.
var harms = map[shell.Harm]string{shell.Drops: "would throw away", shell.Moves: "would move", shell.Takes: "would take into your commit"}

// refusal words a danger, with as many file names as there is room for.
func (t tree) refusal(d shell.Danger) string {
	instead := "."
	switch {
	case d.Instead == "":
	case d.Harm == shell.Moves && !t.act.SharedStash:
		instead = ", or work in a tree of your own: " + d.Instead
	default:
		instead = ", or limit it to your own files: " + d.Instead
	}
	for n := min(len(d.Files), 5); ; n-- {
		var files []string
		for _, f := range d.Files[:n] {
			files = append(files, brief.Quote(f.Path)+" of "+f.Owner)
		}
		if more := len(d.Files) - n; more > 0 {
			files = append(files, fmt.Sprintf("%d more", more))
		}
		words := fmt.Sprintf("git %s %s what other sessions have not committed here: %s. Doing it another way is the same conflict. Your user can run it. Wait until they have committed%s",
			t.act.Verb, harms[d.Harm], strings.Join(files, ", "), instead)
		if utf8.RuneCountInString(words) <= room {
			return words
		}
		if n == 0 {
			if instead == "." {
				return string([]rune(words)[:room-1]) + "…"
			}
			instead = "."
			n = 2
		}
	}
}
