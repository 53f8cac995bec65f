package web

import (
	"errors"
	"time"
)

// Limits bound what callers may ask for. Zero fields take the default named
// beside them (CONTRACT: HTTP, limits).
type Limits struct {
	Body int64 // bytes of a request body; 1 MiB

	LocalRate  float64 // calls per second and agent on a unix socket; 200
	LocalBurst int     // 500
	Rate       float64 // the same on TCP; 20
	Burst      int     // 60

	LocalConnections int // open on one unix socket; 8,192
	Connections      int // open on one TCP listener; 256
	Strangers        int // of those, without a credential so far; 64

	Streams   int // open at /api/events; 32
	StreamLag int // events that a stream may be behind once it has been at the newest; 20,000
}

func (l *Limits) fill() error {
	if l.Body < 0 || l.LocalRate < 0 || l.LocalBurst < 0 || l.Rate < 0 || l.Burst < 0 ||
		l.LocalConnections < 0 || l.Connections < 0 || l.Strangers < 0 || l.Streams < 0 || l.StreamLag < 0 {
		return errors.New("web: Options.Limits has a negative field")
	}
	or(&l.Body, 1<<20)
	or(&l.LocalRate, 200)
	or(&l.LocalBurst, 500)
	or(&l.Rate, 20)
	or(&l.Burst, 60)
	or(&l.LocalConnections, 8192)
	or(&l.Connections, 256)
	or(&l.Strangers, 64)
	or(&l.Streams, 32)
	or(&l.StreamLag, 20_000)
	return nil
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Times of a connection. The idle time of a unix socket is longer than a
// client keeps one, so that it is the client who closes.
const (
	headerTimeout    = 5 * time.Second
	readTimeout      = 30 * time.Second  // of a whole request
	writeTimeout     = 150 * time.Second // of an answer; above the longest wait an operation may take
	idleTimeout      = time.Minute
	localIdleTimeout = 10 * time.Minute
	maxHeader        = 16 << 10 // bytes; net/http adds 4 KiB of slack
)
