package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// maxDepth is how deep objects and lists may nest in a body.
const maxDepth = 32

// readBody reads the whole body and checks its form: one JSON value in valid
// UTF-8, no key twice in one object, not nested deeper than maxDepth. Where
// shape is a struct, keys must be its own, in exact letter case, since
// encoding/json would take "PROJECT" for "project". Nil shape allows any key.
func readBody(r *http.Request, shape reflect.Type) ([]byte, error) {
	const fix = "correct the body and send it again"
	body, err := io.ReadAll(r.Body)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, coord.Errorf(coord.TooLarge, "send less", "the body is over the limit of %d bytes", over.Limit)
	case err != nil:
		return nil, &coord.Error{Code: coord.Invalid, What: "the body could not be read", Next: "send it again", Err: err}
	case len(body) == 0:
		return nil, coord.Errorf(coord.Invalid, "send a JSON object, with Content-Type: application/json", "the request has no body")
	case !utf8.Valid(body):
		return nil, coord.Errorf(coord.Invalid, fix, "the body is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := checkValue(dec, shape, 0); err != nil {
		return nil, &coord.Error{Code: coord.Invalid, What: "the body is not as it should be: " + err.Error(), Next: fix, Err: err}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, coord.Errorf(coord.Invalid, fix, "something follows the JSON value in the body")
	}
	return body, nil
}

// readInto is readBody for a struct.
func readInto[T any](r *http.Request) (v T, err error) {
	return decoded[T](readBody(r, reflect.TypeFor[T]()))
}

// readKnown is readInto without regard to keys that the struct does not have:
// what they say is dropped.
func readKnown[T any](r *http.Request) (v T, err error) { return decoded[T](readBody(r, nil)) }

func decoded[T any](body []byte, err error) (v T, _ error) {
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, &coord.Error{Code: coord.Invalid, What: "the body is not as it should be: " + tool.Misfit(err), Next: "correct it and send it again", Err: err}
	}
	return v, nil
}

// checkValue reads one value from dec.
func checkValue(dec *json.Decoder, shape reflect.Type, depth int) error {
	token, err := next(dec)
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth >= maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if open == '{' {
		err = checkObject(dec, shape, depth)
	} else {
		err = checkList(dec, shape, depth)
	}
	if err != nil {
		return err
	}
	_, err = next(dec) // the closing one
	return err
}

// next reads a token where there must be one.
func next(dec *json.Decoder) (json.Token, error) {
	token, err := dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

func checkObject(dec *json.Decoder, shape reflect.Type, depth int) error {
	allowed := fields(shape)
	seen := map[string]bool{}
	for dec.More() {
		token, err := next(dec)
		if err != nil {
			return err
		}
		key := token.(string) // the decoder gives nothing else here
		if seen[key] {
			return fmt.Errorf("key %q is given twice", key)
		}
		seen[key] = true
		var inner reflect.Type
		if allowed != nil {
			f, ok := allowed[key]
			if !ok {
				return fmt.Errorf("unknown key %q, allowed are: %s", key, names(allowed))
			}
			inner = f
		}
		if err := checkValue(dec, inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkList(dec *json.Decoder, shape reflect.Type, depth int) error {
	var inner reflect.Type
	if shape != nil && shape.Kind() == reflect.Slice {
		inner = shape.Elem()
	}
	for dec.More() {
		if err := checkValue(dec, inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// fields lists the JSON names of a struct's fields; nil for any other type.
func fields(shape reflect.Type) map[string]reflect.Type {
	for shape != nil && shape.Kind() == reflect.Pointer {
		shape = shape.Elem()
	}
	if shape == nil || shape.Kind() != reflect.Struct {
		return nil
	}
	out := map[string]reflect.Type{}
	for f := range shape.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f.Type
	}
	return out
}

func names(allowed map[string]reflect.Type) string {
	var out []string
	for name := range allowed {
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
