package setup

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
)

// entry is one thing of ours in a JSON file.
type entry interface {
	// add puts it in; what is there already stays as it is.
	add(root cursor) error
	// remove takes it out. It does nothing when it is not there.
	remove(root cursor) error
	// paths names the containers it lives in, the outermost first.
	paths() [][]string
}

// server is the entry of an MCP server: an object under a name.
type server struct {
	in    []string // containers
	value any      // marshals to an object
}

const serverName = "coord"

func (s server) paths() [][]string { return [][]string{s.in} }

func (s server) add(root cursor) error {
	at := root
	for _, name := range s.in {
		next, err := at.ensure(name, struct{}{})
		if err != nil {
			return err
		}
		at = next
	}
	mine, there, err := at.member(serverName)
	if err != nil {
		return err
	}
	if !there {
		return at.add(serverName, s.value)
	}
	var old map[string]any
	if err := mine.decode(&old); err != nil || !sameKind(old, s.value) {
		return mine.replace(s.value)
	}
	return merge(mine, s.value)
}

// sameKind reports whether an entry starts a program as ours does, or names an
// address as ours does; then what else the user has written into it may stay.
func sameKind(old map[string]any, value any) bool {
	mine := asObject(value)
	for key := range mine {
		if _, ok := old[key]; !ok && (key == "command" || key == "url" || key == "httpUrl" || key == "serverUrl") {
			return false
		}
	}
	return true
}

// merge sets the fields of value that are missing or differ.
func merge(c cursor, value any) error {
	var fields []field
	if err := json.Unmarshal(mustJSON(value), (*orderedFields)(&fields)); err != nil {
		return err
	}
	for _, f := range fields {
		m, ok, err := c.member(f.name)
		switch {
		case err != nil:
			return err
		case !ok:
			err = c.add(f.name, f.value)
		default:
			var old any
			if err := m.decode(&old); err != nil {
				return err
			}
			oldObject, isObject := old.(map[string]any)
			if isObject && oldObject != nil && len(f.value) > 0 && f.value[0] == '{' {
				err = merge(m, f.value)
			} else if !sameJSON(old, f.value) {
				err = m.replace(f.value)
			}
			if err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s server) remove(root cursor) error {
	at, ok, err := walk(root, s.in)
	if err != nil || !ok {
		return err
	}
	return at.removeMember(serverName)
}

// word is a string in a list.
type word struct {
	in    []string // the list is the last one
	value string
}

func (w word) paths() [][]string { return [][]string{w.in} }

func (w word) add(root cursor) error {
	at := root
	for i, name := range w.in {
		var empty any = struct{}{}
		if i == len(w.in)-1 {
			empty = []string{}
		}
		next, err := at.ensure(name, empty)
		if err != nil {
			return err
		}
		at = next
	}
	if i, err := w.find(at); err != nil || i >= 0 {
		return err
	}
	return at.add("", w.value)
}

func (w word) find(at cursor) (int, error) {
	elements, err := at.elements()
	if err != nil {
		return -1, err
	}
	return slices.IndexFunc(elements, func(e cursor) bool {
		var s string
		return e.decode(&s) == nil && s == w.value
	}), nil
}

func (w word) remove(root cursor) error {
	at, ok, err := walk(root, w.in)
	if err != nil || !ok {
		return err
	}
	i, err := w.find(at)
	if err != nil || i < 0 {
		return err
	}
	return at.remove(i)
}

// hooks are the groups of the hook table.
type hooks struct{ events []event }

func (h hooks) paths() [][]string {
	var out [][]string
	for _, e := range h.events {
		out = append(out, []string{"hooks", e.name})
	}
	return out
}

func (h hooks) add(root cursor) error {
	at, err := root.ensure("hooks", struct{}{})
	if err != nil {
		return err
	}
	if same, err := h.standAsWanted(at); err != nil || same {
		return err
	}
	if err := h.removeFrom(at); err != nil {
		return err
	}
	for _, e := range h.events {
		list, err := at.ensure(e.name, []group{})
		if err != nil {
			return err
		}
		for _, g := range e.groups {
			if err := list.add("", g); err != nil {
				return err
			}
		}
	}
	return nil
}

// standAsWanted reports whether the groups that are there and ours are the ones
// of the table.
func (h hooks) standAsWanted(at cursor) (bool, error) {
	names, err := at.members()
	if err != nil {
		return false, err
	}
	ours := map[string][]any{}
	for _, name := range names {
		list, _, err := at.member(name)
		if err != nil {
			return false, err
		}
		groups, err := list.elements()
		if err != nil {
			return false, err
		}
		for _, g := range groups {
			if n, err := countOurs(g); err != nil {
				return false, err
			} else if n > 0 {
				var v any
				if err := g.decode(&v); err != nil {
					return false, err
				}
				ours[name] = append(ours[name], v)
			}
		}
	}
	want := map[string][]any{}
	for _, e := range h.events {
		for _, g := range e.groups {
			want[e.name] = append(want[e.name], asAny(g))
		}
	}
	return reflect.DeepEqual(ours, want), nil
}

// countOurs counts the hooks of ours in a group. A group of a shape that we do
// not know holds none.
func countOurs(g cursor) (n int, err error) {
	var shape struct {
		Hooks []struct {
			Command string `json:"command"`
		} `json:"hooks"`
	}
	if g.decode(&shape) != nil {
		return 0, nil
	}
	for _, h := range shape.Hooks {
		if isHook(h.Command) {
			n++
		}
	}
	return n, nil
}

func (h hooks) remove(root cursor) error {
	at, ok, err := walk(root, []string{"hooks"})
	if err != nil || !ok {
		return err
	}
	return h.removeFrom(at)
}

// removeFrom takes our hooks out of every event, and the groups that are left
// empty by that.
func (h hooks) removeFrom(at cursor) error {
	names, err := at.members()
	if err != nil {
		return err
	}
	for _, name := range names {
		list, ok, err := at.member(name)
		if err != nil || !ok {
			return err
		}
		if err := removeOurs(list); err != nil {
			return err
		}
	}
	return nil
}

func removeOurs(list cursor) error {
	groups, err := list.elements()
	if err != nil {
		return err
	}
	for i, g := range slices.Backward(groups) {
		n, err := countOurs(g)
		if err != nil || n == 0 {
			continue
		}
		inner, _, err := g.member("hooks")
		if err != nil {
			return err
		}
		handlers, err := inner.elements()
		if err != nil {
			return err
		}
		if n == len(handlers) {
			if err := list.remove(i); err != nil {
				return err
			}
			continue
		}
		for j, handler := range slices.Backward(handlers) {
			var shape struct {
				Command string `json:"command"`
			}
			if handler.decode(&shape) == nil && isHook(shape.Command) {
				if err := inner.remove(j); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// walk follows a path of members; ok is false when it ends early.
func walk(c cursor, path []string) (cursor, bool, error) {
	for _, name := range path {
		m, ok, err := c.member(name)
		if err != nil || !ok {
			return c, false, err
		}
		c = m
	}
	return c, true, nil
}

// field is a member of an object of ours, in order.
type field struct {
	name  string
	value json.RawMessage
}

type orderedFields []field

func (o *orderedFields) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil { // the opening brace
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*o = append(*o, field{key.(string), v})
	}
	return nil
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own entries always marshal
	}
	return b
}

func asAny(v any) (out any) {
	if err := json.Unmarshal(mustJSON(v), &out); err != nil {
		panic(err) // what we have just written
	}
	return out
}

func asObject(v any) map[string]any {
	m, _ := asAny(v).(map[string]any)
	return m
}

func sameJSON(a, b any) bool { return reflect.DeepEqual(asAny(a), asAny(b)) }
