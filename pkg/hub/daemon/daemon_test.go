package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/auth"
	"github.com/coordhq/coord/pkg/hub/daemon"
	"github.com/coordhq/coord/pkg/process"
)

func TestAHubAnswersAtEveryDoorAndSaysWhere(t *testing.T) {
	home := newHome(t)
	d := start(t, daemon.Options{Home: home, Version: "1.2.3", Member: "mia"})
	found, err := config.ReadDiscovery(home)
	if err != nil {
		t.Fatal(err)
	}
	me := process.Self()
	want := config.Discovery{PID: me.PID, PIDStart: me.Start, Version: "1.2.3", Protocol: config.Protocol, DataDir: home.DataDir(), Socket: home.Socket(), MQTTSocket: home.MQTTSocket()}
	if diff := cmp.Diff(want, found, cmpopts.IgnoreFields(found, "Instance", "HTTP", "MQTT", "StartedAt")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(d.Discovery(), found); diff != "" {
		t.Error(diff)
	}
	c := dial(t, home)
	hello, err := c.Hello(t.Context())
	if err != nil || hello.Instance != found.Instance || hello.Home != home.Dir() || hello.Epoch == "" || hello.Draining {
		t.Errorf("hello: %+v, %v", hello, err)
	}
	token, err := auth.LoadToken(home)
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, found.HTTP, "/api/hello", token); got != http.StatusOK {
		t.Errorf("hello over TCP: %d", got)
	}
	if got := get(t, found.HTTP, "/readyz", token); got != http.StatusOK {
		t.Errorf("ready: %d", got)
	}
	r, err := c.Register(t.Context(), registration("alice"))
	if err != nil {
		t.Fatal(err)
	}
	mqtt(t, "unix", home.MQTTSocket(), string(r.AgentID)+"-1", string(r.SessionKey))
	mqtt(t, "tcp", found.MQTT, "other", token)
	s, err := daemon.Ask(t.Context(), home)
	if err != nil || s.MQTT.Connections != 2 || s.Daemon.PID != me.PID || s.Daemon.HTTP != found.HTTP || s.Hub.Instance != found.Instance {
		t.Errorf("status: %+v, %v", s, err)
	}
}

// get asks over TCP with a bearer.
func get(t *testing.T, addr, path, bearer string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestAStoppedHubLeavesNothingBehind(t *testing.T) {
	home := newHome(t)
	first := start(t, daemon.Options{Home: home})
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	missing(t, home.Discovery(), home.Socket(), home.MQTTSocket())
	if _, err := os.Stat(home.Database() + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the write-ahead log is not folded in: %v", err)
	}
	second := start(t, daemon.Options{Home: home})
	if second.Discovery().Instance == first.Discovery().Instance {
		t.Error("two hubs of one instance id")
	}
}

func TestASecondHubByHandIsToldWhatToDo(t *testing.T) {
	home := newHome(t)
	first := start(t, daemon.Options{Home: home, Version: "1.2.3"})
	err := newDaemon(t, daemon.Options{Home: home}).Start(t.Context())
	for _, words := range []string{"pid " + strconv.Itoa(os.Getpid()), "version 1.2.3", home.Dir(), "coord-hub restart"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v; want it to name %q", err, words)
		}
	}
	if !errors.Is(err, daemon.ErrTaken) || coord.CodeOf(err) != coord.Conflict {
		t.Errorf("%v is no conflict", err)
	}
	stillServes(t, home, first)
}

func stillServes(t *testing.T, home config.Home, d *daemon.Daemon) {
	t.Helper()
	h, err := dial(t, home).Hello(t.Context())
	if err != nil || h.Instance != d.Discovery().Instance || h.Draining {
		t.Errorf("the first hub suffers: %+v, %v", h, err)
	}
	if now, err := config.ReadDiscovery(home); err != nil || now.Instance != d.Discovery().Instance {
		t.Errorf("its hub.json suffers: %+v, %v", now, err)
	}
}

func TestOfManyAutoStartedHubsOneStaysAndTheOthersGiveWayQuietly(t *testing.T) {
	home := newHome(t)
	const many = 20
	up, done := make(chan config.Discovery, many), make(chan error, many)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range many {
		d := newDaemon(t, daemon.Options{Home: home, Auto: true, Up: func(d config.Discovery) { up <- d }})
		go func() { done <- d.Run(ctx) }()
	}
	for range many - 1 {
		if err := <-done; err != nil {
			t.Errorf("a hub that gives way: %v", err)
		}
	}
	winner := <-up
	if h, err := dial(t, home).Hello(t.Context()); err != nil || h.Instance != winner.Instance {
		t.Errorf("%+v answers, %v; want %s", h, err, winner.Instance)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(up) > 0 {
		t.Errorf("%d more hubs were up", len(up))
	}
	missing(t, home.Discovery(), home.Socket())
}

func TestABusyPortIsReplacedUnlessItWasChosen(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	for name, o := range map[string]daemon.Options{
		"http": {HTTP: daemon.Port{Number: port}},
		"mqtt": {MQTT: daemon.Port{Number: port}},
	} {
		t.Run(name+" default", func(t *testing.T) {
			o := o
			o.Home = newHome(t)
			d := start(t, o)
			for _, addr := range []string{d.Discovery().HTTP, d.Discovery().MQTT} {
				if addr == "" || addr == busy.Addr().String() {
					t.Errorf("listens on %q", addr)
				}
			}
		})
		t.Run(name+" chosen", func(t *testing.T) {
			o := o
			o.Home = newHome(t)
			o.HTTP.Chosen, o.MQTT.Chosen = o.HTTP.Number != 0, o.MQTT.Number != 0
			err := newDaemon(t, o).Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), "port "+strconv.Itoa(port)+" of 127.0.0.1 is taken by another program") {
				t.Errorf("got %v", err)
			}
			missing(t, o.Home.Socket(), o.Home.MQTTSocket(), o.Home.Discovery())
			start(t, daemon.Options{Home: o.Home}) // the lock is free again
		})
	}
}

func TestAChosenPortIsUsed(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().(*net.TCPAddr)
	_ = free.Close()
	d := start(t, daemon.Options{Home: newHome(t), HTTP: daemon.Port{Number: addr.Port, Chosen: true}})
	if d.Discovery().HTTP != addr.String() {
		t.Errorf("listens on %s, want %s", d.Discovery().HTTP, addr)
	}
}

func TestOtherMachinesAreNeverLetIn(t *testing.T) {
	for _, bind := range []string{"0.0.0.0", "::", "192.0.2.1", "example.com", "localhost"} {
		_, err := daemon.New(daemon.Options{Home: newHome(t), Bind: bind})
		if coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), "needs team authentication") {
			t.Errorf("%s: %v", bind, err)
		}
	}
}

func TestAKilledHubIsInNobodysWay(t *testing.T) {
	home := newHome(t)
	p := spawn(t, home)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait() // "killed"
	for _, name := range []string{home.Socket(), home.MQTTSocket(), home.Discovery()} {
		if _, err := os.Lstat(name); err != nil {
			t.Fatalf("the test needs what the kill has left: %v", err)
		}
	}
	d := start(t, daemon.Options{Home: home})
	stillServes(t, home, d)
}

func TestADiscoveryFileThatNamesALivingStrangerIsNotBelieved(t *testing.T) {
	home := newHome(t)
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	lie := config.Discovery{PID: os.Getpid(), PIDStart: process.Self().Start, Instance: "hub-old"}
	if err := config.WriteDiscovery(home, lie); err != nil {
		t.Fatal(err)
	}
	d := start(t, daemon.Options{Home: home})
	stillServes(t, home, d)
}

func TestWhatIsInTheWayOfASocketIsNotRemoved(t *testing.T) {
	for name, plant := range map[string]func(t *testing.T, path string){
		"is not a socket": func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a program answers": func(t *testing.T, path string) {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := newHome(t)
			if err := home.Prepare(); err != nil {
				t.Fatal(err)
			}
			plant(t, home.MQTTSocket())
			err := newDaemon(t, daemon.Options{Home: home}).Start(t.Context())
			if coord.CodeOf(err) != coord.Conflict || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Lstat(home.MQTTSocket()); err != nil {
				t.Error("it is gone")
			}
			missing(t, home.Socket(), home.Discovery())
		})
	}
}

func TestAHomeThatOthersCouldTouchIsRefused(t *testing.T) {
	home := newHome(t)
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(home.Dir(), "target")
	if err := os.Symlink(target, home.LockFile()); err != nil {
		t.Fatal(err)
	}
	if err := newDaemon(t, daemon.Options{Home: home}).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot lock") {
		t.Errorf("a lock file that is a symbolic link: %v", err)
	}
	missing(t, target)
	if err := os.Chmod(home.Dir(), 0o777); err != nil { // #nosec G302 -- what the test is about
		t.Fatal(err)
	}
	if err := newDaemon(t, daemon.Options{Home: home}).Start(t.Context()); coord.CodeOf(err) != coord.Forbidden {
		t.Errorf("a home open to others: %v", err)
	}
}

func TestNothingIsReadableByOthersWhateverTheUmask(t *testing.T) {
	home := newHome(t)
	p := spawn(t, home) // under umask 000
	c := dial(t, home)
	for i := range 20 {
		r, err := c.Register(t.Context(), registration("a"+strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(t.Context(), r.SessionKey, "announce_work", json.RawMessage(`{"subject":"w","target_files":["x.go"]}`), "k"); err != nil {
			t.Fatal(err)
		}
	}
	var seen int
	err := filepath.WalkDir(home.Dir(), func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		seen++
		return err
	})
	if err != nil || seen < 10 {
		t.Errorf("%d files, %v", seen, err)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("%v: %s", err, p.stderr.String())
	}
}

func TestTwoHubsInOneProcessKnowNothingOfEachOther(t *testing.T) {
	var clients []*client.Client
	for range 2 {
		home := newHome(t)
		start(t, daemon.Options{Home: home})
		clients = append(clients, dial(t, home))
	}
	r, err := clients[0].Register(t.Context(), registration("alice"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clients[1].Call(t.Context(), r.SessionKey, "list_agents", nil, ""); coord.CodeOf(err) != coord.Unauthorized {
		t.Errorf("the other hub takes the key: %v", err)
	}
	if _, err := clients[0].Call(t.Context(), r.SessionKey, "list_agents", nil, ""); err != nil {
		t.Error(err)
	}
}

func TestStateOutlivesTheHub(t *testing.T) {
	home := newHome(t)
	first := start(t, daemon.Options{Home: home})
	c := dial(t, home)
	r, err := c.Register(t.Context(), registration("alice"))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	start(t, daemon.Options{Home: home})
	if _, err := c.Call(t.Context(), r.SessionKey, "list_agents", nil, ""); err != nil {
		t.Errorf("the session is lost: %v", err)
	}
}
