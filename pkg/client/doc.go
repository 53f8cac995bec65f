// Package client calls a hub: HTTP with JSON over its unix socket.
//
// A [Client] is cheap, connects when it is first used, keeps its connections
// warm and needs no care when the hub goes away: the next call connects anew.
// Before the first byte of a connection it checks that the socket and the
// process behind it belong to this user.
//
// Every error is a *coord.Error. coord.Unavailable means that there is no
// answer; [Sent] tells whether the request may have had its effect all the
// same. A call with an idempotency key can simply be made again. coord.Storage
// comes from a hub that is there and cannot store: asking again does not help
// before somebody has done what the words say.
package client

import "github.com/coordhq/coord/pkg/coord"

// Hello is what a hub says of itself: the answer of GET /api/hello.
type Hello struct {
	Instance string      `json:"instance"` // random per start
	Version  string      `json:"version"`
	Protocol int         `json:"protocol"` // config.Protocol of the hub
	PID      int         `json:"pid"`
	Home     string      `json:"home"`               // config.Home.Dir of the hub
	DataDir  string      `json:"data_dir,omitempty"` // of its database
	Epoch    coord.Epoch `json:"epoch"`
	Draining bool        `json:"draining"` // it is leaving: start another
}

// StopRequest is the body of POST /api/stop.
type StopRequest struct {
	Reason string `json:"reason"` // for the log: "upgrade", "coord-hub stop", …
}

// ErrorBody is the body of every answer that is not 2xx.
type ErrorBody struct {
	Code      coord.Code `json:"code"`
	Message   string     `json:"message"` // "what happened; what to do next"
	RequestID string     `json:"request_id"`
}
