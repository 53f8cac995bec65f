package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

func TestHostIDIsMadeOnce(t *testing.T) {
	for range 100 {
		h := newHome(t)
		start := make(chan struct{})
		ids := make(chan coord.HostID)
		for range 8 {
			go func() {
				<-start
				id, err := h.HostID()
				if err != nil {
					t.Error(err)
				}
				ids <- id
			}()
		}
		close(start)
		first := <-ids
		for range 7 {
			if id := <-ids; id != first {
				t.Fatalf("ids %q and %q of one host", first, id)
			}
		}
	}
}

func TestHostIDFileIsPrivateAndAlone(t *testing.T) {
	h := newHome(t)
	id, err := h.HostID()
	if err != nil || !regexp.MustCompile(`^h-[a-z0-9]{16}$`).MatchString(string(id)) {
		t.Errorf("id %q (%v)", id, err)
	}
	info, err := os.Stat(h.HostIDFile())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o, want 0600", info.Mode().Perm())
	}
	left, err := filepath.Glob(filepath.Join(h.Dir(), ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files %v are left (%v)", left, err)
	}
}

func TestHostIDOfDoubtfulOriginIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		plant func(file string) error
		code  coord.Code
	}{
		"symlink": {func(f string) error { return os.Symlink("/etc/hostname", f) }, coord.Forbidden},
		"empty":   {func(f string) error { return os.WriteFile(f, nil, 0o600) }, coord.Invalid},
		"colon":   {func(f string) error { return os.WriteFile(f, []byte("h-abcdefgh:x"), 0o600) }, coord.Invalid},
		"large":   {func(f string) error { return os.WriteFile(f, make([]byte, 300), 0o600) }, coord.TooLarge},
		"dir":     {func(f string) error { return os.Mkdir(f, 0o700) }, coord.Forbidden},
	} {
		h := newHome(t)
		if err := tc.plant(h.HostIDFile()); err != nil {
			t.Fatal(err)
		}
		if id, err := h.HostID(); coord.CodeOf(err) != tc.code {
			t.Errorf("%s: id %q, error %v; want code %q", name, id, err, tc.code)
		}
	}
}

func TestDiscoveryIsReadAsWritten(t *testing.T) {
	h := newHome(t)
	if d, err := config.ReadDiscovery(h); coord.CodeOf(err) != coord.NotFound {
		t.Errorf("discovery %+v, error %v before a hub wrote one; want code %q", d, err, coord.NotFound)
	}
	want := config.Discovery{PID: 7, PIDStart: 9, Instance: "i", Version: "v1", Protocol: 1, Socket: h.Socket(), MQTTSocket: h.MQTTSocket(),
		HTTP: "127.0.0.1:3100", MQTT: "127.0.0.1:1883", StartedAt: 1234}
	if err := config.WriteDiscovery(h, want); err != nil {
		t.Fatal(err)
	}
	got, err := config.ReadDiscovery(h)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("discovery (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(h.Discovery()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	if err := os.WriteFile(h.Discovery(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := config.ReadDiscovery(h); coord.CodeOf(err) != coord.Invalid {
		t.Errorf("discovery %+v, error %v from half a file; want code %q", d, err, coord.Invalid)
	}
}

func TestDiscoveryIsNeverSeenHalf(t *testing.T) {
	h := newHome(t)
	d := config.Discovery{Instance: "first"}
	if err := config.WriteDiscovery(h, d); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 300 {
			if err := config.WriteDiscovery(h, config.Discovery{Instance: "next", Version: string(make([]byte, 4000))}); err != nil {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if _, err := config.ReadDiscovery(h); err != nil {
			t.Fatal(err)
		}
	}
}
