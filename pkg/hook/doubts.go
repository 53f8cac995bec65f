package hook

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

// gitLimit bounds what git is asked for the hub, in all: the client waits.
const gitLimit = 150 * time.Millisecond

// check asks git about the files of which the hub wants to know whether they are
// committed: once for each working tree.
func (r *run) check(ctx context.Context, doubts []coord.Doubt) []coord.Finding {
	began := time.Now()
	defer func() { r.inGit += time.Since(began) }()
	ctx, cancel := context.WithTimeout(ctx, gitLimit-r.inGit)
	defer cancel()
	trees := map[coord.WorkspaceID][]coord.Doubt{}
	for _, d := range doubts {
		trees[d.Workspace] = append(trees[d.Workspace], d)
	}
	var out []coord.Finding
	for id, of := range trees {
		out = append(out, findings(ctx, r.spaces[id], of)...)
	}
	return out
}

// findings asks about files of one working tree. Without git, or without its
// answer in time, nothing is known.
func findings(ctx context.Context, w workspace.Workspace, doubts []coord.Doubt) []coord.Finding {
	dirty, known := map[coord.PathKey]workspace.Change{}, false
	if w.Git {
		names := make([]coord.Path, len(doubts))
		for i, d := range doubts {
			names[i] = d.Path
		}
		changes, err := workspace.Status(ctx, w.Top, namesOf(w, names)...)
		known = err == nil
		for _, c := range changes {
			dirty[c.Path.Key(w.FoldCase)] = c
		}
	}
	out := make([]coord.Finding, len(doubts))
	for i, d := range doubts {
		out[i] = coord.Finding{Doubt: d, Known: known}
		c, isDirty := dirty[d.Path.Key(w.FoldCase)]
		switch {
		case !known:
		case isDirty:
			out[i].Dirty = true
			if info, err := os.Lstat(filepath.Join(w.Top, filepath.FromSlash(c.Disk))); err == nil {
				out[i].Changed = coord.At(info.ModTime())
			}
		case d.Since > 0:
			out[i].Committed = workspace.Committed(ctx, w.Top, d.Path, d.Since.Time())
		}
	}
	return out
}

// namesOf gives the names git is asked for. One that may be spelled in another
// way on disk would not be found: then git lists the whole tree.
func namesOf(w workspace.Workspace, paths []coord.Path) []string {
	var out []string
	for _, p := range paths {
		name := p.String()
		for i := range len(name) {
			if w.FoldCase || name[i] >= 0x80 {
				return nil
			}
		}
		out = append(out, name)
	}
	return out
}
