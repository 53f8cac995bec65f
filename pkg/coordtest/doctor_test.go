package coordtest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coordtest"
)

// doctor runs coord-hub doctor in a home and gives which checks are OK.
func doctor(t *testing.T, bin coordtest.Binaries, home, tmp string) map[string]bool {
	t.Helper()
	cmd := exec.Command(bin.Hub(), "doctor", "--json") // #nosec G204 -- our own program
	cmd.Env = []string{"HOME=" + home, "COORDINATOR_HOME=" + home, "TMPDIR=" + tmp, "PATH=" + os.Getenv("PATH"), "PORT=0", "COORDINATOR_MQTT_TCP_PORT=0"}
	out, err := cmd.Output()
	var report struct {
		OK     bool
		Checks []struct {
			Name, Detail, Hint string
			OK                 bool
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if report.OK != (err == nil) {
		t.Errorf("ok is %v and the exit %v", report.OK, err)
	}
	got := map[string]bool{}
	for _, c := range report.Checks {
		if got[c.Name] = c.OK; !c.OK {
			t.Logf("%s: %s (%s)", c.Name, c.Detail, c.Hint)
			if c.Hint == "" {
				t.Errorf("%s fails without a hint", c.Name)
			}
		}
	}
	return got
}

func TestTheDoctorTriesEveryPathAndLeavesNothing(t *testing.T) {
	bin := coordtest.Build(t)
	home, tmp := filepath.Join(t.TempDir(), "home"), t.TempDir()
	want := map[string]bool{"config": true, "programs": true, "spawn": true, "handshake": true, "tool call": true, "push": true, "http /mcp": true,
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
