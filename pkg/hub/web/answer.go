package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
)

// statuses is the HTTP status each code travels with.
var statuses = map[coord.Code]int{
	coord.Invalid:      http.StatusBadRequest,
	coord.Unauthorized: http.StatusUnauthorized,
	coord.Forbidden:    http.StatusForbidden,
	coord.NotFound:     http.StatusNotFound,
	coord.Conflict:     http.StatusConflict,
	coord.TooLarge:     http.StatusRequestEntityTooLarge,
	coord.RateLimited:  http.StatusTooManyRequests,
	coord.Internal:     http.StatusInternalServerError,
	coord.Unavailable:  http.StatusServiceUnavailable,
	coord.Storage:      http.StatusInsufficientStorage,
}

func statusOf(err error) int {
	if status, ok := statuses[coord.CodeOf(err)]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// answer remembers what has been answered, for recovery and the log.
type answer struct {
	http.ResponseWriter
	status int // 0 = nothing yet
	bytes  int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// refuse answers with an error. What is ours to fix is logged with its cause
// and shown without it.
func refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	id := coord.RequestFrom(r.Context())
	log := connOf(r).door.log
	if status >= 500 && status != http.StatusServiceUnavailable {
		log.Error("request failed", "method", r.Method, "route", r.Pattern, "status", status, "err", cause(err), "request_id", id)
	} else {
		log.Debug("request refused", "method", r.Method, "route", r.Pattern, "status", status, "err", cause(err), "request_id", id)
	}
	var e *coord.Error
	if !errors.As(err, &e) {
		e = internal()
	}
	h := w.Header()
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(1))
	}
	write(w, r, status, client.ErrorBody{Code: e.Code, Message: e.Error(), RequestID: id})
}

// cause gives an error with what it wraps, for the log.
func cause(err error) string {
	var e *coord.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.What + ": " + e.Err.Error()
	}
	return err.Error()
}

// write answers with one JSON value; bytes of a json.RawMessage go out as they
// are.
func write(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, raw := v.(json.RawMessage)
	if !raw {
		var err error
		if body, err = json.Marshal(v); err != nil {
			panic(err) // our own types always marshal
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if connOf(r).isStranger() {
		h.Set("Connection", "close") // a stranger holds no connection
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // #nosec G705 -- JSON, declared so, with nosniff; a caller that is gone needs no answer
}
