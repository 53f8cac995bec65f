package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/auth"
	"github.com/coordhq/coord/pkg/hub/broker"
	"github.com/coordhq/coord/pkg/hub/sqlite"
	"github.com/coordhq/coord/pkg/hub/stream"
	"github.com/coordhq/coord/pkg/hub/streamable"
	"github.com/coordhq/coord/pkg/hub/web"
	"github.com/coordhq/coord/pkg/process"
)

// step is what Stop does to take one thing down, in at most limit.
type step struct {
	name  string
	limit time.Duration
	do    func(context.Context) error
}

func (d *Daemon) later(name string, limit time.Duration, do func(context.Context) error) {
	d.undo = append(d.undo, step{name, limit, do})
}

// Start brings the hub up. When it returns nil the hub answers on its sockets
// and hub.json says so; on an error nothing is left. The error has ErrTaken in
// its chain when the home has a hub.
func (d *Daemon) Start(ctx context.Context) error {
	for _, up := range []func(context.Context) error{d.lockHome, d.readSecrets, d.openStore, d.buildRules, d.startQuota, d.openDoors, d.sweepAtTimes, d.publish} {
		if err := up(ctx); err != nil {
			return errors.Join(err, d.Stop(context.WithoutCancel(ctx)))
		}
	}
	d.o.Log.With("component", "spawn").Info("started", "by_session", d.o.Auto, "parent", os.Getppid(), "args", d.discovery.Args)
	d.log.Info("hub is up", "pid", d.discovery.PID, "home", d.o.Home.Dir(), "version", d.o.Version, "auto", d.o.Auto,
		"http", d.discovery.HTTP, "mqtt", d.discovery.MQTT)
	return nil
}

// Stop takes down what Start brought up: it lets the requests at work finish
// and no new one in. It is idempotent and bounded; the errors are joined.
func (d *Daemon) Stop(ctx context.Context) error {
	d.gate.close()
	d.stopping.Lock()
	defer d.stopping.Unlock()
	var errs []error
	for len(d.undo) > 0 {
		last := d.undo[len(d.undo)-1]
		d.undo = d.undo[:len(d.undo)-1]
		limited, cancel := context.WithTimeout(ctx, last.limit)
		if err := last.do(limited); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", last.name, err))
			d.log.Error("stopping", "step", last.name, "err", err)
		}
		cancel()
	}
	return errors.Join(errs...)
}

func (d *Daemon) lockHome(ctx context.Context) (err error) {
	if err := d.o.Home.Prepare(); err != nil {
		return err
	}
	if d.lock, err = acquire(ctx, d.o.Home); err != nil {
		return err
	}
	d.later("release the lock", time.Second, func(context.Context) error { return d.lock.release() })
	return nil
}

func (d *Daemon) readSecrets(context.Context) (err error) {
	if d.token, err = auth.LoadToken(d.o.Home); err != nil {
		return err
	}
	d.host, err = d.o.Home.HostID()
	return err
}

func (d *Daemon) openStore(ctx context.Context) (err error) {
	d.store, err = sqlite.Open(ctx, sqlite.Options{Path: d.o.Home.Database(), Durability: d.o.Durability, Keep: d.o.Keep, Log: d.o.Log})
	if err != nil {
		return err
	}
	d.later("close the database", 10*time.Second, func(context.Context) error { return d.store.Close() })
	return nil
}

// buildRules makes the broker, which publishes for the rules, and the rules,
// which know the broker's sessions.
func (d *Daemon) buildRules(ctx context.Context) (err error) {
	if err := d.buildMetrics(); err != nil {
		return err
	}
	d.broker, err = broker.New(broker.Options{
		Log:    d.o.Log,
		Member: d.o.Member,
		Pushed: d.metrics.Pushed,
		Token:  func(secret string) bool { return auth.Equal(secret, d.token) },
	})
	if err != nil {
		return err
	}
	d.later("stop the broker", 5*time.Second, d.broker.Stop)
	if d.events, err = stream.New(stream.Options{Next: d.broker, Store: d.store}); err != nil {
		return err
	}
	d.hub, err = hub.New(hub.Options{
		Store: d.store, Publisher: d.events, Statuses: d.broker, Meter: d.metrics, Log: d.o.Log,
		Version: d.o.Version, Instance: d.instance, Host: d.host, Alive: process.Alive, AgentLife: d.o.Keep.Agents,
	})
	if err != nil {
		return err
	}
	if err := d.hub.Start(ctx); err != nil {
		return err
	}
	d.later("stop the rules", 5*time.Second, d.hub.Stop)
	d.broker.SetSessions(d.hub)
	d.broker.SetEpoch(d.hub.Epoch())
	d.events.Begin(d.hub.Epoch(), d.hub.Head())
	return nil
}

// door is one listener of the hub and who serves it.
type door struct {
	net.Listener
	local bool
	mqtt  bool
}

// openDoors binds the unix sockets, which must work, and the TCP ports, without
// which local work goes on; then it lets callers in.
func (d *Daemon) openDoors(context.Context) error {
	d.discovery = d.describe()
	oldHTTP, oldMQTT := config.DoorsBefore(d.o.Home, coord.At(d.started))
	var open []door
	var closers []func() error
	d.later("close the doors", 2*time.Second, func(context.Context) error {
		var errs []error
		for _, c := range closers {
			if err := c(); !errors.Is(err, net.ErrClosed) { // who serves it has closed it before
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	})
	for _, unix := range []struct {
		path string
		mqtt bool
	}{{d.discovery.Socket, false}, {d.discovery.MQTTSocket, true}} {
		s, err := listenUnix(unix.path)
		if err != nil {
			return err
		}
		d.sockets = append(d.sockets, s)
		open = append(open, door{s.Listener, true, unix.mqtt})
		closers = append(closers, s.Close, d.unlink(s))
	}
	for _, tcp := range []struct {
		port    Port
		mqtt    bool
		address *string
		before  string
	}{{d.o.HTTP, false, &d.discovery.HTTP, oldHTTP}, {d.o.MQTT, true, &d.discovery.MQTT, oldMQTT}} {
		l, err := listenTCP(d.o.Bind, tcp.port, tcp.before)
		if err != nil && tcp.port.Chosen {
			return err
		}
		if err != nil {
			d.log.Warn("a TCP door stays closed", "err", err)
			continue
		}
		*tcp.address = l.Addr().String()
		open = append(open, door{l, false, tcp.mqtt})
		closers = append(closers, l.Close)
	}
	// Written before anybody is let in: whoever gets an answer finds it there.
	d.later("remove hub.json", time.Second, func(context.Context) error { return d.retract() })
	if err := config.WriteDiscovery(d.o.Home, d.discovery); err != nil {
		return err
	}
	return d.serve(open)
}

// unlink removes a socket, unless the lock is ours no longer: then what is
// under the name may be another hub's.
func (d *Daemon) unlink(s *socket) func() error {
	return func() error {
		if !d.lock.held() {
			return nil
		}
		return s.unlink()
	}
}

func (d *Daemon) serve(open []door) (err error) {
	d.mcp, err = streamable.New(streamable.Options{Rules: d.hub, Host: d.host, Version: d.o.Version, Log: d.o.Log})
	if err != nil {
		return err
	}
	d.web, err = web.New(web.Options{
		Rules: d.hub, Hello: d.hello, Facts: d.facts, Ready: d.ready, Stop: d.ask, Enter: d.gate.enter,
		Human: d.hub, MCP: d.mcp, MQTT: d.broker.Take, Events: d.events, Metrics: d.metrics.Handler(), Quota: d.quotaOrNil(), Prices: d.o.Prices,
		Token: d.token, Member: d.o.Member, OwnUID: os.Geteuid(), Log: d.o.Log,
	})
	if err != nil {
		return err
	}
	var serving sync.WaitGroup
	d.later("finish the requests at work", 5*time.Second, func(ctx context.Context) error {
		err := d.web.Stop(ctx)
		serving.Wait()
		return err
	})
	d.later("end the MCP sessions", 2*time.Second, d.mcp.Stop)
	for _, l := range open {
		if l.mqtt {
			if err := d.broker.Serve(l.Listener, l.local); err != nil {
				return err
			}
			continue
		}
		serving.Go(func() {
			if err := d.web.Serve(l.Listener, l.local); err != nil {
				d.log.Error("a door has failed", "address", l.Addr().String(), "err", err)
				d.ask("a door has failed")
			}
		})
	}
	return nil
}

// publish shakes hands with the hub itself; from then on there is one again,
// whatever the user has stopped before.
func (d *Daemon) publish(ctx context.Context) error {
	c := client.Dial(d.discovery.Socket)
	defer c.Close()
	hello, err := c.Hello(ctx)
	if err != nil {
		return err
	}
	if hello.Instance != d.instance {
		return coord.Errorf(coord.Conflict, "try again", "another hub answers at %s", d.discovery.Socket)
	}
	return config.ClearStopped(d.o.Home)
}

// retract removes hub.json if it is still about this hub.
func (d *Daemon) retract() error {
	if now, err := config.ReadDiscovery(d.o.Home); err != nil || now.Instance != d.instance {
		return nil
	}
	return errors.Join(config.KeepDoors(d.o.Home, d.discovery, coord.At(time.Now())), os.Remove(d.o.Home.Discovery()))
}
