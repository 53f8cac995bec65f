package spawn_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
)

// The test binary is also the hub: spawn starts it with "serve --auto".
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "serve" || os.Args[1] == "--version") {
		os.Exit(fakeHub(os.Args[1]))
	}
	goleak.VerifyTestMain(m)
}

// script tells the fake hub what to be. It lies in the home, since the
// environment of a hub is scrubbed.
type script struct {
	Version  string `json:"version"`
	Protocol int    `json:"protocol"`
	Say      string `json:"say"`    // on stderr, before anything else
	Log      string `json:"log"`    // into the log file, before anything else
	Exit     int    `json:"exit"`   // leave at once with this code
	Mute     bool   `json:"mute"`   // accept connections, never answer
	Refuse   bool   `json:"refuse"` // 409 to a request to stop
	Linger   bool   `json:"linger"` // hold the lock until two more hubs were launched
}

func scriptFile(home string) string { return filepath.Join(home, "script.json") }

func fakeHub(verb string) int {
	home, err := config.Find(os.Getenv, dataDirFlag())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	sc := script{Version: "v1.0.0", Protocol: config.Protocol}
	raw, err := os.ReadFile(scriptFile(home.Dir()))
	if err == nil {
		err = json.Unmarshal(raw, &sc)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if verb == "--version" {
		fmt.Println("coord-hub " + sc.Version + " (protocol 1)")
		return 0
	}
	if err := serve(home, sc); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return sc.Exit
}

func dataDirFlag() string {
	for i, a := range os.Args {
		if a == "--data-dir" {
			return os.Args[i+1]
		}
	}
	return ""
}

// serve does what a hub does about its lock and socket, and notes what it got.
func serve(home config.Home, sc script) error {
	if err := home.Prepare(); err != nil {
		return err
	}
	if err := note(home, "launched"); err != nil {
		return err
	}
	fmt.Fprint(os.Stderr, sc.Say)
	if err := os.WriteFile(home.LogFile(), []byte(sc.Log), 0o600); err != nil {
		return err
	}
	if sc.Exit != 0 {
		return nil
	}
	lock := flock.New(home.LockFile())
	if locked, err := lock.TryLock(); err != nil || !locked {
		return err // somebody else is the hub
	}
	defer lock.Close()
	if err := os.Remove(home.Socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", home.Socket())
	if err != nil {
		return err
	}
	if err := note(home, "served"); err != nil {
		return err
	}
	h := &hub{home: home, script: sc, instance: fmt.Sprintf("i-%d", os.Getpid()), stop: make(chan struct{})}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		select {
		case <-h.stop:
		case <-time.After(time.Minute): // a test that died must not leave us behind
		}
		_ = server.Close() // also removes the socket
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	for sc.Linger && launches(home) < 3 {
		time.Sleep(time.Millisecond) // another process: nothing to wait on
	}
	return nil
}

// launches counts the hubs that were launched in the home.
func launches(home config.Home) int {
	raw, err := os.ReadFile(filepath.Join(home.Dir(), "launched"))
	if err != nil {
		return 0
	}
	return strings.Count(string(raw), "\n")
}

// note appends a line about this process to a file of the home.
func note(home config.Home, what string) error {
	f, err := os.OpenFile(filepath.Join(home.Dir(), what), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return err
	}
	line, err := json.Marshal(process{PID: os.Getpid(), Args: os.Args[1:], Env: os.Environ(), Cwd: cwd})
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// process is what a fake hub found itself to be.
type process struct {
	PID  int
	Args []string
	Env  []string
	Cwd  string
}

func processes(t *testing.T, home config.Home, what string) []process {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(home.Dir(), what))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []process
	for line := range strings.Lines(string(raw)) {
		var p process
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

type hub struct {
	home     config.Home
	script   script
	instance string
	stop     chan struct{}
	once     sync.Once
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.script.Mute {
		<-h.stop
		return
	}
	switch r.URL.Path {
	case "/api/hello":
		_ = json.NewEncoder(w).Encode(client.Hello{Instance: h.instance, Version: h.script.Version, Protocol: h.script.Protocol, PID: os.Getpid(), Home: h.home.Dir()})
	case "/api/stop":
		if h.script.Refuse {
			w.WriteHeader(http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		h.once.Do(func() { close(h.stop) })
	}
}
