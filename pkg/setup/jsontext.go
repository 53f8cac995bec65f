package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// jsonText is a JSON file, comments and trailing commas allowed, that is edited
// in place: what is not touched keeps every byte.
type jsonText struct {
	root    hujson.Value
	bom     bool
	newline string // "\n" or "\r\n", as in the file
	unit    string // one level of indentation, as in the file
}

const utf8BOM = "\xef\xbb\xbf"

// readJSON reads a file whose root must be an object. Empty text is an empty
// object.
func readJSON(text []byte) (*jsonText, error) {
	t := &jsonText{newline: "\n", unit: "  "}
	text, t.bom = bytes.CutPrefix(text, []byte(utf8BOM))
	if bytes.Contains(text, []byte("\r\n")) {
		t.newline = "\r\n"
	}
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}" + t.newline)
	}
	root, err := hujson.Parse(bytes.Clone(text))
	if err != nil {
		return nil, err
	}
	object, ok := root.Value.(*hujson.Object)
	if !ok {
		return nil, fmt.Errorf("the file holds no JSON object")
	}
	t.root = root
	if len(object.Members) > 0 {
		if indent, own := lineIndent(object.Members[0].Name.BeforeExtra); own && indent != "" {
			t.unit = indent
		}
	}
	return t, nil
}

func (t *jsonText) bytes() []byte {
	out := t.root.Pack()
	if t.bom {
		out = append([]byte(utf8BOM), out...)
	}
	return out
}

// cursor is a value in the text with the indentation of the line it is on.
type cursor struct {
	t      *jsonText
	value  *hujson.Value
	indent string
	name   string // for errors: "hooks.Stop"
}

func (t *jsonText) top() cursor { return cursor{t: t, value: &t.root, name: "the file"} }

// member gives a member of an object; ok is false when it is not there. Two of
// one name are an error, since clients would disagree about which one counts.
func (c cursor) member(name string) (m cursor, ok bool, err error) {
	o, isObject := c.value.Value.(*hujson.Object)
	if !isObject {
		return m, false, fmt.Errorf("%s is no JSON object", c.name)
	}
	for i := range o.Members {
		literal, _ := o.Members[i].Name.Value.(hujson.Literal)
		if literal.String() != name {
			continue
		}
		if ok {
			return m, false, fmt.Errorf("%s has the key %q twice", c.name, name)
		}
		m, ok = c.child(o.Members[i].Name.BeforeExtra, &o.Members[i].Value, name), true
	}
	return m, ok, nil
}

func (c cursor) child(before hujson.Extra, v *hujson.Value, name string) cursor {
	indent, own := lineIndent(before)
	if !own {
		indent = c.indent
	}
	full := name
	if c.value != &c.t.root {
		full = c.name + "." + name
	}
	return cursor{t: c.t, value: v, indent: indent, name: full}
}

// elements lists the elements of an array.
func (c cursor) elements() ([]cursor, error) {
	a, ok := c.value.Value.(*hujson.Array)
	if !ok {
		return nil, fmt.Errorf("%s is no JSON array", c.name)
	}
	var out []cursor
	for i := range a.Elements {
		out = append(out, c.child(a.Elements[i].BeforeExtra, &a.Elements[i], fmt.Sprint(i)))
	}
	return out, nil
}

// members lists the names of an object's members.
func (c cursor) members() ([]string, error) {
	o, ok := c.value.Value.(*hujson.Object)
	if !ok {
		return nil, fmt.Errorf("%s is no JSON object", c.name)
	}
	var out []string
	for _, m := range o.Members {
		literal, _ := m.Name.Value.(hujson.Literal)
		out = append(out, literal.String())
	}
	return out, nil
}

// ensure gives a member, adding it with the value when it is missing.
func (c cursor) ensure(name string, value any) (cursor, error) {
	m, ok, err := c.member(name)
	if err != nil || ok {
		return m, err
	}
	if err := c.add(name, value); err != nil {
		return m, err
	}
	m, _, err = c.member(name)
	return m, err
}

// add appends a member to an object or, with no name, an element to an array.
func (c cursor) add(name string, value any) error {
	list, err := c.list()
	if err != nil {
		return err
	}
	inline := list.len() > 0 && !bytes.Contains(*list.before(list.len() - 1), []byte("\n"))
	indent := c.indent + c.t.unit
	if list.len() > 0 {
		if own, ok := lineIndent(*list.before(list.len() - 1)); ok {
			indent = own
		}
	}
	v, err := c.t.render(value, indent, inline)
	if err != nil {
		return err
	}
	space := hujson.Extra(c.t.newline + indent)
	if inline {
		space = hujson.Extra(" ")
	}
	if name == "" {
		v.BeforeExtra = nil
	} else {
		v.BeforeExtra = hujson.Extra(" ")
	}
	list.append(name, v)
	c.place(list, space)
	return nil
}

// place gives the white space and comments around the last, new item to whom
// they belong: a comment behind the item before it stays behind that one, the
// white space before the closing bracket stays there.
func (c cursor) place(list list, space hujson.Extra) {
	last, tail := list.len()-1, list.tail()
	comment, white := splitExtra(*tail)
	*list.before(last) = append(comment, space...)
	if last == 0 {
		*tail = hujson.Extra(c.t.newline + c.indent)
		return
	}
	*tail = white
	if *list.after(last - 1) != nil { // there was a trailing comma; it stays one
		*list.after(last) = hujson.Extra{}
	}
}

// remove takes an item out. Comments before it stay.
func (c cursor) remove(i int) error {
	list, err := c.list()
	if err != nil {
		return err
	}
	comment, _ := splitExtra(*list.before(i))
	last, tail := list.len()-1, list.tail()
	trailing := *list.after(last) != nil
	list.delete(i)
	switch {
	case i < last:
		*list.before(i) = append(comment, *list.before(i)...)
	case last == 0 && len(comment) == 0:
		*tail = nil
	case last == 0:
		*tail = append(comment, *tail...)
	default:
		space := *list.after(last - 1)
		if *list.after(last - 1) = nil; trailing {
			*list.after(last - 1), space = append(hujson.Extra{}, space...), nil
		}
		*tail = slices.Concat(space, comment, *tail)
	}
	return nil
}

// removeMember takes a member out if it is there.
func (c cursor) removeMember(name string) error {
	names, err := c.members()
	if err != nil {
		return err
	}
	for i, n := range names {
		if n == name {
			return c.remove(i)
		}
	}
	return nil
}

// replace gives the value another content; comments around it stay.
func (c cursor) replace(value any) error {
	v, err := c.t.render(value, c.indent, false)
	if err != nil {
		return err
	}
	c.value.Value = v.Value
	return nil
}

// decode reads the value, comments left out.
func (c cursor) decode(into any) error {
	v := c.value.Clone()
	v.Standardize()
	return json.Unmarshal(v.Pack(), into)
}

// empty reports whether an object or array holds nothing, not even a comment.
func (c cursor) empty() bool {
	list, err := c.list()
	if err != nil || list.len() > 0 {
		return false
	}
	comment, _ := splitExtra(*list.tail())
	return len(comment) == 0
}

// render makes a value of ours into text for a line with this indentation.
func (t *jsonText) render(value any, indent string, inline bool) (hujson.Value, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if !inline {
		enc.SetIndent(indent, t.unit)
	}
	if err := enc.Encode(value); err != nil {
		return hujson.Value{}, err
	}
	text := strings.ReplaceAll(strings.TrimSpace(b.String()), "\n", t.newline)
	v, err := hujson.Parse([]byte(text))
	return v, err
}

// lineIndent gives the indentation of what follows the extra; own is false when
// it follows on the same line as what is before.
func lineIndent(e hujson.Extra) (indent string, own bool) {
	i := bytes.LastIndexByte(e, '\n')
	if i < 0 {
		return "", false
	}
	rest := string(e[i+1:])
	return rest[:len(rest)-len(strings.TrimLeft(rest, " \t"))], true
}

// splitExtra parts an extra into comments, with the white space around and
// between them, and the white space at its end. Without a comment the first
// part is empty.
func splitExtra(e hujson.Extra) (comment, white hujson.Extra) {
	trimmed := bytes.TrimRight(e, " \t\r\n")
	return bytes.Clone(trimmed), bytes.Clone(e[len(trimmed):])
}
