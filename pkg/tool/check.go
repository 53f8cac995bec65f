package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
)

// Check reads arguments as a client sent them and gives them back as one
// canonical JSON object: aliases under their real name, the caller's own
// agent_id left out. Nil or empty args are an empty object.
//
// It refuses, with a coord.Error a model can act on, what is not an object,
// unknown or repeated names (letter case counts), wrong types, missing
// arguments, values over a limit or outside an enum, invalid UTF-8, and an
// agent_id that is not self: identity is the connection's.
func (o *Op) Check(args json.RawMessage, self coord.AgentID) (json.RawMessage, error) {
	return o.check(args, self, false)
}

func (o *Op) check(raw json.RawMessage, self coord.AgentID, wire bool) (json.RawMessage, error) {
	fields, err := o.split(raw)
	if err != nil {
		return nil, err
	}
	known := o.args()
	out := make(map[string]json.RawMessage, len(fields))
	for _, f := range fields {
		if f.name == "agent_id" {
			var id coord.AgentID
			if json.Unmarshal(f.value, &id) != nil || id != self {
				return nil, coord.Errorf(coord.Forbidden, "leave agent_id out: you act as the agent of your own session",
					"%s: agent_id %s is not yours", o.Name, f.value)
			}
			continue
		}
		i := slices.IndexFunc(known, func(a arg) bool {
			return (a.name == f.name || (a.alias != "" && a.alias == f.name)) && (wire || !a.wire)
		})
		if i < 0 {
			return nil, coord.Errorf(coord.Invalid, "allowed are: "+o.names(), "%s: unknown argument %q", o.Name, f.name)
		}
		a := known[i]
		if string(f.value) == "null" {
			continue
		}
		if _, twice := out[a.name]; twice {
			return nil, coord.Errorf(coord.Invalid, "give it once", "%s: argument %q is given twice", o.Name, a.name)
		}
		if err := a.validate(f.value); err != nil {
			return nil, coord.Errorf(codeOf(err), "correct it and call again", "%s: %s: %v", o.Name, a.name, err)
		}
		out[a.name] = f.value
	}
	for _, a := range known {
		if v, ok := out[a.name]; a.required && (!ok || blank(v)) {
			return nil, coord.Errorf(coord.Invalid, "call again with it", "%s: argument %q is required", o.Name, a.name)
		}
	}
	return json.Marshal(out)
}

// blank reports a required value that says nothing.
func blank(v json.RawMessage) bool {
	var s string
	return json.Unmarshal(v, &s) == nil && coord.CleanLine(s) == ""
}

type field struct {
	name  string
	value json.RawMessage
}

// split reads an object into its fields in order, repeated ones included.
func (o *Op) split(raw json.RawMessage) ([]field, error) {
	bad := func(what string) error {
		return coord.Errorf(coord.Invalid, "send a JSON object with: "+o.names(), "%s: %s", o.Name, what)
	}
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		return nil, nil
	}
	if !utf8.Valid(raw) {
		return nil, bad("arguments are not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, bad("arguments are not a JSON object")
	}
	var out []field
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, bad("arguments are not valid JSON")
		}
		f := field{name: t.(string)} // inside an object the decoder gives keys as strings
		if err := dec.Decode(&f.value); err != nil {
			return nil, bad("arguments are not valid JSON")
		}
		out = append(out, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, bad("arguments are not valid JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, bad("something follows the arguments object")
	}
	return out, nil
}

// errTooLong marks a value over a limit.
var errTooLong = errors.New("")

func codeOf(err error) coord.Code {
	if errors.Is(err, errTooLong) {
		return coord.TooLarge
	}
	return coord.Invalid
}

// validate checks one value against the argument's type and limits.
func (a arg) validate(v json.RawMessage) error {
	got := kindOf(v)
	want := jsonType(a.kind)
	switch {
	case want == "integer" && got == "number":
		var n float64
		if err := json.Unmarshal(v, &n); err != nil || n != math.Trunc(n) {
			return fmt.Errorf("want a whole number, got %s", short(v))
		}
		if n < 0 || (a.max > 0 && n > float64(a.max)) {
			return fmt.Errorf("want 0 to %s, got %s", limit(a.max), short(v))
		}
		return nil
	case want == "number" && got == "number":
		var n float64
		if err := json.Unmarshal(v, &n); err != nil || n < 0 || (a.max > 0 && n > float64(a.max)) {
			return fmt.Errorf("want 0 to %s, got %s", limit(a.max), short(v))
		}
		return nil
	case want != got:
		return fmt.Errorf("want %s, got %s", article(want), article(got))
	}
	switch got {
	case "string":
		return a.validateString(v)
	case "array":
		return a.validateList(v)
	case "object":
		return a.validateMap(v)
	}
	return nil
}

func (a arg) validateString(v json.RawMessage) error {
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return err
	}
	if a.enum != nil && !slices.Contains(a.enum, s) {
		return fmt.Errorf("want one of %s, got %s", strings.Join(a.choices(), ", "), short(v))
	}
	if a.path == "" {
		s = coord.CleanText(s) // what is dropped does not count
	}
	if n := utf8.RuneCountInString(s); a.max > 0 && n > a.max {
		return fmt.Errorf("%w%d characters are over the limit of %d", errTooLong, n, a.max)
	}
	return nil
}

func (a arg) validateList(v json.RawMessage) error {
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil {
		return err
	}
	if a.max > 0 && len(list) > a.max {
		return fmt.Errorf("%w%d entries are over the limit of %d", errTooLong, len(list), a.max)
	}
	for i, e := range list {
		got, want := kindOf(e), jsonType(a.elem.Kind())
		if want == "integer" && got == "number" {
			if err := (arg{kind: a.elem.Kind()}).validate(e); err != nil {
				return fmt.Errorf("entry %d: %w", i+1, err)
			}
			continue
		}
		if got != want {
			return fmt.Errorf("entry %d: want %s, got %s", i+1, article(want), article(got))
		}
		if n := size(e); n > maxEntry {
			return fmt.Errorf("%wentry %d of %d bytes is over the limit of %d", errTooLong, i+1, n, maxEntry)
		}
	}
	return nil
}

// maxEntry bounds one entry of a list, in bytes: a path may be absolute here,
// and not in NFC yet.
const maxEntry = 4 * coord.MaxPath

// size counts a text as it is meant, not as it is escaped.
func size(v json.RawMessage) int {
	var s string
	if json.Unmarshal(v, &s) != nil {
		return len(v)
	}
	return len(s)
}

func (a arg) validateMap(v json.RawMessage) error {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(v, &entries); err != nil {
		return err
	}
	if a.max > 0 && len(entries) > a.max {
		return fmt.Errorf("%w%d entries are over the limit of %d", errTooLong, len(entries), a.max)
	}
	if a.elem.Kind() != reflect.Struct {
		return nil
	}
	for name, e := range entries {
		if got := kindOf(e); got != "object" {
			return fmt.Errorf("%q: want an object, got %s", short(json.RawMessage(name)), article(got))
		}
	}
	return nil
}

func kindOf(v json.RawMessage) string {
	switch c := bytes.TrimSpace(v); {
	case len(c) == 0:
		return "nothing"
	case c[0] == '"':
		return "string"
	case c[0] == '[':
		return "array"
	case c[0] == '{':
		return "object"
	case c[0] == 't', c[0] == 'f':
		return "boolean"
	case c[0] == 'n':
		return "null"
	default:
		return "number"
	}
}

func article(kind string) string {
	switch kind {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "boolean":
		return "true or false"
	case "integer":
		return "a whole number"
	case "null", "nothing":
		return kind
	default:
		return "a " + kind
	}
}

func limit(n int) string {
	if n == 0 {
		return "any number"
	}
	return fmt.Sprint(n)
}

// short quotes a value for an error text.
func short(v json.RawMessage) string {
	s := string(v)
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// Read is the hub's side of [Op.Check]: it also takes the wire-only arguments,
// cleans free text and decodes into the operation's In type.
func (s Spec[In, Out]) Read(args json.RawMessage, self coord.AgentID) (In, error) {
	var in In
	canonical, err := s.check(args, self, true)
	if err != nil {
		return in, err
	}
	dec := json.NewDecoder(bytes.NewReader(canonical))
	dec.UseNumber()             // a free object keeps its numbers as they were
	dec.DisallowUnknownFields() // inside objects; the names at the top are known
	if err := dec.Decode(&in); err != nil {
		return in, coord.Errorf(coord.Invalid, "correct it and call again", "%s: %s", s.Name, Misfit(err))
	}
	for _, a := range s.args() {
		f := reflect.ValueOf(&in).Elem().Field(a.index)
		if a.path == "" {
			cleanText(f, a.line)
		}
		if a.enum != nil && f.String() == "" {
			f.SetString(a.enum[0])
		}
	}
	return in, nil
}

// Misfit words what a JSON decoder found, without the types of this program.
func Misfit(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		want := "an object"
		if wrong.Type.Kind() != reflect.Struct {
			want = article(jsonType(wrong.Type.Kind()))
		}
		words := fmt.Sprintf("want %s, got %s", want, article(wrong.Value))
		if wrong.Field == "" {
			return words
		}
		return wrong.Field + ": " + words
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// cleanText applies coord.CleanText, or CleanLine, to a string or a list of
// strings.
func cleanText(f reflect.Value, line bool) {
	switch {
	case f.Kind() == reflect.String && line:
		f.SetString(coord.CleanLine(f.String()))
	case f.Kind() == reflect.String:
		f.SetString(coord.CleanText(f.String()))
	case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.String:
		for i := range f.Len() {
			cleanText(f.Index(i), line)
		}
	}
}
