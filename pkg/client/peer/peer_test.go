package peer_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/coordhq/coord/pkg/client/peer"
)

func TestBothEndsSeeTheUser(t *testing.T) {
	dir, err := os.MkdirTemp("", "peer-") // not t.TempDir: a socket path must stay short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	for _, conn := range []net.Conn{near, far} {
		if uid, err := peer.PeerUID(conn); err != nil || uid != os.Getuid() {
			t.Errorf("uid %d (%v), want %d", uid, err, os.Getuid())
		}
	}
	_ = near.Close()
	if uid, err := peer.PeerUID(near); err == nil {
		t.Errorf("a closed connection has peer %d", uid)
	}
}

func TestOtherConnectionsHaveNoUser(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if uid, err := peer.PeerUID(a); !errors.Is(err, peer.ErrUnknown) || uid != -1 {
		t.Errorf("uid %d, error %v; want -1 and ErrUnknown", uid, err)
	}
}
