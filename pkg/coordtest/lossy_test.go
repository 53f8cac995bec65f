package coordtest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/process"
)

// The proxy itself: each request reaches the hub once, some replies get lost,
// and it is there only while a hub is.
func TestLossyHomeLosesRepliesAndNoRequests(t *testing.T) {
	home := coordtest.NewHome(t)
	lossy := home.Lossy(1, 0.3)
	served := make(chan string, 1000)
	serveHub(t, home, served)
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", lossy.Path.Socket())
		}}}
	there := func() bool { _, err := os.Lstat(lossy.Path.Socket()); return err == nil }
	if !coordtest.Eventually(10*time.Second, there) {
		t.Fatal("the proxy has not found the hub")
	}
	lost := 0
	for n := range 100 {
		res, err := client.Post(fmt.Sprintf("http://hub/%d", n), "text/plain", nil)
		if err != nil {
			lost++
			continue
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if want := fmt.Sprintf("/%d at %s", n, lossy.Dir); err != nil || string(body) != want {
			t.Errorf("request %d is answered %q, %v, want %q", n, body, err, want)
		}
	}
	if len(served) != 100 || lost == 0 || lost != lossy.Cut() {
		t.Errorf("of 100 requests %d were served; %d replies got lost, the proxy says %d", len(served), lost, lossy.Cut())
	}
	if err := os.Remove(home.Path.Discovery()); err != nil {
		t.Fatal(err)
	}
	if !coordtest.Eventually(10*time.Second, func() bool { return !there() }) {
		t.Error("the proxy still listens, and the hub is gone")
	}
}

// serveHub plays a hub in the test's own process.
func serveHub(t *testing.T, home *coordtest.Home, served chan<- string) {
	t.Helper()
	l, err := net.Listen("unix", home.Path.Socket())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served <- r.URL.Path
		_, _ = io.WriteString(w, r.URL.Path+" at "+home.Dir)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	me := process.Self()
	if err := config.WriteDiscovery(home.Path, config.Discovery{PID: me.PID, PIDStart: me.Start, Instance: "fake", Socket: home.Path.Socket()}); err != nil {
		t.Fatal(err)
	}
}
