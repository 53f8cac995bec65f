package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// asJSON writes compact JSON without escaping <, > and &, which a model would
// see as noise.
func asJSON(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// mustJSON is asJSON of our own structs of text and numbers, which cannot fail.
func mustJSON(v any) json.RawMessage {
	b, err := asJSON(v)
	if err != nil {
		panic(fmt.Sprintf("hub: %T is no JSON: %v", v, err))
	}
	return b
}
