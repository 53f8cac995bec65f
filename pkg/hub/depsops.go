package hub

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Limits of one module of a dependency map.
const (
	maxModuleID   = 200 // characters, also of an export or owner
	maxModuleList = 500 // entries of each list
)

// setDependencyMap adds or changes modules of the project's map; with replace
// all others are dropped.
func (t *txn) setDependencyMap(me *coord.Agent, in tool.SetDependencyMapIn) (tool.SetDependencyMapOut, error) {
	old := t.project(me.Project).deps
	modules := map[coord.ModuleID]*coord.Module{}
	if old != nil && !in.Replace {
		modules = maps.Clone(old.modules)
	}
	var put []*coord.Module
	for _, name := range slices.Sorted(maps.Keys(in.Modules)) {
		m, err := t.newModule(me.Project, name, in.Modules[name])
		if err != nil {
			return tool.SetDependencyMapOut{}, err
		}
		modules[m.ID] = m
		put = append(put, m)
	}
	if len(modules) > tool.MaxModules {
		return tool.SetDependencyMapOut{}, coord.Errorf(coord.TooLarge, "leave out the leaves, or name directories instead of files",
			"a map of %d modules is over the limit of %d", len(modules), tool.MaxModules)
	}
	next := newDepMap(modules)
	out := tool.SetDependencyMapOut{Set: len(put), Modules: len(modules), Dependencies: next.edges, Unknown: next.unknown()}
	if old != nil {
		for id := range old.modules {
			if modules[id] == nil {
				out.Removed++
			}
		}
	}
	t.putModules(me.Project, next, in.Replace, put)
	return out, nil
}

func (t *txn) newModule(project coord.ProjectID, name string, spec tool.ModuleSpec) (*coord.Module, error) {
	m := &coord.Module{Project: project, Updated: t.now}
	ids, err := entries("a module id", []string{name})
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || place(ids[0]) == "" {
		return nil, coord.Errorf(coord.Invalid, "name it like auth or src/api", "module id %q is empty", name)
	}
	m.ID = coord.ModuleID(ids[0])
	depends, err := entries(fmt.Sprintf("modules.%s.depends_on", m.ID), spec.DependsOn)
	if err != nil {
		return nil, err
	}
	for _, on := range depends {
		m.DependsOn = append(m.DependsOn, coord.ModuleID(on))
	}
	if m.Exports, err = entries(fmt.Sprintf("modules.%s.exports", m.ID), spec.Exports); err != nil {
		return nil, err
	}
	m.Owners, err = entries(fmt.Sprintf("modules.%s.owners", m.ID), spec.Owners)
	return m, err
}

// entries cleans a list of names: sorted, each once, none empty.
func entries(what string, in []string) ([]string, error) {
	if len(in) > maxModuleList {
		return nil, coord.Errorf(coord.TooLarge, "shorten it", "%s: %d entries are over the limit of %d", what, len(in), maxModuleList)
	}
	out := make([]string, 0, len(in))
	for _, s := range in {
		s = coord.CleanLine(s)
		switch {
		case s == "":
		case len(s) > maxModuleID:
			return nil, coord.Errorf(coord.TooLarge, "shorten it", "%s: %.40q… of %d bytes is over the limit of %d", what, s, len(s), maxModuleID)
		default:
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func noModule(id coord.ModuleID) error {
	return coord.Errorf(coord.NotFound, "set_dependency_map adds it", "no module %q in this project's dependency map", id)
}

// blastRadius answers get_blast_radius.
func (h *Hub) blastRadius(_ *coord.Agent, c coord.Caller, in tool.GetBlastRadiusIn) (tool.GetBlastRadiusOut, error) {
	out := tool.GetBlastRadiusOut{Modules: []coord.ModuleID{}, Direct: []coord.ModuleID{}, Indirect: []coord.ModuleID{},
		AffectedExports: []string{}, Threads: []tool.RadiusThread{}, UnknownFiles: []coord.Path{}}
	skip, err := offset(in.Cursor)
	if err != nil {
		return out, err
	}
	files, err := paths(in.Files)
	if err != nil {
		return out, err
	}
	d := h.state.project(c.Project).deps
	changed, unknown, err := d.changed(in.ModuleID, files)
	if err != nil {
		return out, err
	}
	direct, indirect := d.radius(changed)
	out.DirectCount, out.IndirectCount = len(direct), len(indirect)
	p := newPage[coord.ModuleID](in.Limit)
	p.room = maxRadiusBytes
	out.NextCursor = fill(p, slices.Concat(direct, indirect), skip, same)
	split := min(max(len(direct)-skip, 0), len(p.rows))
	out.Direct, out.Indirect = p.rows[:split], p.rows[split:]

	if skip == 0 { // the rest is the same on every page
		out.Modules = window(changed, maxRadiusList)
		out.UnknownFiles = window(unknown, maxRadiusList)
		out.MoreUnknown = len(unknown) - len(out.UnknownFiles)
		exports := d.exports(changed)
		out.AffectedExports = window(exports, maxRadiusList)
		out.MoreExports = len(exports) - len(out.AffectedExports)
		threads := h.state.threadsIn(c.Project, d, changed, slices.Concat(direct, indirect), files)
		out.Threads = threads[:min(len(threads), maxRadiusThreads)]
		out.MoreThreads = len(threads) - len(out.Threads)
	}
	return out, nil
}

// Bounds of the parts of one blast radius.
const (
	maxRadiusBytes   = 2 << 10 // of module ids
	maxRadiusList    = 1 << 10 // bytes of each other list
	maxRadiusThreads = 5
	maxSubjectBytes  = 200 // of a thread that is one of several things
)

// window gives the first entries of a list, in so many bytes; the first one
// always.
func window[T ~string | coord.Path](list []T, room int) []T {
	out := []T{}
	for _, v := range list {
		if room -= len(fmt.Sprint(v)) + 3; room < 0 && len(out) > 0 {
			break
		}
		out = append(out, v)
	}
	return out
}

// changed lists the modules that a change is in, and the files that lie in none.
func (d *depMap) changed(id coord.ModuleID, files []coord.Path) (modules []coord.ModuleID, unknown []coord.Path, err error) {
	switch {
	case id == "" && len(files) == 0:
		return nil, nil, coord.Errorf(coord.Invalid, "name one of them", "get_blast_radius without module_id and files")
	case id != "" && !d.knows(id):
		return nil, nil, noModule(id)
	case id != "":
		modules = append(modules, id)
	}
	for _, f := range files {
		if in := d.holding(f.String()); in != "" {
			modules = append(modules, in)
		} else {
			unknown = append(unknown, f)
		}
	}
	slices.SortFunc(modules, cmp.Compare[coord.ModuleID])
	return slices.Compact(modules), unknown, nil
}

// exports lists what modules export, sorted, each once.
func (d *depMap) exports(ids []coord.ModuleID) []string {
	var out []string
	for _, id := range ids {
		if m := d.module(id); m != nil {
			out = append(out, m.Exports...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// threadsIn lists the live threads about one of the modules, or of the files, by
// number. A thread about a module around a changed one counts too.
func (s *state) threadsIn(project coord.ProjectID, d *depMap, changed, reached []coord.ModuleID, files []coord.Path) []tool.RadiusThread {
	inside := make(map[coord.ModuleID]bool, len(changed)+len(reached))
	for _, id := range slices.Concat(changed, reached) {
		inside[id] = true
	}
	aboutModule := func(m string) bool {
		return inside[d.holding(m)] || slices.ContainsFunc(changed, func(id coord.ModuleID) bool { return within(place(string(id)), place(m)) })
	}
	aboutPath := func(p coord.Path) bool { return inside[d.holding(p.String())] || slices.Contains(files, p) }
	out := []tool.RadiusThread{}
	for _, th := range s.threadsByNumber(project) {
		if th.Status.Live() && (slices.ContainsFunc(th.Modules, aboutModule) || slices.ContainsFunc(th.Paths, aboutPath)) {
			out = append(out, tool.RadiusThread{ThreadID: th.ID, Status: th.Status, Subject: shorten(th.Subject, maxSubjectBytes), Initiator: s.refOf(th.Initiator)})
		}
	}
	return out
}

// moduleInfo answers get_module_info: a window over each of the four lists, as
// wide as they all fit.
func (h *Hub) moduleInfo(_ *coord.Agent, c coord.Caller, in tool.GetModuleInfoIn) (tool.GetModuleInfoOut, error) {
	skip, err := offset(in.Cursor)
	if err != nil {
		return tool.GetModuleInfoOut{}, err
	}
	d := h.state.project(c.Project).deps
	if !d.knows(in.ModuleID) {
		return tool.GetModuleInfoOut{}, noModule(in.ModuleID)
	}
	m := d.module(in.ModuleID)
	out := tool.GetModuleInfoOut{ModuleID: in.ModuleID, Known: m != nil}
	if m == nil {
		m = &coord.Module{}
	}
	dependents := d.dependents[in.ModuleID]
	out.Counts = tool.ModuleCounts{DependsOn: len(m.DependsOn), Dependents: len(dependents), Exports: len(m.Exports), Owners: len(m.Owners)}
	longest := max(len(m.DependsOn), len(dependents), len(m.Exports), len(m.Owners))
	for width := orDefault(in.Limit, defaultPage); ; width = (width + 1) / 2 {
		out.DependsOn, out.Dependents = cut(m.DependsOn, skip, width), cut(dependents, skip, width)
		out.Exports, out.Owners = cut(m.Exports, skip, width), cut(m.Owners, skip, width)
		if width > 1 && bytesOf(out.DependsOn)+bytesOf(out.Dependents)+bytesOf(out.Exports)+bytesOf(out.Owners) > maxPage {
			continue
		}
		if skip+width < longest {
			out.NextCursor = strconv.Itoa(skip + width)
		}
		return out, nil
	}
}

// cut gives a window over a list.
func cut[T any](in []T, skip, width int) []T {
	from := min(skip, len(in))
	return list(in[from:min(from+width, len(in))])
}

func bytesOf[T ~string](in []T) int {
	n := 0
	for _, s := range in {
		n += len(s) + 3
	}
	return n
}
