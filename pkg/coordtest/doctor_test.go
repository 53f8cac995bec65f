package coordtest_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// doctor runs coord-hub doctor in a home and gives which checks are OK.
func doctor(t *testing.T, bin coordtest.Binaries, home, tmp string) map[string]bool {
	t.Helper()
	got := map[string]bool{}
	for _, c := range examine(t, bin, home, tmp) {
		got[c.Name] = c.OK
	}
	return got
}

type check struct {
	Name, Detail, Hint string
	OK                 bool
}

// examine is doctor with all that is said, in some more environment.
func examine(t *testing.T, bin coordtest.Binaries, home, tmp string, env ...string) []check {
	t.Helper()
	cmd := exec.Command(bin.Hub(), "doctor", "--json") // #nosec G204 -- our own program
	cmd.Env = append([]string{"HOME=" + home, "COORDINATOR_HOME=" + home, "TMPDIR=" + tmp, "PATH=" + os.Getenv("PATH"), "PORT=0", "COORDINATOR_MQTT_TCP_PORT=0"}, env...)
	cmd.Dir = home
	if _, err := os.Stat(home); err != nil {
		cmd.Dir = tmp
	}
	out, err := cmd.Output()
	var report struct {
		OK     bool
		Checks []check
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if report.OK != (err == nil) {
		t.Errorf("ok is %v and the exit %v", report.OK, err)
	}
	for _, c := range report.Checks {
		if !c.OK {
			t.Logf("%s: %s (%s)", c.Name, c.Detail, c.Hint)
			if c.Hint == "" {
				t.Errorf("%s fails without a hint", c.Name)
			}
		}
	}
	return report.Checks
}

func TestTheDoctorTriesEveryPathAndLeavesNothing(t *testing.T) {
	bin := coordtest.Build(t)
	home, tmp := filepath.Join(t.TempDir(), "home"), t.TempDir()
	want := map[string]bool{"config": true, "programs": true, "git": true, "spawn": true, "handshake": true, "tool call": true, "push": true, "http /mcp": true,
		"mqtt tcp": true, "mqtt websocket": true, "dashboard": true, "gate": true, "hook": true, "release": true}
	if diff := cmp.Diff(want, doctor(t, bin, home, tmp)); diff != "" {
		t.Error(diff)
	}
	status := exec.Command(bin.Hub(), "status") // #nosec G204 -- our own program
	status.Env = []string{"HOME=" + home, "COORDINATOR_HOME=" + home}
	if out, _ := status.CombinedOutput(); status.ProcessState.ExitCode() != 3 {
		t.Errorf("the hub is still there: %s", out)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestTheDoctorFindsABrokenHome(t *testing.T) {
	bin := coordtest.Build(t)
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(`{"server":{"port":"many"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := doctor(t, bin, home, t.TempDir())
	if got["config"] || got["spawn"] || !got["programs"] {
		t.Errorf("%v", got)
	}
}

func TestTheDoctorSaysWhatIsWrongWithGit(t *testing.T) {
	t.Parallel()
	bin := coordtest.Build(t)
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ git, detail, hint string }{
		"none":      {"", "git cannot be run", "install git"},
		"not yours": {"echo \"fatal: detected dubious ownership in repository at '$PWD'\" >&2; exit 128", "belongs to another user", "safe.directory"},
		"broken":    {"echo 'fatal: bad config line 1' >&2; exit 128", "bad config line 1", "git status"},
		"slow":      {"case \"$*\" in *status*) exec sleep 60;; esac; exec " + real + " \"$@\"", "deadline exceeded", "git status"},
	} {
		t.Run(name, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "home")
			repo := coordtest.NewRepo(t, "shop", "login.go")
			if err := os.Rename(repo.Dir, home); err != nil { // the doctor stands in a repository
				t.Fatal(err)
			}
			if err := os.Chmod(home, 0o700); err != nil {
				t.Fatal(err)
			}
			path := t.TempDir()
			if tt.git != "" {
				script := "#!/bin/sh\nPATH=/usr/bin:/bin\ncase $1 in --version) echo git version 2.0; exit;; esac\n" + tt.git + "\n"
				if err := os.WriteFile(filepath.Join(path, "git"), []byte(script), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range examine(t, bin, home, t.TempDir(), "PATH="+path) {
				if c.Name == "git" && (c.OK || !strings.Contains(c.Detail, tt.detail) || !strings.Contains(c.Hint, tt.hint)) {
					t.Errorf("%+v, want %q and the hint %q", c, tt.detail, tt.hint)
				}
				if c.Name == "spawn" && tt.git == "" && !c.OK {
					t.Errorf("without git nothing else works: %+v", c)
				}
			}
		})
	}
}

// A hub that runs on shows nothing of the doctor's sessions afterwards.
func TestTheDoctorsProjectIsGoneFromTheViews(t *testing.T) {
	t.Parallel()
	home := coordtest.NewHome(t)
	for _, args := range [][]string{{"start"}, {"doctor"}} {
		if out, err := home.Command(args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	c := client.Dial(home.Hub().Socket)
	defer c.Close()
	here := coord.Registration{Client: coord.ClientInfo{Name: "rest"}, Project: "shop", Workspace: "host:/shop", Host: "host", Label: "alice"}
	if _, err := c.Register(t.Context(), here); err != nil {
		t.Fatal(err)
	}
	var first coord.Event // of all that a reader of the whole log is told
	reached := errors.New("reached")
	err := c.Follow(t.Context(), client.From{Tail: 1000}, func(m client.Message) error {
		if m.Name != "" {
			return nil
		}
		if err := json.Unmarshal(m.Data, &first); err != nil {
			return err
		}
		return reached
	})
	if first.Project != here.Project {
		t.Errorf("the log tells of %s in %q (%v), and the doctor's project should not be in it", first.Kind, first.Project, err)
	}
	var raw json.RawMessage
	gone := coordtest.Eventually(30*time.Second, func() bool {
		var err error
		raw, err = c.Call(t.Context(), "", tool.Overview.Name, nil, "")
		return err == nil && !strings.Contains(string(raw), "doctor") // asked too often it refuses
	})
	if !gone {
		t.Errorf("the overview still holds %s", raw)
	}
	if out, err := home.Command("restart").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if raw, err = c.Call(t.Context(), "", tool.Overview.Name, nil, ""); err != nil || strings.Contains(string(raw), "doctor") {
		t.Errorf("a hub that begins shows %s (%v)", raw, err)
	}
}

// Whoever has stopped the hub finds it stopped after the doctor: sessions that are
// open start none.
func TestTheDoctorLeavesAStoppedHubStopped(t *testing.T) {
	home := coordtest.NewHome(t)
	for _, args := range [][]string{{"start"}, {"stop"}, {"doctor"}} {
		if out, err := home.Command(args...).CombinedOutput(); err != nil {
			t.Fatalf("coord-hub %v: %v\n%s", args, err, out)
		}
	}
	if _, stopped := config.StoppedByHand(home.Path); !stopped || len(home.Hubs()) > 0 {
		t.Errorf("the mark is there: %t; hubs: %v", stopped, home.Hubs())
	}
}

// After two looks that took too long nobody looks at a tree for a day: the doctor
// says so there.
func TestTheDoctorSaysWhereGitIsNotAskedAnyMore(t *testing.T) {
	bin := coordtest.Build(t)
	dir := coordtest.NewRepo(t, "shop", "login.go").Dir
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	home, err := config.Find(func(string) string { return dir }, "") // HOME and the home of coord alike
	if err != nil {
		t.Fatal(err)
	}
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	host, err := home.HostID()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"workspace": string(host) + ":" + dir, "off": time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(home.RunDir(), "reconcile")
	if err := os.MkdirAll(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(kept, "a.tree"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range examine(t, bin, dir, t.TempDir()) {
		if c.Name == "git" && (c.OK || !strings.Contains(c.Detail, "not looked for since") || !strings.Contains(c.Hint, "git status faster")) {
			t.Errorf("%+v, want it to say that git is not asked any more", c)
		}
	}
}
