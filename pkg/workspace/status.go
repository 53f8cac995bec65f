package workspace

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Change is one file that git status lists: it differs from the last commit.
type Change struct {
	Path coord.Path // the project's name: in NFC, see coord.ParseDiskName
	Disk string     // as it is on disk and git prints it, relative to Top, with slashes
	From coord.Path // with a rename or copy in the index: the old name; else zero

	// What happened to it since the last commit (Index) and since the index
	// (Tree), in git's letters: '.' nothing, M, T, A, D, R, C, U; both are '?'
	// for a file git does not know, and an unmerged file has a U in one of them
	// or the same letter in both.
	Index, Tree byte
}

// Untracked reports a file git does not know.
func (c Change) Untracked() bool { return c.Index == '?' }

// Staged reports a change in the index.
func (c Change) Staged() bool { return c.Index != '.' && c.Index != '?' }

// Gone reports a file that the working tree no longer has.
func (c Change) Gone() bool { return c.Tree == 'D' || c.Index == 'D' && c.Tree == '.' }

// Status asks git which files of the working tree at top are not committed;
// with names (relative to top, with slashes, as on disk or in NFC), only which
// of those. It takes no lock, starts no program of the user's, and ends with
// ctx, which should have a deadline: a large tree takes seconds.
//
// A name that no [coord.Path] can hold is left out. The error is
// context.DeadlineExceeded when the time was over, else what git said.
func Status(ctx context.Context, top string, names ...string) ([]Change, error) {
	args := []string{"status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=dirty"}
	if len(names) > 0 {
		args = append(args, "--")
		for _, name := range names {
			args = append(args, ":(top,literal)"+name)
		}
	}
	out, err := run(ctx, gitCommand(ctx, top, args...))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return ParseStatus(out)
}

// Committed reports whether a commit on the branch of the working tree at top,
// made in a later second than that one, has changed a file. Without git's answer,
// and for a file that git spells in another way, it is false.
func Committed(ctx context.Context, top string, file coord.Path, after time.Time) bool {
	since := after.UTC().Truncate(time.Second).Add(time.Second).Format(time.RFC3339)
	out, err := run(ctx, gitCommand(ctx, top, "log", "-1", "--format=%H", "--since="+since, "HEAD", "--", ":(top,literal)"+file.String()))
	return err == nil && out != ""
}

// errStatus marks output that is not that of git status --porcelain=v2 -z.
var errStatus = errors.New("git status answered in an unknown form")

// statusFields is how many fields stand before the name in each kind of entry.
var statusFields = map[byte]int{'1': 8, '2': 9, 'u': 10, '?': 1, '!': 1}

// ParseStatus reads the output of git status --porcelain=v2 -z.
func ParseStatus(out string) ([]Change, error) {
	changes := []Change{}
	for out != "" {
		entry, rest, found := strings.Cut(out, "\x00")
		if !found || entry == "" {
			return nil, errStatus
		}
		out = rest
		kind := entry[0]
		n, ok := statusFields[kind]
		if !ok && kind != '#' {
			return nil, errStatus
		}
		if kind == '#' || kind == '!' {
			continue
		}
		parts := strings.SplitN(entry, " ", n+1)
		if len(parts) != n+1 || kind != '?' && len(parts[1]) != 2 {
			return nil, errStatus
		}
		c := Change{Disk: parts[n], Index: '?', Tree: '?'}
		if kind != '?' {
			c.Index, c.Tree = parts[1][0], parts[1][1]
		}
		if kind == '2' {
			var from string
			if from, out, found = strings.Cut(out, "\x00"); !found {
				return nil, errStatus
			}
			c.From, _ = coord.ParseDiskName(from)
		}
		var err error
		if c.Path, err = coord.ParseDiskName(c.Disk); err == nil {
			changes = append(changes, c)
		}
	}
	return changes, nil
}
