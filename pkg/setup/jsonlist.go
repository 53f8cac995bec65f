package setup

import (
	"fmt"
	"slices"

	"github.com/tailscale/hujson"
)

// list is what objects and arrays have in common: items, white space and
// comments around each, and before the closing bracket. There is a trailing
// comma when what follows the last value is not nil.
type list interface {
	len() int
	before(i int) *hujson.Extra
	after(i int) *hujson.Extra
	tail() *hujson.Extra
	append(name string, v hujson.Value)
	delete(i int)
}

func (c cursor) list() (list, error) {
	switch v := c.value.Value.(type) {
	case *hujson.Object:
		return object{v}, nil
	case *hujson.Array:
		return array{v}, nil
	}
	return nil, fmt.Errorf("%s is no JSON object or array", c.name)
}

type object struct{ *hujson.Object }

func (o object) len() int                   { return len(o.Members) }
func (o object) before(i int) *hujson.Extra { return &o.Members[i].Name.BeforeExtra }
func (o object) after(i int) *hujson.Extra  { return &o.Members[i].Value.AfterExtra }
func (o object) tail() *hujson.Extra        { return &o.AfterExtra }
func (o object) delete(i int)               { o.Members = slices.Delete(o.Members, i, i+1) }
func (o object) append(name string, v hujson.Value) {
	o.Members = append(o.Members, hujson.ObjectMember{Name: hujson.Value{Value: hujson.String(name)}, Value: v})
}

type array struct{ *hujson.Array }

func (a array) len() int                        { return len(a.Elements) }
func (a array) before(i int) *hujson.Extra      { return &a.Elements[i].BeforeExtra }
func (a array) after(i int) *hujson.Extra       { return &a.Elements[i].AfterExtra }
func (a array) tail() *hujson.Extra             { return &a.AfterExtra }
func (a array) delete(i int)                    { a.Elements = slices.Delete(a.Elements, i, i+1) }
func (a array) append(_ string, v hujson.Value) { a.Elements = append(a.Elements, v) }
