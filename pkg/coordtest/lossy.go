package coordtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// Lossy is a home whose hub lives in another home, behind a proxy on the hub's
// unix socket. The proxy passes every request on and loses some replies: the
// hub has done the work, the shim sees its connection close. Which ones is drawn
// from a seed. Shims started in it need not know: the hub that they find, start
// and lose seems to be that of their own home.
type Lossy struct {
	*Home
	hub *Home

	mu   sync.Mutex // guards what follows
	rng  *rand.Rand
	odds float64
	cut  int
}

// Lossy makes a home for shims that use this home's hub and lose some of its
// replies, with the given odds (0 to 1).
func (h *Home) Lossy(seed uint64, odds float64) *Lossy {
	h.t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2)) // #nosec G404 -- faults must repeat with their seed
	l := &Lossy{Home: NewHome(h.t), hub: h, rng: rng, odds: odds}
	if err := l.furnish(); err != nil {
		h.t.Fatalf("prepare a home with a lossy hub: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	h.t.Cleanup(func() { stop(); <-done })
	go func() {
		defer close(done)
		l.keep(ctx)
	}()
	return l
}

// furnish makes the home look like the hub's on the same machine, and puts
// beside the shim a coord-hub that serves the hub's home.
func (l *Lossy) furnish() error {
	if err := errors.Join(l.Path.Prepare(), l.hub.Path.Prepare()); err != nil {
		return err
	}
	id, err := l.hub.Path.HostID()
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.Path.HostIDFile(), []byte(id+"\n"), 0o600); err != nil {
		return err
	}
	real := Build(l.t)
	l.bin = Binaries(filepath.Join(l.Dir, "bin"))
	if err := os.Mkdir(string(l.bin), 0o700); err != nil {
		return err
	}
	if err := os.Link(real.Shim(), l.bin.Shim()); err != nil {
		return err
	}
	script := fmt.Sprintf("#!/bin/sh\nCOORDINATOR_HOME='%s' exec '%s' \"$@\"\n", l.hub.Dir, real.Hub())
	return os.WriteFile(l.bin.Hub(), []byte(script), 0o700) // #nosec G306 -- a program must be executable
}

// Heal ends the losses.
func (l *Lossy) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.odds = 0
}

// Cut is how many replies were lost so far.
func (l *Lossy) Cut() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (l *Lossy) lose() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rng.Float64() >= l.odds {
		return false
	}
	l.cut++
	return true
}

// keep has the proxy open exactly while there is a hub behind it.
func (l *Lossy) keep(ctx context.Context) {
	var open *proxy
	defer func() { open.close() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d, err := config.ReadDiscovery(l.hub.Path)
		up := err == nil && process.Alive(coord.Process{PID: d.PID, Start: d.PIDStart})
		if open != nil && (!up || open.instance != d.Instance) {
			open.close()
			open = nil
		}
		if open == nil && up {
			if open, err = l.open(d); err != nil {
				l.t.Errorf("stand between shims and hub: %v", err)
				return
			}
		}
	}
}

// proxy stands in front of one hub.
type proxy struct {
	instance string
	server   *http.Server
	toHub    *http.Transport
	done     chan struct{}
}

// open listens where the shims look for their hub.
func (l *Lossy) open(d config.Discovery) (*proxy, error) {
	listener, err := net.Listen("unix", l.Path.Socket())
	if err != nil {
		return nil, err
	}
	p := &proxy{instance: d.Instance, done: make(chan struct{}), toHub: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.Socket)
		}}}
	p.server = &http.Server{Handler: l.handler(p.toHub), ReadHeaderTimeout: patience}
	seen := d
	seen.Socket = l.Path.Socket()
	if err := config.WriteDiscovery(l.Path, seen); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	go func() {
		defer close(p.done)
		_ = p.server.Serve(listener) // ends with close
	}()
	return p, nil
}

func (p *proxy) close() {
	if p == nil {
		return
	}
	_ = p.server.Close() // removes the socket too
	p.toHub.CloseIdleConnections()
	<-p.done
}

// handler passes a request to the hub and then, by the odds, drops the
// connection in place of the reply. A hub that does not answer is shown to the
// shim as what it is: a closed connection.
func (l *Lossy) handler(hub http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Transport: hub,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", "hub", r.In.Host
		},
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			if l.lose() {
				return errors.New("lost on purpose")
			}
			body = bytes.ReplaceAll(body, []byte(l.hub.Dir), []byte(l.Dir)) // the home that the hub says it serves
			res.Body = io.NopCloser(bytes.NewReader(body))
			res.ContentLength = int64(len(body))
			res.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}
