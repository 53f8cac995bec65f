package spawn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// state is what a handshake found.
type state int

const (
	absent   state = iota // nobody answers: start one
	leaving               // it drains: wait, then start one
	outdated              // it is older than we are: replace it
	ready                 // it can be used
)

// look shakes hands once. An error is final: starting a hub would not help.
func (s *starter) look(ctx context.Context) (client.Hello, state, error) {
	limited, cancel := context.WithTimeout(ctx, helloLimit)
	defer cancel()
	hello, err := s.client.Hello(limited)
	switch {
	case err == nil:
		return s.judge(hello)
	case ctx.Err() != nil:
		return hello, absent, err
	case limited.Err() != nil:
		return hello, absent, coord.Errorf(coord.Unavailable, "run coord-hub restart", "the hub at %s is there but has not answered for %s", s.Home.Socket(), helloLimit)
	case coord.CodeOf(err) != coord.Unavailable:
		return hello, absent, err
	case notThere(err):
		return hello, absent, nil
	}
	return hello, leaving, nil // it said 503, or went away as we asked
}

// notThere reports whether there was nobody to connect to.
func notThere(err error) bool {
	var op *net.OpError
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &op) && op.Op == "dial"
}

// judge decides about a hub that answers.
func (s *starter) judge(h client.Hello) (client.Hello, state, error) {
	switch {
	case h.Home != s.Home.Dir():
		return h, absent, coord.Errorf(coord.Unavailable, "run coord-hub stop there, or give each home a directory of its own",
			"the hub at %s serves the home %s, not %s", s.Home.Socket(), h.Home, s.Home.Dir())
	case h.Draining:
		return h, leaving, nil
	case h.Protocol > config.Protocol:
		return h, absent, coord.Errorf(coord.Unavailable, "update coord-shim, then start this session anew",
			"the hub %s speaks protocol %d and this program only %d", h.Version, h.Protocol, config.Protocol)
	case !s.keep && newer(s.Version, h.Version):
		return h, outdated, nil
	case h.Protocol < config.Protocol:
		return h, absent, coord.Errorf(coord.Unavailable, "update coord-hub with make install, then run coord-hub restart",
			"the hub %s speaks protocol %d and this program %d", h.Version, h.Protocol, config.Protocol)
	}
	return h, ready, nil
}

// newer reports whether version a is after b. Both must be semantic versions,
// with or without the leading v, as package build makes them: then of any two
// builds one is newer, and two sessions with different builds agree which.
func newer(a, b string) bool {
	a, b = canonical(a), canonical(b)
	return semver.IsValid(a) && semver.IsValid(b) && semver.Compare(a, b) > 0
}

func canonical(version string) string {
	if version != "" && !strings.HasPrefix(version, "v") {
		return "v" + version
	}
	return version
}

// retire makes an older hub leave and waits until it has. It keeps the hub
// when what would be started is no newer, and when the hub refuses to go.
func (s *starter) retire(ctx context.Context, old client.Hello) error {
	installed := s.installedVersion(ctx)
	if !newer(installed, old.Version) {
		s.keep = true
		s.Log.Warn("the installed coord-hub is not newer than the one that runs", "installed", installed, "running", old.Version, "mine", s.Version)
		return nil
	}
	if d, err := config.ReadDiscovery(s.Home); err == nil && d.Instance == old.Instance {
		s.before = d // it takes the file with it
	}
	if err := s.client.Stop(ctx, "upgrade"); err != nil && coord.CodeOf(err) != coord.Unavailable {
		s.keep = true
		s.Log.Warn("the older hub stays", "running", old.Version, "mine", s.Version, "error", err)
		return nil
	}
	s.Log.Info("the older hub was asked to hand over", "running", old.Version, "mine", s.Version)
	for pause := newPause(); ; {
		hello, state, err := s.look(ctx)
		if state == absent || err != nil || hello.Instance != "" && hello.Instance != old.Instance {
			return err
		}
		if err := pause.wait(ctx, nil); err != nil {
			return s.tooLong(err, fmt.Sprintf("the older hub %s does not end", old.Version))
		}
	}
}
