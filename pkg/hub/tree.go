package hub

import (
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// tree is a set of paths, each under its key, that can list what lies under a directory in time
// proportional to what it lists. The zero value is not ready; use newTree.
type tree struct {
	dirs map[coord.PathKey]*treeDir
}

type treeDir struct {
	files map[coord.PathKey]coord.Path // as it was spelled first
	dirs  map[coord.PathKey]struct{}
}

const topKey coord.PathKey = "."

func newTree() *tree {
	t := &tree{dirs: map[coord.PathKey]*treeDir{}}
	t.dir(topKey)
	return t
}

// parent gives the key of the directory a key lies in; the top's is itself.
func parent(k coord.PathKey) coord.PathKey {
	if i := strings.LastIndexByte(string(k), '/'); i >= 0 {
		return k[:i]
	}
	return topKey
}

func (t *tree) dir(k coord.PathKey) *treeDir {
	d := t.dirs[k]
	if d == nil {
		d = &treeDir{files: map[coord.PathKey]coord.Path{}, dirs: map[coord.PathKey]struct{}{}}
		t.dirs[k] = d
		if k != topKey {
			t.dir(parent(k)).dirs[k] = struct{}{}
		}
	}
	return d
}

func (t *tree) add(file coord.PathKey, p coord.Path) {
	files := t.dir(parent(file)).files
	if _, ok := files[file]; !ok {
		files[file] = p
	}
}

func (t *tree) remove(file coord.PathKey) {
	k := parent(file)
	d := t.dirs[k]
	if d == nil {
		return
	}
	delete(d.files, file)
	for len(d.files) == 0 && len(d.dirs) == 0 && k != topKey {
		delete(t.dirs, k)
		up := parent(k)
		delete(t.dirs[up].dirs, k)
		k, d = up, t.dirs[up]
	}
}

// under visits every file below a directory until visit returns false; it
// reports whether it got to the end.
func (t *tree) under(dir coord.PathKey, visit func(coord.PathKey, coord.Path) bool) bool {
	d := t.dirs[dir]
	if d == nil {
		return true
	}
	for f, p := range d.files {
		if !visit(f, p) {
			return false
		}
	}
	for sub := range d.dirs {
		if !t.under(sub, visit) {
			return false
		}
	}
	return true
}

// ancestors visits the directories a key lies in, from its own to the top.
func ancestors(k coord.PathKey, visit func(dir coord.PathKey)) {
	for k != topKey {
		k = parent(k)
		visit(k)
	}
}
