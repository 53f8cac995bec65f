package tool

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// schema is the part of JSON Schema that the operations need: an object of
// plain values, lists of them, and maps of flat objects.
type schema struct {
	Type        string            `json:"type"`
	Description string            `json:"description,omitempty"`
	Enum        []string          `json:"enum,omitempty"`
	Items       *schema           `json:"items,omitempty"`
	MaxLength   int               `json:"maxLength,omitempty"`
	MaxItems    int               `json:"maxItems,omitempty"`
	Properties  map[string]schema `json:"properties,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Additional  any               `json:"additionalProperties,omitempty"` // false, or the schema of a map's values
}

// Schema gives the JSON Schema of the operation's arguments as a client sees
// it: an object without the wire-only fields. Its bytes never change between
// calls, so prompt caches keep.
func (o *Op) Schema() json.RawMessage {
	b, err := json.Marshal(o.object())
	if err != nil {
		panic(fmt.Sprintf("tool %s: schema: %v", o.Name, err))
	}
	return b
}

func (o *Op) object() schema {
	root := schema{Type: "object", Properties: map[string]schema{}, Additional: false}
	for _, a := range o.args() {
		if a.wire {
			continue
		}
		root.Properties[a.name] = a.schema()
		if a.required {
			root.Required = append(root.Required, a.name)
		}
	}
	return root
}

func (a arg) schema() schema {
	s := schema{Type: jsonType(a.kind), Description: a.doc, Enum: a.choices()}
	switch {
	case a.kind == reflect.Slice:
		s.Items = &schema{Type: jsonType(a.elem.Kind())}
		s.MaxItems = a.max
	case a.kind == reflect.Map && a.elem.Kind() == reflect.Struct:
		s.Additional = (&Op{In: a.elem}).object()
	case a.kind == reflect.String && a.enum == nil:
		s.MaxLength = a.max
	}
	return s
}

func jsonType(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice:
		return "array"
	case reflect.Map, reflect.Struct:
		return "object"
	case reflect.Float64:
		return "number"
	default:
		return "integer"
	}
}

// names lists what a client may pass, for an error text.
func (o *Op) names() string {
	var out []string
	for _, a := range o.args() {
		if !a.wire {
			out = append(out, a.name)
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}
