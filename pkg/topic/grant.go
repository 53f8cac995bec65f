package topic

import (
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// ownSubtree is what an agent reads beside the topics for everyone.
const ownSubtree Pattern = "coordinator/agents/{agent}/#"

// Grant is what one connection may subscribe to and publish on. The zero Grant
// allows nothing.
type Grant struct {
	read  []Filter
	write []Filter
}

// For gives the grant of a caller. A caller without a project is granted
// nothing; an operator reads what everyone of the project may read, which is
// nobody's inbox; a session adds its own agent's subtree.
func For(c coord.Caller) Grant {
	if c.Project == "" || c.Agent == "" && !c.Operator {
		return Grant{}
	}
	g := Grant{read: sharedReads(), write: sharedWrites()}
	if !isLevel(string(c.Agent)) {
		return g
	}
	g.read = append(g.read, Filter(strings.Replace(string(ownSubtree), "{agent}", string(c.Agent), 1)))
	for _, r := range Table {
		if r.Write == Owner {
			g.write = append(g.write, Filter(own(r.Topic, c.Agent)))
		}
	}
	return g
}

// MayRead reports whether the filter can be subscribed to: it is well formed and
// all that it matches is granted. A name is a filter too, so this also decides
// whether one message may be delivered.
func (g Grant) MayRead(f Filter) bool { return f.Valid() && anyCovers(g.read, string(f)) }

// MayWrite reports whether a client may publish on the topic.
func (g Grant) MayWrite(n Name) bool { return anyCovers(g.write, string(n)) }

// Filters lists the widest filters that are granted for reading.
func (g Grant) Filters() []Filter { return append([]Filter(nil), g.read...) }

func anyCovers(grants []Filter, inner string) bool {
	for _, g := range grants {
		if covers(string(g), inner) {
			return true
		}
	}
	return false
}

// sharedReads turns the table into filters: an area ("coordinator/files") whose
// topics are all for everyone is granted with all below it, so that a client may
// use "#" there; in any other area each public topic is granted by itself.
func sharedReads() []Filter {
	private := map[string]bool{}
	for _, r := range Table {
		if r.Read != Everyone {
			private[r.Topic.area()] = true
		}
	}
	var filters []Filter
	seen := map[Filter]bool{}
	for _, r := range Table {
		f := Filter(r.Topic.area() + "/#")
		if private[r.Topic.area()] {
			f = r.Topic.filter()
		}
		if r.Read == Everyone && !seen[f] {
			seen[f] = true
			filters = append(filters, f)
		}
	}
	return filters
}

func sharedWrites() []Filter {
	var filters []Filter
	for _, r := range Table {
		if r.Write == Everyone {
			filters = append(filters, r.Topic.filter())
		}
	}
	return filters
}

// area gives the first two levels.
func (p Pattern) area() string {
	levels := strings.SplitN(string(p), "/", 3)
	return strings.Join(levels[:2], "/")
}

// filter gives the filter that matches the pattern with any ids.
func (p Pattern) filter() Filter {
	return Filter(strings.NewReplacer("{agent}", "+", "{thread}", "+").Replace(string(p)))
}
