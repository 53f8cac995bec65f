package setup

import (
	"bytes"
	"context"
	"os"
	"slices"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

// Uninstall takes our part out of the files of a directory, or of the user's
// own configuration. Options.Clients limits it; none means every client. The
// directories that Init made go too when they are empty.
//
// A file that nobody touched since gets its old bytes back, or is removed if
// there was none; from any other only our own entries are taken, and the
// result says so.
func Uninstall(ctx context.Context, o Options) (Result, error) {
	out := Result{Files: []FileResult{}, Notes: []string{}}
	all := len(o.Clients) == 0
	if all {
		o.Clients = Clients()
	}
	o.Plugin, o.HTTP, o.Hub = false, false, ""
	if err := o.validate(ctx); err != nil {
		return out, err
	}
	if err := o.Home.Prepare(); err != nil {
		return out, err
	}
	r, err := openRecord(ctx, o.Home)
	if err != nil {
		return out, err
	}
	defer r.close()
	steps, err := o.planRemoval(ctx, r)
	if err != nil {
		return out, err
	}
	for _, s := range steps {
		if s.result.Action == Unchanged {
			continue
		}
		if !s.file.unchanged() {
			return out, coord.Errorf(coord.Conflict, "run it again", "%s was changed by somebody else in this moment", s.path)
		}
		if err := s.file.write(s.text); err != nil {
			return out, err
		}
		if s.was != nil {
			for _, dir := range slices.Backward(s.was.Dirs) {
				_ = os.Remove(dir) // only if it is empty
			}
			r.forget(s.file.real)
			if err := r.save(); err != nil {
				return out, err
			}
		}
		out.Files = append(out.Files, s.result)
	}
	return out, nil
}

type removal struct {
	step
	result FileResult
}

// planRemoval looks at every file that Init may have written, recorded or not.
func (o *Options) planRemoval(ctx context.Context, r *record) ([]removal, error) {
	var steps []removal
	seen := map[string]bool{}
	plan := func(c Client, k kind, path string) error {
		f, err := o.open(k, path)
		if coord.CodeOf(err) == coord.Forbidden {
			return nil // a link that leads out: we have never written there
		}
		if err != nil || seen[f.real] {
			return err
		}
		seen[f.real] = true
		if k == excludeKind && o.excludedElsewhere(ctx, r) {
			return nil
		}
		s, err := removalOf(c, k, path, f, r.find(f.real))
		steps = append(steps, s)
		return err
	}
	for _, w := range r.Files {
		if w.Place == o.Dir && slices.Contains(o.Clients, w.Client) {
			if err := plan(w.Client, w.Kind, w.Path); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range o.everywhere() {
		if err := plan(p.client, p.kind, p.path); err != nil {
			return nil, err
		}
	}
	return steps, nil
}

// excludedElsewhere reports whether another directory of the same clone, such as a
// second working tree, goes on with settings that git is to ignore.
func (o *Options) excludedElsewhere(ctx context.Context, r *record) bool {
	return slices.ContainsFunc(r.Files, func(w written) bool {
		return w.Kind == settingsKind && w.Place != "" && w.Place != o.Dir && workspace.ExcludeFile(ctx, w.Place) == o.exclude
	})
}

// everywhere lists the files that Init writes with any options.
func (o *Options) everywhere() []part {
	var out []part
	for _, c := range clients() {
		if !slices.Contains(o.Clients, c.name) {
			continue
		}
		if o.User {
			out = append(out, part{client: c.name, kind: serverKind, path: c.user(o.place())})
		}
		for _, name := range c.project {
			if !o.User {
				out = append(out, part{client: c.name, kind: serverKind, path: firstThere(o.Dir, []string{name})})
			}
		}
	}
	if slices.Contains(o.Clients, Claude) {
		for _, shared := range []bool{false, true} {
			o.Shared = shared && !o.User
			out = append(out, part{client: Claude, kind: settingsKind, path: o.settingsFile()})
		}
		if o.exclude != "" {
			out = append(out, part{client: Claude, kind: excludeKind, path: o.exclude})
		}
		out = append(out, part{client: Claude, kind: memoryKind, path: o.memoryFile()})
	}
	return out
}

func removalOf(name Client, k kind, path string, f file, was *written) (removal, error) {
	s := removal{step: step{part: part{client: name, kind: k, path: path}, file: f, was: was},
		result: FileResult{Path: path, Client: name, Action: Unchanged}}
	switch {
	case f.text == nil && was == nil:
		return s, nil
	case f.text == nil:
		s.result.Action, s.result.Note = Removed, "it was gone already"
		return s, nil
	case was != nil && sum(f.text) == was.Sum:
		s.text, s.result.Action = append([]byte{}, was.Old...), Restored
		if was.Made {
			s.text, s.result.Action = nil, Removed
		}
		return s, nil
	}
	c, err := clientNamed(name)
	if err != nil {
		return s, err
	}
	var before []byte
	if was != nil {
		before = was.Old
	}
	s.text, err = remover(c, k).remove(f.text, before)
	if err != nil {
		return s, invalid(path, err)
	}
	if bytes.Equal(s.text, f.text) {
		if was != nil { // nothing of ours is left; only the record goes
			s.result.Action, s.result.Note = Changed, "our entries were gone already"
		}
		return s, nil
	}
	s.result.Action = Changed
	s.result.Note = "it was changed since, so only our own entries were removed"
	if was == nil {
		s.result.Note = "there is no record of it, so only our own entries were removed"
	}
	if s.text == nil {
		s.result.Action = Removed
		s.result.Note = "nothing but our own entries was in it"
	}
	return s, nil
}
