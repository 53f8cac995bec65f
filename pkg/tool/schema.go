package tool

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// schema is the part of JSON Schema that the operations need: a flat object.
type schema struct {
	Type        string            `json:"type"`
	Description string            `json:"description,omitempty"`
	Enum        []string          `json:"enum,omitempty"`
	Items       *schema           `json:"items,omitempty"`
	MaxLength   int               `json:"maxLength,omitempty"`
	MaxItems    int               `json:"maxItems,omitempty"`
	Properties  map[string]schema `json:"properties,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Additional  *bool             `json:"additionalProperties,omitempty"`
}

// Schema gives the JSON Schema of the operation's arguments as a client sees
// it: an object without the wire-only fields. Its bytes never change between
// calls, so prompt caches keep.
func (o *Op) Schema() json.RawMessage {
	closed := false
	root := schema{Type: "object", Properties: map[string]schema{}, Additional: &closed}
	for _, a := range o.args() {
		if a.wire {
			continue
		}
		root.Properties[a.name] = a.schema()
		if a.required {
			root.Required = append(root.Required, a.name)
		}
	}
	b, err := json.Marshal(root)
	if err != nil {
		panic(fmt.Sprintf("tool %s: schema: %v", o.Name, err))
	}
	return b
}

func (a arg) schema() schema {
	s := schema{Type: jsonType(a.kind), Description: a.doc, Enum: a.enum}
	switch {
	case a.kind == reflect.Slice:
		s.Items = &schema{Type: jsonType(a.elem)}
		s.MaxItems = a.max
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
