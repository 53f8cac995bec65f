package spawn_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
)

// listenAsHub answers hello on the home's socket from this process.
func listenAsHub(t *testing.T, home config.Home) {
	t.Helper()
	l, err := net.Listen("unix", home.Socket())
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(client.Hello{Instance: "in-process", Home: home.Dir(), Protocol: config.Protocol})
	})}}
	server.Start()
	t.Cleanup(server.Close)
}

func sessionOf(pid int) (int, error) { return unix.Getsid(pid) }
