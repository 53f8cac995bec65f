package hub

import "github.com/coordhq/coord/pkg/coord"

// maxSights bounds the files of which is remembered when one agent last knew
// them. A file that falls out counts as never seen.
const maxSights = 1000

// sights is when an agent last read or wrote files. It lives as long as the hub
// runs, and is no part of a transaction: what was read stays read.
type sights map[sight]coord.Millis

// sight is one path of one working tree.
type sight struct {
	workspace coord.WorkspaceID
	key       coord.PathKey
}

func (s *state) sightOf(e editor, p coord.Path) sight {
	return sight{e.workspace, s.project(e.project).index.key(p)}
}

// sees notes that the editor knows now what stands in the file.
func (t *txn) sees(e editor, p coord.Path) {
	of := t.sights[e.agent.ID]
	if of == nil {
		of = sights{}
		t.sights[e.agent.ID] = of
	}
	of[t.sightOf(e, p)] = t.now
	for len(of) > maxSights {
		of.forgetOldest()
	}
}

func (s sights) forgetOldest() {
	var oldest sight
	first := true
	for at, when := range s {
		if first || when < s[oldest] {
			oldest, first = at, false
		}
	}
	delete(s, oldest)
}

// saw is when the editor last read or wrote the file, 0 = never.
func (s *state) saw(e editor, p coord.Path) coord.Millis {
	return s.sights[e.agent.ID][s.sightOf(e, p)]
}
