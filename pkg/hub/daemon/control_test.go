package daemon_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/hub/daemon"
)

func isNotRunning(err error, home string) bool {
	return errors.Is(err, daemon.ErrNotRunning) && strings.Contains(err.Error(), "no hub is running for "+home) && strings.Contains(err.Error(), "coord-hub start")
}

func TestSpawnTellsWhyTheHubEnded(t *testing.T) {
	home := newHome(t)
	start(t, daemon.Options{Home: home}) // what another hub answers does not count
	env := append(os.Environ(), roleKey+"=broken hub", quickExit)
	_, err := daemon.Spawn(t.Context(), daemon.SpawnOptions{Home: home, Program: self(t), Env: env})
	if err == nil || err.Error() != "the hub ended at once: the disk is gone; buy another" {
		t.Errorf("got %v", err)
	}
	_, err = daemon.Spawn(t.Context(), daemon.SpawnOptions{Home: home, Program: filepath.Join(home.Dir(), "nothing")})
	if err == nil || !strings.Contains(err.Error(), "cannot start ") {
		t.Errorf("got %v", err)
	}
}

func TestOptionsNameTheWrongField(t *testing.T) {
	home := newHome(t)
	for want, o := range map[string]daemon.Options{
		"Options.Home":        {},
		"Options.IdleTimeout": {Home: home, IdleTimeout: -1},
	} {
		if _, err := daemon.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
