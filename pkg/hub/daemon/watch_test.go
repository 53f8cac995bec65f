package daemon_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

// Somebody who looks on keeps an Auto hub; it leaves once nobody does, and an
// open stream does not hold it up when it is told to leave.
func TestAnOpenStreamKeepsAnAutoHub(t *testing.T) {
	home := newHome(t)
	const idle = 200 * time.Millisecond
	r := run(t, daemon.Options{Home: home, Auto: true, IdleTimeout: idle})
	r.started(t)
	conn, err := net.Dial("unix", home.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "GET /api/events?state=1 HTTP/1.1\r\nHost: hub\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry:") {
		t.Fatalf("%q %v", line, err)
	}
	select {
	case err := <-r.done:
		t.Fatalf("a hub that somebody looks at has left: %v", err)
	case <-time.After(3 * idle):
	}
	_ = conn.Close()
	if err := r.ended(t); err != nil {
		t.Error(err)
	}
}

// The link leads to the hub's own HTTP door.
func TestALinkIsAskedForOverTheSocket(t *testing.T) {
	home := newHome(t)
	d := start(t, daemon.Options{Home: home})
	link, err := daemon.Link(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(link.URL, "http://"+d.Discovery().HTTP+"/enter?once=") || link.Seconds != 60 {
		t.Errorf("the link is %+v", link)
	}
}

// A browser looks at one address: the hub that follows one that was killed, or
// has just left, takes its port, even if the usual one has become free.
func TestTheNextHubTakesThePortOfTheOneBefore(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprint("killed ", killed), func(t *testing.T) { takesThePort(t, killed) })
	}
}

func takesThePort(t *testing.T, killed bool) {
	t.Helper()
	home := newHome(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // somebody has the usual port
	if err != nil {
		t.Fatal(err)
	}
	usual := daemon.Port{Number: l.Addr().(*net.TCPAddr).Port}
	first := newDaemon(t, daemon.Options{Home: home, HTTP: usual})
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := first.Discovery()
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if killed {
		if err := config.WriteDiscovery(home, before); err != nil { // what a killed hub leaves behind
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := start(t, daemon.Options{Home: home, HTTP: usual}).Discovery().HTTP; got != before.HTTP {
		t.Errorf("the next hub is at %s, the one before was at %s", got, before.HTTP)
	}
}
