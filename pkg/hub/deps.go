package hub

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// depMap is a project's dependency map with its reverse. It is never changed:
// a new map takes its place. The nil map is empty.
type depMap struct {
	modules    map[coord.ModuleID]*coord.Module
	dependents map[coord.ModuleID][]coord.ModuleID // sorted; also of modules that are only named
	places     map[string]coord.ModuleID           // by id with every boundary written "/"
	edges      int
}

// newDepMap indexes modules. Of two ids that differ in their boundaries only,
// as "a.b" and "a/b", files belong to the first in order.
func newDepMap(modules map[coord.ModuleID]*coord.Module) *depMap {
	d := &depMap{modules: modules, dependents: map[coord.ModuleID][]coord.ModuleID{}, places: make(map[string]coord.ModuleID, len(modules))}
	for _, id := range slices.Sorted(maps.Keys(modules)) { // so that each list of dependents is sorted
		if at := place(string(id)); d.places[at] == "" {
			d.places[at] = id
		}
		for _, on := range modules[id].DependsOn {
			d.dependents[on] = append(d.dependents[on], id)
			d.edges++
		}
	}
	return d
}

// place writes a module id or a path with "/" at every boundary.
func place(id string) string { return strings.Join(moduleSegments(id), "/") }

func (d *depMap) module(id coord.ModuleID) *coord.Module {
	if d == nil {
		return nil
	}
	return d.modules[id]
}

// knows reports whether the map has the module or one that depends on it.
func (d *depMap) knows(id coord.ModuleID) bool {
	return d != nil && (d.modules[id] != nil || len(d.dependents[id]) > 0)
}

// unknown counts the modules that others depend on and that are not in the map.
func (d *depMap) unknown() int {
	n := 0
	for id := range d.dependents {
		if d.modules[id] == nil {
			n++
		}
	}
	return n
}

// holding gives the innermost module that a file, or a module of another
// spelling, lies in; "" when there is none.
func (d *depMap) holding(name string) coord.ModuleID {
	if d == nil {
		return ""
	}
	for at := place(name); at != ""; at = at[:max(strings.LastIndexByte(at, '/'), 0)] {
		if id, ok := d.places[at]; ok {
			return id
		}
	}
	return ""
}

// radius lists what depends on the changed modules: directly, and through
// others, nearest first and then by id. Circles end where they began.
func (d *depMap) radius(changed []coord.ModuleID) (direct, indirect []coord.ModuleID) {
	if d == nil {
		return nil, nil
	}
	seen := make(map[coord.ModuleID]bool, len(changed))
	for _, id := range changed {
		seen[id] = true
	}
	for ring := changed; len(ring) > 0; {
		var next []coord.ModuleID
		for _, id := range ring {
			for _, dependent := range d.dependents[id] {
				if !seen[dependent] {
					seen[dependent] = true
					next = append(next, dependent)
				}
			}
		}
		slices.SortFunc(next, cmp.Compare[coord.ModuleID])
		if direct == nil {
			direct = next
		} else {
			indirect = append(indirect, next...)
		}
		ring = next
	}
	return direct, indirect
}
