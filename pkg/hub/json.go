package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
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

// jsonSize is what a text takes inside of JSON quotes, in bytes.
func jsonSize(s string) (n int) {
	for _, r := range s {
		n += runeSize(r)
	}
	return n
}

// runeSize is what asJSON writes for a character.
func runeSize(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\t', r == '\r', r == '\b', r == '\f':
		return 2
	case r < ' ', r == '\u2028', r == '\u2029':
		return 6
	default:
		return utf8.RuneLen(r)
	}
}

// prefix gives the longest beginning of a text that takes at most so many bytes
// inside of JSON quotes.
func prefix(s string, room int) string {
	for i, r := range s {
		if room -= runeSize(r); room < 0 {
			return s[:i]
		}
	}
	return s
}

// brief gives a text, or its beginning and "…", in about so many bytes of JSON.
func brief(s string, room int) string {
	if jsonSize(s) <= room {
		return s
	}
	return prefix(s, room) + "…"
}

// dropRunes gives a text without its first n characters.
func dropRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[i:]
		}
	}
	return ""
}
