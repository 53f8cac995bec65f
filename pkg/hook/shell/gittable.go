package shell

import (
	"strings"
	"sync"
)

// gitKind sorts git's verbs.
type gitKind int

const (
	gitActs   gitKind = iota // by its rows
	gitReads                 // touches no file of the working tree
	gitWrites                // writes files that its arguments do not name
	gitPatch                 // git apply
	gitFiles                 // writes the files it names: git rm
)

// gitVerb is one git command.
type gitVerb struct {
	kind gitKind
	options
	rows    []gitRow
	files   rule
	without string // with one of these it applies no patch, and rows count
}

// gitRow is one way of using a verb; the first that fits counts, and none
// fitting means that it harms nobody.
type gitRow struct {
	when, unless string // options
	harm         Harm   // "" = it harms nobody
	reach        Reach
	stash        bool
	writes       bool // with no harm: it writes files that it does not name

	paths      pathRule
	bareOnly   bool // only when no path is given
	pathsOnly  bool // only when one is
	dirOperand bool // its operand is the working tree it acts on
}

// pathRule says which operands are paths.
type pathRule int

const (
	noPaths    pathRule = iota // operands are not paths; what follows -- is
	operands                   // all operands
	afterTree                  // git checkout [tree] [--] paths
	onlyDashes                 // only what follows --, and it must
	onlyBranch                 // only without --: one operand that is a branch
)

// limits gives the paths of a row, false when it does not fit.
func (row gitRow) limits(a arguments, after []word, dashes bool, act *GitAct) ([]word, bool) {
	switch row.paths {
	case operands:
		return append(a.operands, after...), true
	case afterTree:
		switch {
		case dashes:
			return after, len(after) > 0
		case len(a.operands) == 1:
			act.MaybePath = true
			return a.operands, true
		case len(a.operands) > 1: // the first may be a commit: then it matches no path
			return a.operands, true
		}
		return nil, false
	case onlyDashes:
		return after, len(after) > 0
	case onlyBranch:
		return nil, !dashes && len(a.operands) > 0
	}
	return after, true
}

// gitReaders touch no file of the working tree, or, like fetch, none at all.
const gitReaders = `
status diff log show blame annotate rev-parse rev-list branch remote fetch ls-files ls-tree ls-remote grep describe tag config push reflog shortlog
cat-file merge-base name-rev cherry count-objects fsck gc for-each-ref show-ref show-branch symbolic-ref update-ref var version help whatchanged
difftool diff-tree diff-index diff-files check-ignore check-attr bundle notes range-diff hash-object write-tree commit-tree update-index maintenance
worktree_list worktree_prune worktree_add worktree_lock worktree_unlock stash_list stash_show stash_drop stash_create stash_store
bisect_log bisect_view submodule_status lfs_ls-files lfs_status lfs_env sparse-checkout_list rerere credential instaweb gui send-email request-pull
`

// gitWriters write files that their arguments do not name; git itself refuses
// where they would overwrite uncommitted changes.
const gitWriters = `clone init submodule lfs mergetool subtree filter-branch filter-repo archive format-patch worktree_move checkout-index`

var gitVerbs = sync.OnceValue(func() map[string]gitVerb {
	every := Tracked | Untracked | Staged
	stashOptions := options{value: "-m --message --pathspec-from-file"}
	push := []gitRow{
		{when: "-u --include-untracked -a --all", harm: Moves, reach: every, stash: true, paths: noPaths},
		{when: "-S --staged", harm: Moves, reach: Staged, stash: true, paths: noPaths},
		{harm: Moves, reach: Tracked | Staged, stash: true, paths: noPaths},
	}
	pushPaths := []gitRow{
		{when: "-u --include-untracked -a --all", harm: Moves, reach: every, stash: true, paths: operands},
		{when: "-S --staged", harm: Moves, reach: Staged, stash: true, paths: operands},
		{harm: Moves, reach: Tracked | Staged, stash: true, paths: operands},
	}
	autostash := func(more ...gitRow) gitVerb {
		return gitVerb{rows: append(more,
			gitRow{when: "--abort", harm: Drops, reach: Tracked | Staged},
			gitRow{when: "--autostash", harm: Moves, reach: Tracked | Staged},
			gitRow{writes: true})}
	}
	table := map[string]gitVerb{
		"checkout": {options: options{value: "-b -B --orphan --conflict --pathspec-from-file -t"}, rows: []gitRow{
			{when: "-p --patch", writes: true},
			{when: "-f --force", harm: Drops, reach: Tracked | Staged, paths: onlyBranch},
			{harm: Drops, reach: Tracked | Staged, paths: onlyDashes},
			{when: "-b --orphan", harm: Moves, reach: Tracked | Staged, paths: onlyBranch},
			{when: "-b -B --orphan"},
			{when: "-d --detach", harm: Moves, reach: Tracked | Staged},
			{harm: Drops, reach: Tracked | Staged, paths: afterTree},
			{when: "-f --force", harm: Drops, reach: Tracked | Staged},
		}},
		"switch": {options: options{value: "-c -C --create --force-create --orphan --conflict"}, rows: []gitRow{
			{when: "-f --force --discard-changes", harm: Drops, reach: Tracked | Staged},
			{when: "--orphan", harm: Drops, reach: Tracked},
			{when: "-c -C --create --force-create", harm: Moves, reach: Tracked | Staged, paths: onlyBranch},
			{when: "-c -C --create --force-create"},
			{harm: Moves, reach: Tracked | Staged},
		}},
		"restore": {options: options{value: "-s --source --conflict --pathspec-from-file"}, rows: []gitRow{
			{when: "-p --patch", writes: true},
			{when: "-W --worktree", harm: Drops, reach: Tracked | Staged, paths: operands, pathsOnly: true},
			{when: "-S --staged"},
			{harm: Drops, reach: Tracked | Staged, paths: operands, pathsOnly: true},
		}},
		"reset": {options: options{value: "--pathspec-from-file"}, rows: []gitRow{
			{when: "--hard --merge", harm: Drops, reach: Tracked | Staged},
			{when: "--keep", writes: true},
		}},
		"clean": {options: options{value: "-e --exclude"}, rows: []gitRow{
			{when: "-n --dry-run"},
			{when: "-f --force -d -x -X", harm: Drops, reach: Untracked, paths: operands},
		}},
		"stash":       {options: stashOptions, rows: push},
		"stash save":  {options: stashOptions, rows: push},
		"stash push":  {options: stashOptions, rows: pushPaths},
		"rebase":      {options: options{value: "--onto -s -X --exec -x"}, rows: []gitRow{{when: "--continue --edit-todo --show-current-patch --quit", writes: true}, {when: "--abort --skip", harm: Drops, reach: Tracked | Staged}, {harm: Moves, reach: Tracked | Staged}}},
		"merge":       autostash(),
		"pull":        autostash(),
		"cherry-pick": autostash(),
		"revert":      autostash(),
		"am": {kind: gitPatch, options: options{value: "-p -C --directory --include --exclude --whitespace --patch-format --empty --quoted-cr", attached: "S"},
			without: "--abort --continue --skip --quit --resolved -r --show-current-patch --retry --allow-empty", rows: autostash().rows},
		"read-tree": {rows: []gitRow{{when: "-u --reset", harm: Drops, reach: Tracked | Staged}}},
		"add": {options: options{value: "--chmod --pathspec-from-file"}, rows: []gitRow{
			{when: "-n --dry-run -p --patch -i -e --edit --refresh"},
			{when: "-A --all", harm: Takes, reach: every, paths: operands},
			{when: "-u --update", harm: Takes, reach: Tracked, paths: operands},
			{harm: Takes, reach: every, paths: operands, pathsOnly: true},
		}},
		"stage": {rows: []gitRow{{harm: Takes, reach: every, paths: operands}}},
		"commit": {options: options{value: "-m --message -F --file -C -c --author --date -t --template --fixup --squash --reuse-message --reedit-message --trailer --cleanup",
			attached: "uS"}, rows: []gitRow{
			{when: "--dry-run -p --patch"},
			{when: "-a --all", harm: Takes, reach: Tracked | Staged},
			{when: "-i --include", harm: Takes, reach: Tracked | Staged}, // what is named and all that is staged
			{harm: Takes, reach: Tracked | Staged, paths: operands, pathsOnly: true},
			{harm: Takes, reach: Staged},
		}},
		"worktree remove": {rows: []gitRow{{when: "-f --force", harm: Drops, reach: every, paths: operands, dirOperand: true}}},
		"bisect":          {rows: []gitRow{{harm: Moves, reach: Tracked | Staged}}},
		"sparse-checkout": {rows: []gitRow{{harm: Moves, reach: Tracked | Staged}}},
		"stash pop":       {kind: gitWrites},
		"stash apply":     {kind: gitWrites},
		"stash branch":    {kind: gitWrites},
		"stash clear":     {kind: gitReads},
		"apply":           {kind: gitPatch, options: options{value: "-p -C --directory --exclude --include --whitespace"}},
		"rm":              {kind: gitFiles, files: rule{op: OpRemove, operands: all, treeWith: "-r", unless: "--cached -n --dry-run"}},
		"mv":              {kind: gitFiles, files: rule{op: OpMove, operands: last, tree: true, removes: true, unless: "-n --dry-run"}},
	}
	for list, kind := range map[string]gitKind{gitReaders: gitReads, gitWriters: gitWrites} {
		for _, name := range strings.Fields(list) {
			table[strings.ReplaceAll(name, "_", " ")] = gitVerb{kind: kind}
		}
	}
	return table
})
