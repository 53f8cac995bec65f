package coord

import (
	"errors"
	"fmt"
)

// Code classes an error that leaves the process. A caller decides by Code; the
// words are for people and models.
type Code string

// The codes, and the HTTP status each one travels with.
const (
	Invalid      Code = "invalid"      // 400: an argument is wrong; say it again, corrected
	Unauthorized Code = "unauthorized" // 401: no credential, or one the hub does not know
	Forbidden    Code = "forbidden"    // 403: known, but not allowed
	NotFound     Code = "not_found"    // 404: no such thing in this project
	Conflict     Code = "conflict"     // 409: the thing is not in a state for this
	TooLarge     Code = "too_large"    // 413: over a limit that the message names
	RateLimited  Code = "rate_limited" // 429: too many calls; wait
	Internal     Code = "internal"     // 500: ours to fix
	Unavailable  Code = "unavailable"  // 503: the hub cannot answer now; nothing happened; retry
	Storage      Code = "storage"      // 507: the hub is there and its disk or database refuses; nothing happened; somebody has to act
)

// Error is what a person or a model can act on. Its text reads
// "what happened; what to do next".
type Error struct {
	Code Code
	What string // what happened
	Next string // what to do next; may be empty
	Err  error  // cause, for logs only; never sent
}

func (e *Error) Error() string {
	if e.Next == "" {
		return e.What
	}
	return e.What + "; " + e.Next
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error; next may be empty.
func Errorf(code Code, next, format string, args ...any) *Error {
	return &Error{Code: code, What: fmt.Sprintf(format, args...), Next: next}
}

// CodeOf gives the Code of the first Error in err's chain, Internal when there
// is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
