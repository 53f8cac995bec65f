package tool

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// arg is one argument of an operation, read from a field of its In type.
type arg struct {
	name     string
	alias    string // another accepted name
	doc      string
	required bool
	wire     bool // between shim and hub only
	line     bool // a text of one line
	max      int  // 0 = no limit
	enum     []string
	path     string // "file", "target", "id" or ""
	kind     reflect.Kind
	elem     reflect.Type // of a list or map
	index    int
}

// args reads the argument table of the operation from the tags of its In type.
func (o *Op) args() []arg {
	var out []arg
	for i := range o.In.NumField() {
		f := o.In.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		a := arg{name: name, alias: f.Tag.Get("alias"), doc: f.Tag.Get("doc"), required: f.Tag.Get("req") == "true",
			wire: f.Tag.Get("wire") == "true", line: f.Tag.Get("line") == "true", path: f.Tag.Get("path"), index: i}
		if m := f.Tag.Get("max"); m != "" {
			n, err := strconv.Atoi(m)
			if err != nil {
				panic("tool " + o.Name + ": bad max on " + name)
			}
			a.max = n
		}
		if e := f.Tag.Get("enum"); e != "" {
			a.enum = strings.Split(e, ",")
		}
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		a.kind = t.Kind()
		if a.kind == reflect.Slice || a.kind == reflect.Map {
			a.elem = t.Elem()
		}
		out = append(out, a)
	}
	return out
}

// choices lists the values of an enum that somebody would write: an empty first
// one only says that there is no default.
func (a arg) choices() []string {
	return slices.DeleteFunc(slices.Clone(a.enum), func(value string) bool { return value == "" })
}

// PathArgs names the arguments that hold paths and how each is resolved where
// the files are: "file", "target" (a path, a directory or a glob), or "id" (an id
// that [IsID] knows stays as it is, all else is a file).
func (o *Op) PathArgs() map[string]string {
	out := map[string]string{}
	for _, a := range o.args() {
		if a.path != "" {
			out[a.name] = a.path
		}
	}
	return out
}

// IsID reports whether a text has the form of the id of a thread, announcement
// or lease. A file of such a name is meant by "./T-1".
func IsID(s string) bool {
	for _, letter := range []string{"T", "A", "L"} {
		if _, ok := coord.Ordinal(letter, s); ok {
			return true
		}
	}
	return false
}
