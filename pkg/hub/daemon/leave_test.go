package daemon_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/tool"
)

func TestAnAutoStartedHubLeavesWhenNobodyUsesIt(t *testing.T) {
	home := newHome(t)
	const idle = 150 * time.Millisecond
	r := run(t, daemon.Options{Home: home, Auto: true, IdleTimeout: idle})
	r.started(t)
	c := dial(t, home)
	in, err := c.Register(t.Context(), registration("alice"))
	if err != nil {
		t.Fatal(err)
	}
	// A request at work, and then a connection of the broker, keep it.
	if _, err := c.Call(t.Context(), in.SessionKey, tool.WaitForMessage.Name, json.RawMessage(`{"timeout_seconds":0.5}`), ""); err != nil {
		t.Errorf("a hub with a request at work has left: %v", err)
	}
	conn := mqtt(t, "unix", home.MQTTSocket(), string(in.AgentID)+"-1", string(in.SessionKey))
	outlived(t, 3*idle)
	select {
	case err := <-r.done:
		t.Fatalf("a hub with an MQTT connection has left: %v", err)
	default:
	}
	closed := time.Now()
	_ = conn.Close()
	if err := r.ended(t); err != nil {
		t.Error(err)
	}
	if took := time.Since(closed); took < idle*9/10 {
		t.Errorf("left %v after its last connection, want %v", took, idle)
	}
	missing(t, home.Discovery(), home.Socket())
}

// outlived returns when an auto-started hub that nobody uses has left: one that
// began earlier and is not used either would have, too.
func outlived(t *testing.T, idle time.Duration) {
	t.Helper()
	r := run(t, daemon.Options{Home: newHome(t), Auto: true, IdleTimeout: idle})
	if err := r.ended(t); err != nil {
		t.Error(err)
	}
}

func TestAHubByHandStays(t *testing.T) {
	home := newHome(t)
	r := run(t, daemon.Options{Home: home, IdleTimeout: time.Millisecond})
	r.started(t)
	outlived(t, time.Millisecond)
	select {
	case err := <-r.done:
		t.Fatalf("left: %v", err)
	default:
	}
	r.end()
	if err := r.ended(t); err != nil {
		t.Error(err)
	}
}

// A hub that leaves whenever it is idle for a moment loses no call: what was
// acknowledged is there once, and what was refused has not happened.
func TestNoCallIsLostToAHubThatLeaves(t *testing.T) {
	home := newHome(t)
	const workers, callsEach = 4, 40
	var exits atomic.Int32
	over := make(chan struct{})
	var hubs sync.WaitGroup
	hubs.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			d, err := daemon.New(daemon.Options{Home: home, Auto: true, IdleTimeout: 3 * time.Millisecond})
			if err == nil {
				err = d.Run(t.Context())
			}
			if err != nil {
				t.Error(err)
				return
			}
			exits.Add(1)
		}
	})
	acked, refused := make([][]string, workers), make([][]string, workers)
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			c := client.Dial(home.Socket())
			defer c.Close()
			for i := range callsEach {
				time.Sleep(time.Duration(w+1) * 2 * time.Millisecond) // so that the hub is idle now and then
				for try := 0; ; try++ {
					label := fmt.Sprintf("w%d-%d-%d", w, i, try)
					_, err := c.Register(t.Context(), registration(label))
					if err == nil {
						acked[w] = append(acked[w], label)
						break
					}
					if coord.CodeOf(err) != coord.Unavailable {
						t.Errorf("%s: %v", label, err)
						return
					}
					if !client.Sent(err) {
						refused[w] = append(refused[w], label)
					}
				}
			}
		})
	}
	working.Wait()
	close(over)
	hubs.Wait()
	there := labels(t, start(t, daemon.Options{Home: home}))
	for _, label := range slices.Concat(acked...) {
		if there[label] != 1 {
			t.Errorf("%s was acknowledged and is there %d times", label, there[label])
		}
	}
	for _, label := range slices.Concat(refused...) {
		if there[label] != 0 {
			t.Errorf("%s was refused and is there", label)
		}
	}
	if n := exits.Load(); n < 5 {
		t.Errorf("the hub has left %d times only", n)
	}
	t.Logf("%d exits, %d calls, %d of them refused first", exits.Load(), workers*callsEach, len(slices.Concat(refused...)))
}

// labels counts the agents the hub knows by the label they registered under.
func labels(t *testing.T, d *daemon.Daemon) map[string]int {
	t.Helper()
	c := client.Dial(d.Discovery().Socket)
	defer c.Close()
	me, err := c.Register(t.Context(), registration("reader"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for cursor := ""; ; {
		args, err := json.Marshal(map[string]any{"online_only": false, "limit": 200, "cursor": cursor})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.Call(t.Context(), me.SessionKey, tool.ListAgents.Name, args, "")
		if err != nil {
			t.Fatal(err)
		}
		var page tool.ListAgentsOut
		if err := json.Unmarshal(raw, &page); err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Agents {
			out[a.Name]++
		}
		if cursor = page.NextCursor; cursor == "" {
			return out
		}
	}
}

func TestEveryWayToEndIsTheSameEnd(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *hubProcess, *client.Client){
		"SIGTERM": func(t *testing.T, p *hubProcess, _ *client.Client) { send(t, p, syscall.SIGTERM) },
		"SIGINT":  func(t *testing.T, p *hubProcess, _ *client.Client) { send(t, p, os.Interrupt) },
		"stop": func(t *testing.T, _ *hubProcess, c *client.Client) {
			if err := c.Stop(t.Context(), "test"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := newHome(t)
			p := spawn(t, home)
			c := dial(t, home)
			r, err := c.Register(t.Context(), registration("alice"))
			if err != nil {
				t.Fatal(err)
			}
			// Somebody waits at the hub; that must not hold up the end.
			waited := make(chan error, 1)
			go func() {
				_, err := c.Call(t.Context(), r.SessionKey, tool.WaitForMessage.Name, json.RawMessage(`{"timeout_seconds":50}`), "")
				waited <- err
			}()
			mqtt(t, "unix", home.MQTTSocket(), string(r.AgentID)+"-1", string(r.SessionKey))
			begun := time.Now()
			end(t, p, c)
			if err := p.Wait(); err != nil {
				t.Errorf("%v: %s", err, p.stderr.String())
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("took %v, want at most 3 s", took)
			}
			if err := <-waited; coord.CodeOf(err) != coord.Unavailable {
				t.Errorf("who waited got %v", err)
			}
			missing(t, home.Discovery(), home.Socket(), home.MQTTSocket())
			if _, err := c.Hello(t.Context()); coord.CodeOf(err) != coord.Unavailable {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func send(t *testing.T, p *hubProcess, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestAHubThatWasAskedToLeaveSaysSoAndTakesNothingNew(t *testing.T) {
	home := newHome(t)
	start(t, daemon.Options{Home: home}) // without Run nobody acts on the request
	c := dial(t, home)
	if err := c.Stop(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	if h, err := c.Hello(t.Context()); err != nil || !h.Draining {
		t.Errorf("hello: %+v, %v; want draining", h, err)
	}
	_, err := c.Register(t.Context(), registration("late"))
	if coord.CodeOf(err) != coord.Unavailable || client.Sent(err) || !strings.Contains(err.Error(), "this hub is leaving") {
		t.Errorf("a new call: %v", err)
	}
}

func TestAnUpgradeUnderLoadLosesNothing(t *testing.T) {
	home := newHome(t)
	c := dial(t, home)
	hub := run(t, daemon.Options{Home: home})
	hub.started(t)
	me, err := c.Register(t.Context(), registration("alice"))
	if err != nil {
		t.Fatal(err)
	}
	const posts = 100
	var done atomic.Int32
	var working sync.WaitGroup
	for w := range 4 {
		working.Go(func() {
			for i := w; i < posts; i += 4 {
				key := fmt.Sprint("post-", i)
				args := fmt.Appendf(nil, `{"subject":"s","target_files":["f%d.go"]}`, i)
				for {
					_, err := c.Call(t.Context(), me.SessionKey, tool.AnnounceWork.Name, args, key)
					if err == nil {
						break
					}
					if coord.CodeOf(err) != coord.Unavailable {
						t.Error(err)
						return
					}
				}
				done.Add(1)
			}
		})
	}
	for range 3 {
		if err := c.Stop(t.Context(), "upgrade"); err != nil && coord.CodeOf(err) != coord.Unavailable {
			t.Error(err)
		}
		next := run(t, daemon.Options{Home: home}) // waits for the lock
		if err := hub.ended(t); err != nil {
			t.Error(err)
		}
		hub = next
		hub.started(t)
	}
	working.Wait()
	if done.Load() != posts {
		t.Errorf("%d of %d calls were acknowledged", done.Load(), posts)
	}
	// Each of them once: announcements are numbered without a gap.
	raw, err := c.Call(t.Context(), me.SessionKey, tool.AnnounceWork.Name, json.RawMessage(`{"subject":"last","target_files":["z.go"]}`), "last")
	var last tool.AnnounceWorkOut
	if err == nil {
		err = json.Unmarshal(raw, &last)
	}
	if want := coord.Number[coord.AnnouncementID]("A", posts+1); err != nil || last.AnnouncementID != want {
		t.Errorf("the next announcement is %s, %v; want %s", last.AnnouncementID, err, want)
	}
	hub.end()
	if err := hub.ended(t); err != nil {
		t.Error(err)
	}
}

func TestAHubWhoseHomeIsRemovedMakesRoomForTheNext(t *testing.T) {
	for name, remove := range map[string]func(lockFile, socket string) error{
		"lock file":    func(lockFile, _ string) error { return os.Remove(lockFile) },
		"replaced one": func(lockFile, _ string) error { return replace(lockFile) },
		"socket":       func(_, socket string) error { return os.Remove(socket) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := newHome(t)
			var log strings.Builder
			r := run(t, daemon.Options{Home: home, Log: logTo(&log)})
			r.started(t)
			if err := remove(home.LockFile(), home.Socket()); err != nil {
				t.Fatal(err)
			}
			if err := r.ended(t); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(home.MQTTSocket()); (err == nil) != (name != "socket") {
				t.Errorf("a socket that may be the next hub's: %v", err) // only who holds the lock may unlink
			}
			if !strings.Contains(log.String(), "was removed") {
				t.Errorf("the log does not say why: %s", log.String())
			}
			next := start(t, daemon.Options{Home: home})
			stillServes(t, home, next)
		})
	}
}

func TestTheDiscoveryFileOfAnotherHubStays(t *testing.T) {
	home := newHome(t)
	d := start(t, daemon.Options{Home: home})
	next := config.Discovery{PID: 1, Instance: "hub-next"}
	if err := config.WriteDiscovery(home, next); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now, err := config.ReadDiscovery(home); err != nil || now.Instance != next.Instance {
		t.Errorf("hub.json is about %+v, %v", now, err)
	}
}

func replace(name string) error {
	if err := os.Remove(name); err != nil {
		return err
	}
	return os.WriteFile(name, nil, 0o600)
}

func TestSpawnStartsAHubThatStopHubEnds(t *testing.T) {
	home := newHome(t)
	env := append(os.Environ(), roleKey+"=hub", quickExit, "COORDINATOR_HOME="+home.Dir())
	s, err := daemon.Spawn(t.Context(), daemon.SpawnOptions{Home: home, Program: self(t), Args: []string{"serve"}, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if s.Daemon.PID == os.Getpid() || s.Hub.Version != "1.2.3" {
		t.Errorf("status %+v", s)
	}
	hello, err := daemon.StopHub(t.Context(), home, "test")
	if err != nil || hello.PID != s.Daemon.PID || process.Alive(coord.Process{PID: s.Daemon.PID}) {
		t.Errorf("stopped %+v, %v; alive: %v", hello, err, process.Alive(coord.Process{PID: s.Daemon.PID}))
	}
	for what, ask := range map[string]func() error{
		"status": func() error { _, err := daemon.Ask(t.Context(), home); return err },
		"stop":   func() error { _, err := daemon.StopHub(t.Context(), home, "test"); return err },
	} {
		if err := ask(); !isNotRunning(err, home.Dir()) {
			t.Errorf("%s of no hub: %v", what, err)
		}
	}
}
