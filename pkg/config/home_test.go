package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// env makes a getenv of pairs.
func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(key string) string { return m[key] }
}

// realTemp gives a temporary directory with a short name free of symlinks:
// that of t.TempDir may be too long for a socket.
func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cfg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func find(t *testing.T, getenv func(string) string, dataDir string) config.Home {
	t.Helper()
	h, err := config.Find(getenv, dataDir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// newHome gives a prepared home in a directory of its own.
func newHome(t *testing.T) config.Home {
	t.Helper()
	h := find(t, env("COORDINATOR_HOME", filepath.Join(realTemp(t), "h")), "")
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHomeIsTheFirstThatIsNamed(t *testing.T) {
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		env       []string
		flag      string
		dir, data string
	}{
		"nothing":                {[]string{"HOME", "/u/me"}, "", "/u/me/.coord", "/u/me/.coord/data"},
		"profile":                {[]string{"USERPROFILE", "/u/me"}, "", "/u/me/.coord", "/u/me/.coord/data"},
		"home":                   {[]string{"HOME", "/u/me", "COORDINATOR_HOME", "/c"}, "", "/c", "/c/data"},
		"home without HOME":      {[]string{"COORDINATOR_HOME", "/c/"}, "", "/c", "/c/data"},
		"home with tilde":        {[]string{"HOME", "/u/me", "COORDINATOR_HOME", "~/c"}, "", "/u/me/c", "/u/me/c/data"},
		"flag is the home":       {[]string{"HOME", "/u/me"}, "/d", "/d", "/d/data"},
		"flag is relative":       {[]string{"HOME", "/u/me"}, "d", cwd + "/d", cwd + "/d/data"},
		"data dir is the home":   {[]string{"HOME", "/u/me", "COORDINATOR_DATA_DIR", "/d"}, "", "/d", "/d/data"},
		"flag before env":        {[]string{"HOME", "/u/me", "COORDINATOR_DATA_DIR", "/d"}, "/f", "/f", "/f/data"},
		"flag beside the home":   {[]string{"COORDINATOR_HOME", "/c"}, "/f", "/c", "/f"},
		"env beside the home":    {[]string{"COORDINATOR_HOME", "/c", "COORDINATOR_DATA_DIR", "/d"}, "", "/c", "/d"},
		"an empty value is none": {[]string{"HOME", "/u/me", "COORDINATOR_HOME", ""}, "", "/u/me/.coord", "/u/me/.coord/data"},
	} {
		t.Run(name, func(t *testing.T) {
			h := find(t, env(tc.env...), tc.flag)
			if h.Dir() != tc.dir || h.DataDir() != tc.data {
				t.Errorf("home %s with data in %s, want %s and %s", h.Dir(), h.DataDir(), tc.dir, tc.data)
			}
		})
	}
}

func TestHomeThatMeansSomethingElseInEachProcessIsRefused(t *testing.T) {
	for name, e := range map[string][]string{
		"relative":          {"HOME", "/u/me", "COORDINATOR_HOME", "c"},
		"relative data dir": {"HOME", "/u/me", "COORDINATOR_DATA_DIR", "./d"},
		"newline":           {"HOME", "/u/me", "COORDINATOR_HOME", "/a\nb"},
		"no HOME":           {},
		"HOME is relative":  {"HOME", "me"},
		"tilde but no HOME": {"COORDINATOR_HOME", "~/c"},
	} {
		if h, err := config.Find(env(e...), ""); coord.CodeOf(err) != coord.Invalid {
			t.Errorf("%s: home %q, error %v; want code %q", name, h.Dir(), err, coord.Invalid)
		}
	}
}

func TestHomeIsSpelledAlikeThroughSymlinks(t *testing.T) {
	real := realTemp(t)
	link := filepath.Join(realTemp(t), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	direct := find(t, env("COORDINATOR_HOME", real+"/not/yet"), "")
	if through := find(t, env("COORDINATOR_HOME", link+"/not/yet"), ""); through.Dir() != direct.Dir() {
		t.Errorf("home %s through a symlink, %s without", through.Dir(), direct.Dir())
	}
}

func TestNamesBelowTheHome(t *testing.T) {
	h := find(t, env("COORDINATOR_HOME", "/c"), "")
	got := []string{h.Database(), h.LockFile(), h.StartLock(), h.Discovery(), h.Socket(), h.MQTTSocket(), h.TokenFile(), h.HostIDFile(), h.LogFile(), h.ConfigFile()}
	want := []string{"/c/data/coordinator.db", "/c/data/hub.lock", "/c/run/start.lock", "/c/hub.json", "/c/run/hub.sock", "/c/run/mqtt.sock",
		"/c/token", "/c/host_id", "/c/logs/hub.log", "/c/config.json"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// longHome names a home too deep for a socket, and a runtime directory.
func longHome(t *testing.T) (home, runtime string) {
	t.Helper()
	base := realTemp(t)
	runtime = filepath.Join(base, "r")
	if err := os.Mkdir(runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(base, strings.Repeat("x", 100)), runtime
}

func TestLongHomeHasAShortRunDirectoryThatAllFind(t *testing.T) {
	home, runtime := longHome(t)
	h := find(t, env("COORDINATOR_HOME", home, "XDG_RUNTIME_DIR", runtime), "")
	if !strings.HasPrefix(h.Socket(), runtime+"/coord-") || len(h.MQTTSocket()) > 100 {
		t.Fatalf("socket %s is not short below %s", h.Socket(), runtime)
	}
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	if other := find(t, env("COORDINATOR_HOME", home), ""); other.Socket() != h.Socket() {
		t.Errorf("without XDG_RUNTIME_DIR the socket is %s, want the recorded %s", other.Socket(), h.Socket())
	}
	second := find(t, env("COORDINATOR_HOME", home+"2", "XDG_RUNTIME_DIR", runtime), "")
	if second.RunDir() == h.RunDir() {
		t.Errorf("two homes share the run directory %s", h.RunDir())
	}
}

func TestRecordedRunDirectoryOutlivesABoot(t *testing.T) {
	home, runtime := longHome(t)
	h := find(t, env("COORDINATOR_HOME", home, "XDG_RUNTIME_DIR", runtime), "")
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(h.RunDir()); err != nil {
		t.Fatal(err)
	}
	again := find(t, env("COORDINATOR_HOME", home), "")
	if again.RunDir() != h.RunDir() {
		t.Errorf("run directory %s after it was emptied, want %s", again.RunDir(), h.RunDir())
	}
	if err := again.Prepare(); err != nil {
		t.Error(err)
	}

	// A record that cannot be kept is not believed.
	for _, spoil := range []struct {
		name string
		do   func() error
	}{
		{"open to others", func() error { return os.Chmod(h.RunDir(), 0o755) }}, // #nosec G302 -- that is the point
		{"base is gone", func() error { return os.RemoveAll(runtime) }},
	} {
		if err := spoil.do(); err != nil {
			t.Fatal(err)
		}
		if got := find(t, env("COORDINATOR_HOME", home), ""); got.RunDir() == h.RunDir() {
			t.Errorf("%s: the recorded run directory is still used", spoil.name)
		}
	}
}

func TestHomeOnTheNetworkHasALocalRunDirectory(t *testing.T) {
	runtime := realTemp(t)
	getenv := env("XDG_RUNTIME_DIR", runtime)
	if run := config.PlaceRun("/net/me/.coord", true, getenv); !strings.HasPrefix(run, runtime+"/coord-") {
		t.Errorf("run directory %s, want one below %s", run, runtime)
	}
	if run := config.PlaceRun("/net/me/.coord", false, getenv); run != "/net/me/.coord/run" {
		t.Errorf("run directory %s of a local home", run)
	}
}
