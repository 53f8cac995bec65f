package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/broker"
	"github.com/coordhq/coord/pkg/hub/metrics"
	"github.com/coordhq/coord/pkg/hub/quota"
	"github.com/coordhq/coord/pkg/hub/sqlite"
	"github.com/coordhq/coord/pkg/hub/stream"
	"github.com/coordhq/coord/pkg/hub/streamable"
	"github.com/coordhq/coord/pkg/hub/web"
	"github.com/coordhq/coord/pkg/process"
)

// Options say which hub to run.
type Options struct {
	Home    config.Home    // required
	Version string         // shown to clients; "" = "dev"
	Member  coord.MemberID // the user of this hub; "" = the OS user

	Auto        bool          // started by a shim or hook: give way to a running hub without an error, leave when idle
	IdleTimeout time.Duration // an Auto hub leaves after this long without use; 0 = 10 min

	Bind       string // loopback address of the TCP doors; "" = 127.0.0.1
	HTTP, MQTT Port   // the zero Port is any free one
	Durability string // "full" or "normal"; "" = "full"

	Quota    bool          // ask for the use of the user's plan
	QuotaURL string        // where instead of the Anthropic API; "" = there
	Prices   config.Prices // of models; nil = costs are not shown
	Keep     Keep          // how long is kept what is no longer live
	Sweep    time.Duration // what is too old is deleted this often; 0 = 10 min, and soon after the start

	Args []string               // of "coord-hub serve", in status and hub.json for who starts it again
	Up   func(config.Discovery) // called by Run once the hub answers; nil = nothing
	Log  *slog.Logger           // nil = discard
}

// Keep says how long is kept what is no longer live; zero fields are the usual times.
type Keep = sqlite.Keep

func (o *Options) validate() error {
	if o.Home.Dir() == "" {
		return errors.New("daemon: Options.Home is missing")
	}
	if o.IdleTimeout < 0 {
		return errors.New("daemon: Options.IdleTimeout is negative")
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 10 * time.Minute
	}
	if o.Sweep < 0 {
		return errors.New("daemon: Options.Sweep is negative")
	}
	if o.Sweep == 0 {
		o.Sweep = 10 * time.Minute
	}
	if o.Bind == "" {
		o.Bind = "127.0.0.1"
	}
	if o.Member == "" {
		o.Member = osUser()
	}
	if o.Up == nil {
		o.Up = func(config.Discovery) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return checkBind(o.Bind)
}

func osUser() coord.MemberID {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return coord.MemberID(u.Username)
	}
	return coord.MemberID("uid-" + strconv.Itoa(os.Getuid()))
}

// Daemon is one hub process. Several may live in one program, each in a home of
// its own.
type Daemon struct {
	o        Options
	log      *slog.Logger
	instance string
	started  time.Time
	gate     *gate
	asked    chan string // why to leave; capacity 1, the first reason counts

	stopping sync.Mutex // held by Stop for its whole run
	undo     []step     // what Stop does, last first; guarded by stopping once Start has returned

	// Set by Start.
	lock      *lock
	token     string
	host      coord.HostID
	store     *sqlite.Store
	broker    *broker.Broker
	events    *stream.Log
	hub       *hub.Hub
	mcp       *streamable.Handler
	quota     *quota.Meter // nil = off
	metrics   *metrics.Metrics
	web       *web.Server
	sockets   []*socket
	discovery config.Discovery
}

// New checks the options.
func New(o Options) (*Daemon, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Daemon{
		o:        o,
		log:      o.Log.With("component", "daemon"),
		instance: "hub-" + strings.ToLower(rand.Text()[:12]),
		started:  time.Now(),
		gate:     newGate(),
		asked:    make(chan string, 1),
	}, nil
}

// Run starts the hub and stops it when ctx ends, when it is asked to leave, or
// when an Auto hub is idle. An Auto hub that finds another one at work returns
// nil at once.
func (d *Daemon) Run(ctx context.Context) error {
	err := d.Start(ctx)
	if errors.Is(err, ErrTaken) && d.o.Auto {
		return nil
	}
	if err != nil {
		return err
	}
	d.o.Up(d.discovery)
	d.log.Info("leaving", "reason", d.wait(ctx))
	return d.Stop(context.WithoutCancel(ctx))
}

// Discovery tells who the hub is and where it listens, once it has started.
func (d *Daemon) Discovery() config.Discovery { return d.discovery }

// ask makes Run end. It never blocks; new requests are refused from here on.
func (d *Daemon) ask(reason string) {
	d.gate.close()
	select {
	case d.asked <- reason:
	default:
	}
}

// homeCheck is how often a hub looks whether its home is still there.
const homeCheck = 2 * time.Second

// wait gives the reason to leave when there is one.
func (d *Daemon) wait(ctx context.Context) (reason string) {
	home := time.NewTicker(homeCheck)
	defer home.Stop()
	idle := time.NewTicker(min(max(d.o.IdleTimeout/20, time.Millisecond), homeCheck))
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return "signal"
		case reason := <-d.asked:
			return reason
		case <-home.C:
			if !d.intact() {
				return "the lock file or a socket of the home was removed"
			}
		case <-idle.C:
			if d.o.Auto && d.gate.closeIfIdle(d.o.IdleTimeout, d.connections) {
				return "idle"
			}
		}
	}
}

// intact reports whether others can still find this hub. Without its lock file
// or sockets a second hub would start beside it, or none could.
func (d *Daemon) intact() bool {
	for _, s := range d.sockets {
		if !s.bound() {
			return false
		}
	}
	return d.lock.held()
}

// connections counts what keeps an Auto hub from leaving: connections of the
// broker and MCP sessions.
func (d *Daemon) connections() int { return d.broker.Stats().Connections + d.mcp.Sessions() }

func (d *Daemon) hello() client.Hello {
	return client.Hello{
		Instance: d.instance,
		Version:  d.o.Version,
		Protocol: config.Protocol,
		PID:      os.Getpid(),
		Home:     d.o.Home.Dir(),
		DataDir:  d.o.Home.DataDir(),
		Epoch:    d.hub.Epoch(),
		Draining: d.gate.isClosed(),
	}
}

func (d *Daemon) facts() web.Facts {
	return web.Facts{
		PID:           os.Getpid(),
		Home:          d.o.Home.Dir(),
		DataDir:       d.o.Home.DataDir(),
		Log:           d.o.Home.LogFile(),
		Auto:          d.o.Auto,
		Args:          d.o.Args,
		UptimeSeconds: int64(time.Since(d.started).Seconds()),
		Protocol:      config.Protocol,
		Socket:        d.discovery.Socket,
		MQTTSocket:    d.discovery.MQTTSocket,
		HTTP:          d.discovery.HTTP,
		MQTT:          d.discovery.MQTT,
		Quota:         d.o.Quota,
	}
}

// ready asks the database for something.
func (d *Daemon) ready(ctx context.Context) error {
	if _, err := d.store.Events(ctx, "", 0, 1); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

func (d *Daemon) describe() config.Discovery {
	me := process.Self()
	return config.Discovery{
		PID:        me.PID,
		PIDStart:   me.Start,
		Instance:   d.instance,
		Version:    d.o.Version,
		Protocol:   config.Protocol,
		Auto:       d.o.Auto,
		Args:       d.o.Args,
		DataDir:    d.o.Home.DataDir(),
		Socket:     d.o.Home.Socket(),
		MQTTSocket: d.o.Home.MQTTSocket(),
		StartedAt:  coord.At(d.started),
	}
}
