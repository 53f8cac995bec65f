package spawn_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/shim/spawn"
)

// newHome makes a home whose hub would follow sc. Hubs that were started in it
// are killed with the test.
func newHome(t *testing.T, sc script) config.Home {
	t.Helper()
	dir, err := os.MkdirTemp("", "spawn-") // not t.TempDir: a socket path must stay short
	if err != nil {
		t.Fatal(err)
	}
	home := find(t, dir, "")
	setScript(t, home, sc)
	t.Cleanup(func() {
		for _, p := range processes(t, home, "launched") {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		for _, p := range config.ReadLaunched(home) { // one that has not come to note itself
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return home
}

func find(t *testing.T, dir, dataDir string) config.Home {
	t.Helper()
	home, err := config.Find(func(key string) string { return map[string]string{"COORDINATOR_HOME": dir}[key] }, dataDir)
	if err != nil {
		t.Fatal(err)
	}
	return home
}

func setScript(t *testing.T, home config.Home, sc script) {
	t.Helper()
	if sc.Version == "" {
		sc.Version = "v1.0.0"
	}
	if sc.Protocol == 0 {
		sc.Protocol = config.Protocol
	}
	raw, err := json.Marshal(sc)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(scriptFile(home.Dir()), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ensure runs Ensure with the test binary as the hub.
func ensure(t *testing.T, ctx context.Context, home config.Home, version string) (client.Hello, error) {
	t.Helper()
	c, hello, err := spawn.Ensure(ctx, spawn.Options{Home: home, Version: version, HubBinary: os.Args[0]})
	if err != nil {
		return hello, err
	}
	c.Close()
	return hello, nil
}

func mustEnsure(t *testing.T, home config.Home, version string) client.Hello {
	t.Helper()
	hello, err := ensure(t, t.Context(), home, version)
	if err != nil {
		t.Fatal(err)
	}
	return hello
}

func wantUnavailable(t *testing.T, err error, words ...string) {
	t.Helper()
	if coord.CodeOf(err) != coord.Unavailable {
		t.Fatalf("error %v has code %q, want %q", err, coord.CodeOf(err), coord.Unavailable)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestStartsAHubWhenThereIsNone(t *testing.T) {
	home := newHome(t, script{})
	hello := mustEnsure(t, home, "v1.0.0")
	started := processes(t, home, "served")
	if len(started) != 1 || started[0].PID != hello.PID {
		t.Fatalf("hello of process %d, started were %+v", hello.PID, started)
	}
	if again := mustEnsure(t, home, "v1.0.0"); again.Instance != hello.Instance {
		t.Errorf("second Ensure got hub %s, want %s", again.Instance, hello.Instance)
	}
}

func TestHubInheritsNothingOfTheProject(t *testing.T) {
	t.Setenv("PORT", "3000")
	t.Setenv("COORDINATOR_BIND", "0.0.0.0")
	t.Setenv("CLAUDE_CODE_SESSION_ID", "s")
	t.Setenv("LD_PRELOAD", "")
	t.Setenv("XDG_STATE_HOME", "/state")
	t.Setenv("CLAUDE_CONFIG_DIR", "/claude")
	t.Setenv("USER", "me")
	home := newHome(t, script{})
	mustEnsure(t, home, "")

	hub := processes(t, home, "served")[0]
	if diff := cmp.Diff([]string{"serve", "--auto"}, hub.Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if hub.Cwd != "/" {
		t.Errorf("working directory %s, want /", hub.Cwd)
	}
	allowed := []string{"HOME", "PATH", "USER", "TMPDIR", "LANG", "COORDINATOR_HOME", "CLAUDE_CONFIG_DIR"}
	for _, kv := range hub.Env {
		if name, _, _ := strings.Cut(kv, "="); !slices.Contains(allowed, name) && !strings.HasPrefix(name, "XDG_") {
			t.Errorf("the hub got %s", kv)
		}
	}
	for _, kv := range []string{"COORDINATOR_HOME=" + home.Dir(), "XDG_STATE_HOME=/state", "CLAUDE_CONFIG_DIR=/claude", "USER=me"} {
		if !slices.Contains(hub.Env, kv) {
			t.Errorf("the hub did not get %s", kv)
		}
	}
	if sid, err := sessionOf(hub.PID); err != nil || sid != hub.PID {
		t.Errorf("session %d (%v) of hub %d is not its own", sid, err, hub.PID)
	}
}

func TestPassesOnADataDirectoryOfItsOwn(t *testing.T) {
	home := newHome(t, script{})
	data := filepath.Join(home.Dir(), "elsewhere")
	mustEnsure(t, find(t, home.Dir(), data), "")
	if diff := cmp.Diff([]string{"serve", "--auto", "--data-dir", data}, processes(t, home, "served")[0].Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

// ensureMany runs Ensure n times at once and gives the instances it got.
func ensureMany(t *testing.T, home config.Home, n int) map[string]int {
	t.Helper()
	var mu sync.Mutex
	instances := map[string]int{}
	var group sync.WaitGroup
	start := make(chan struct{})
	for range n {
		group.Go(func() {
			<-start
			hello, err := ensure(t, t.Context(), home, "v1.0.0")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			instances[hello.Instance]++
		})
	}
	close(start)
	group.Wait()
	return instances
}

func TestFiftyAtOnceStartOneHub(t *testing.T) {
	home := newHome(t, script{})
	if got := ensureMany(t, home, 50); len(got) != 1 {
		t.Errorf("%d hubs were used: %v", len(got), got)
	}
	if n := len(processes(t, home, "launched")); n != 1 {
		t.Errorf("%d hubs were launched, want 1", n)
	}
}

func TestStaleSocketAndLocksAreNoHub(t *testing.T) {
	home := newHome(t, script{})
	first := mustEnsure(t, home, "v1.0.0")
	kill(t, home, first.PID)
	for _, file := range []string{home.Socket(), home.StartLock(), home.LockFile()} {
		if _, err := os.Lstat(file); err != nil {
			t.Fatalf("the killed hub left no %s behind: %v", file, err)
		}
	}
	got := ensureMany(t, home, 50)
	if len(got) != 1 || got[first.Instance] != 0 {
		t.Errorf("hubs %v were used after %s was killed", got, first.Instance)
	}
	if n := len(processes(t, home, "launched")); n != 2 {
		t.Errorf("%d hubs were launched, want 2", n)
	}
}

func TestHubThatDiesAtOnceIsReported(t *testing.T) {
	for name, tc := range map[string]struct {
		sc    script
		words string
	}{
		"on stderr":  {script{Exit: 3, Say: "usage\nunknown flag --auto\n"}, "unknown flag --auto"},
		"in the log": {script{Exit: 3, Log: "old\nschema 9 is newer than this program\n"}, "schema 9 is newer"},
		"silently":   {script{Exit: 3}, "ended at once"},
	} {
		t.Run(name, func(t *testing.T) {
			home := newHome(t, tc.sc)
			_, err := ensure(t, t.Context(), home, "v1.0.0")
			wantUnavailable(t, err, "exit status 3", tc.words, home.LogFile())
			if n := len(processes(t, home, "launched")); n != 1 {
				t.Errorf("it was launched %d times, want once", n)
			}
		})
	}
}

func TestMissingHubSaysHowToInstallIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for name, binary := range map[string]string{"named": filepath.Join(t.TempDir(), "coord-hub"), "searched": ""} {
		t.Run(name, func(t *testing.T) {
			_, _, err := spawn.Ensure(t.Context(), spawn.Options{Home: newHome(t, script{}), HubBinary: binary})
			wantUnavailable(t, err, "make install")
		})
	}
}

func TestHubIsFoundOnPath(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "coord-hub")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	c, _, err := spawn.Ensure(t.Context(), spawn.Options{Home: newHome(t, script{})})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestNewerCallerReplacesTheHub(t *testing.T) {
	for name, linger := range map[string]bool{"at once": false, "after it lets the lock go": true} {
		t.Run(name, func(t *testing.T) {
			home := newHome(t, script{Version: "v1.9.0", Linger: linger})
			old := mustEnsure(t, home, "1.9.0")
			setScript(t, home, script{Version: "v1.10.0"})
			hello := mustEnsure(t, home, "1.10.0")
			if hello.Instance == old.Instance || hello.Version != "v1.10.0" {
				t.Errorf("got hub %+v in place of %+v", hello, old)
			}
		})
	}
}

func TestRunningHubStays(t *testing.T) {
	for name, tc := range map[string]struct{ running, installed script }{
		"caller is a development build":    {script{Version: "v1.0.0"}, script{Version: "v3.0.0"}},
		"hub is a development build":       {script{Version: "dev"}, script{Version: "v3.0.0"}},
		"hub is newer":                     {script{Version: "v2.0.1"}, script{Version: "v3.0.0"}},
		"installed program is as old":      {script{Version: "v1.0.0"}, script{Version: "v1.0.0"}},
		"installed program does not say":   {script{Version: "v1.0.0"}, script{Version: "dev"}},
		"hub refuses to go, as one served": {script{Version: "v1.0.0", Refuse: true}, script{Version: "v3.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			home := newHome(t, tc.running)
			old := mustEnsure(t, home, "dev")
			setScript(t, home, tc.installed)
			version := "v2.0.0"
			if strings.HasPrefix(name, "caller is a dev") {
				version = "dev"
			}
			if hello := mustEnsure(t, home, version); hello.Instance != old.Instance {
				t.Errorf("hub %+v was replaced by %+v", old, hello)
			}
		})
	}
}

func TestOtherProtocolIsAnError(t *testing.T) {
	for protocol, words := range map[int]string{config.Protocol + 1: "update coord-shim", -1: "update coord-hub"} {
		home := newHome(t, script{Version: "dev", Protocol: protocol})
		_, err := ensure(t, t.Context(), home, "dev")
		wantUnavailable(t, err, words)
	}
}

func TestHubOfAnotherHomeIsRefused(t *testing.T) {
	other := newHome(t, script{})
	mustEnsure(t, other, "")
	home := newHome(t, script{})
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(other.Socket(), home.Socket()); err != nil {
		t.Fatal(err)
	}
	_, err := ensure(t, t.Context(), home, "")
	wantUnavailable(t, err, other.Dir(), home.Dir())
	if n := len(processes(t, home, "launched")); n != 0 {
		t.Errorf("%d hubs were launched beside it", n)
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	home := newHome(t, script{})
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(home.Socket(), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ensure(t, t.Context(), home, ""); coord.CodeOf(err) != coord.Forbidden {
		t.Errorf("error %v, want code %q", err, coord.Forbidden)
	}
	if raw, err := os.ReadFile(home.Socket()); err != nil || string(raw) != "mine" {
		t.Errorf("the file now holds %q (%v)", raw, err)
	}
}

func TestMuteHubEndsWithTheContext(t *testing.T) {
	home := newHome(t, script{Mute: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := ensure(t, ctx, home, "")
	wantUnavailable(t, err)
}

func TestHubThatAppearsIsUsedWhileTheStarterHoldsTheLock(t *testing.T) {
	home := newHome(t, script{})
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(home.StartLock())
	if locked, err := lock.TryLock(); err != nil || !locked {
		t.Fatalf("lock: %v %v", locked, err)
	}
	defer lock.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := ensure(t, ctx, home, "")
	wantUnavailable(t, err, "another process")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cause %v, want the deadline", err)
	}

	listenAsHub(t, home)
	if hello := mustEnsure(t, home, ""); hello.Instance != "in-process" {
		t.Errorf("got hub %+v", hello)
	}
}

// kill ends a hub and waits until the kernel has taken its lock away.
func kill(t *testing.T, home config.Home, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(home.LockFile())
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}
