package shim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/shim"
)

func TestTroubleIsToldInTheAnswers(t *testing.T) {
	home := newHome(t)
	startHub(t, home)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil { // a repository that git does not know
		t.Fatal(err)
	}
	c := startShim(t, home, func(o *shim.Options) { o.Dir, o.Wrong = dir, []string{"PORT is wrong"} })
	c.introduce("x")
	for id, want := range []struct {
		op, args string
		git      bool
	}{{"heartbeat", `{}`, true}, {"heartbeat", `{}`, false}, {"coordinator_status", `{}`, true}} {
		text, isError := c.call(id+1, want.op, want.args)
		if isError || !strings.Contains(text, `"notice":`) || !strings.Contains(text, "PORT is wrong") || strings.Contains(text, "git cannot be asked") != want.git {
			t.Errorf("answer %d of %s is %s, want the setting, and git: %v", id, want.op, text, want.git)
		}
	}
	c.wantRefused(9, "get_thread", `{}`, "PORT is wrong")
}

func TestAHubThatEndsAtEachStartIsNotWaitedFor(t *testing.T) {
	home := newHome(t)
	hub := filepath.Join(t.TempDir(), "coord-hub")
	if err := os.WriteFile(hub, []byte("#!/bin/sh\necho 'coord-hub: the database is damaged' >&2\nexit 1\n"), 0o700); err != nil { // #nosec G306 -- a program
		t.Fatal(err)
	}
	c := startShim(t, home, func(o *shim.Options) { o.HubBinary, o.Patience = hub, time.Hour })
	c.introduce("x")
	c.wantRefused(1, "heartbeat", `{}`, "the database is damaged")
}
