package topic

import "strings"

// Name is a topic as a message carries it: no wildcards.
type Name string

// Filter is what a client subscribes to: a Name, or one with the wildcards "+"
// (any one level) and "#" (this level and all below; last level only).
type Filter string

// maxLen is the longest topic or filter MQTT can carry, in bytes.
const maxLen = 65535

// Valid reports whether the filter is well formed: not empty, wildcards stand
// alone in their level, and "#" is the last.
func (f Filter) Valid() bool {
	if f == "" || len(f) > maxLen || strings.ContainsRune(string(f), 0) {
		return false
	}
	rest, more := string(f), true
	for more {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		if strings.ContainsAny(level, "+#") && (len(level) > 1 || level == "#" && more) {
			return false
		}
	}
	return true
}

// Matches reports whether a message on the topic reaches a subscriber of f.
func (f Filter) Matches(n Name) bool { return covers(string(f), string(n)) }

// covers reports whether every topic that the inner filter matches is matched
// by the outer one. A name is a filter that matches only itself.
func covers(outer, inner string) bool {
	for {
		o, oRest, oMore := strings.Cut(outer, "/")
		i, iRest, iMore := strings.Cut(inner, "/")
		switch {
		case o == "#":
			return true
		case i == "#", o != "+" && o != i:
			return false
		case !oMore:
			return !iMore
		case !iMore:
			return oRest == "#" // "a/#" matches its parent "a" too
		}
		outer, inner = oRest, iRest
	}
}

// isLevel reports whether s can stand as one level of a name.
func isLevel(s string) bool { return s != "" && !strings.ContainsAny(s, "/+#\x00") }
