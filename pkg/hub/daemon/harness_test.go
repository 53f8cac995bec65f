package daemon_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// The test binary plays a hub process when this is set.
const roleKey = "COORD_DAEMON_TEST_ROLE"

// quickExit spares a child the second that the race detector waits at exit.
const quickExit = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	switch os.Getenv(roleKey) {
	case "hub":
		os.Exit(playHub())
	case "broken hub":
		fmt.Fprintln(os.Stderr, "a first line")
		fmt.Fprintln(os.Stderr, "coord-hub: the disk is gone; buy another")
		os.Exit(1)
	default:
		goleak.VerifyTestMain(m)
	}
}

// playHub serves the home of the environment until a signal or a request ends
// it, and says "up" when it has started.
func playHub() int {
	syscall.Umask(0) // nothing may depend on it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	home, err := config.Find(os.Getenv, "")
	if err == nil {
		var d *daemon.Daemon
		up := func(config.Discovery) { fmt.Println("up") }
		if d, err = daemon.New(daemon.Options{Home: home, Version: "1.2.3", Up: up}); err == nil {
			err = d.Run(ctx)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "coord-hub:", err)
		return 1
	}
	return 0
}

// newHome makes a home with a path short enough for its sockets.
func newHome(t *testing.T) config.Home {
	t.Helper()
	dir, err := os.MkdirTemp("", "coord-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	home, err := config.Find(func(key string) string {
		if key == "COORDINATOR_HOME" {
			return filepath.Join(dir, "home")
		}
		return ""
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	return home
}

func newDaemon(t *testing.T, o daemon.Options) *daemon.Daemon {
	t.Helper()
	d, err := daemon.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// start brings a hub up that stops with the test.
func start(t *testing.T, o daemon.Options) *daemon.Daemon {
	t.Helper()
	d := newDaemon(t, o)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d
}

// running is a Daemon.Run on its way.
type running struct {
	*daemon.Daemon
	end  context.CancelFunc
	up   chan config.Discovery // capacity 1
	done chan error            // capacity 1
}

func run(t *testing.T, o daemon.Options) *running {
	t.Helper()
	up := make(chan config.Discovery, 1)
	o.Up = func(d config.Discovery) { up <- d }
	d := newDaemon(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{d, cancel, up, make(chan error, 1)}
	go func() { r.done <- d.Run(ctx) }()
	t.Cleanup(cancel)
	return r
}

// started waits until the hub answers.
func (r *running) started(t *testing.T) {
	t.Helper()
	select {
	case <-r.up:
	case <-time.After(20 * time.Second):
		t.Fatal("the hub is not up after 20 s")
	}
}

// ended waits for the end of Run.
func (r *running) ended(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the hub has not ended within 20 s")
		return nil
	}
}

// dial gives a client that closes with the test.
func dial(t *testing.T, home config.Home) *client.Client {
	c := client.Dial(home.Socket())
	t.Cleanup(c.Close)
	return c
}

func registration(label string) coord.Registration {
	return coord.Registration{Client: coord.ClientInfo{Name: "test"}, Project: "shop", Workspace: "h-1:/shop", Host: "h-1", Label: label}
}

// hubProcess is the test binary as a hub of its own.
type hubProcess struct {
	*exec.Cmd
	stderr strings.Builder
}

// spawn starts a hub process and waits until it is up.
func spawn(t *testing.T, home config.Home) *hubProcess {
	t.Helper()
	p := &hubProcess{Cmd: exec.Command(self(t))} // #nosec G204 -- the test binary itself
	p.Env = append(os.Environ(), roleKey+"=hub", quickExit, "COORDINATOR_HOME="+home.Dir())
	p.Cmd.Stderr = &p.stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() }) // an error: it has ended
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "up\n" {
		t.Fatalf("the hub process says %q, %v, %s", line, err, p.stderr.String())
	}
	return p
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// mqtt opens an MQTT connection and waits for its CONNACK.
func mqtt(t *testing.T, network, address, id, password string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	text := func(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }
	// Protocol 3.1.1, flags: username, password, clean session; keep-alive 60 s.
	body := text("MQTT") + "\x04\xc2\x00\x3c" + text(id) + text("shop") + text(password)
	if _, err := conn.Write(append([]byte{0x10, byte(len(body))}, body...)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4)
	if _, err := conn.Read(answer); err != nil || answer[0] != 0x20 || answer[3] != 0 {
		t.Fatalf("CONNECT is answered %x, %v", answer, err)
	}
	return conn
}

// missing fails the test for each file that is there.
func missing(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there (%v)", name, err)
		}
	}
}

// logTo collects what a hub logs.
func logTo(b *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
