package broker_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest/asroot"
	"github.com/coordhq/coord/pkg/coordtest/machine"
	"github.com/coordhq/coord/pkg/hub/broker"
)

// mosquitto gives the program, or skips the test; in CI it must be there.
func mosquitto(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	machine.Has(t, err == nil, name+" (apt install mosquitto-clients)")
	return path
}

// doors gives mosquitto's arguments for each way in.
func (f *fixture) doors(t *testing.T) map[string][]string {
	host, port, err := net.SplitHostPort(f.tcp)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]string{"tcp": {"-h", host, "-p", port}, "unix": {"--unix", f.unix}}
}

func TestMosquittoSubscribes(t *testing.T) {
	program := mosquitto(t, "mosquitto_sub")
	for _, version := range []string{"mqttv311", "mqttv5"} {
		f := start(t, broker.Options{})
		f.SetStatus(shop, "ag-old", []byte(`{"retained":true}`))
		for name, door := range f.doors(t) {
			t.Run(version+"/"+name, func(t *testing.T) {
				args := append(door, "-V", version, "-u", string(shop), "-P", token, "-q", "1", "-v", "-C", "2", "-W", "20",
					"-t", "coordinator/agents/+/status", "-t", "coordinator/consultations/#")
				cmd := exec.CommandContext(t.Context(), program, args...)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewReader(out)
				first, err := lines.ReadString('\n')
				if err != nil || first != `coordinator/agents/ag-old/status {"retained":true}`+"\n" {
					t.Errorf("first line %q, %v", first, err)
				}
				f.Publish([]pub{event(bank, 1, coord.KindThreadOpened), event(shop, 2, coord.KindThreadOpened)})
				rest, err := io.ReadAll(lines)
				if err != nil || strings.Count(string(rest), "\n") != 1 || !strings.HasPrefix(string(rest), `coordinator/consultations/new {"epoch":"e1","v":1,"seq":2,`) {
					t.Errorf("then %q, %v", rest, err)
				}
				if err := cmd.Wait(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestMosquittoPublishes(t *testing.T) {
	program := mosquitto(t, "mosquitto_pub")
	f := start(t, broker.Options{})
	alice := f.connect(t, "ag-alice-1", string(shop), "key-alice")
	alice.subscribe(t, "coordinator/broadcast")
	for name, door := range f.doors(t) {
		for _, qos := range []string{"0", "1", "2"} { // a higher QoS must not leave the program waiting
			t.Run(name+"/qos "+qos, func(t *testing.T) {
				args := append(door, "-u", "", "-P", token, "-q", qos, "-r", "-t", "coordinator/broadcast", "-m", `{"door":"`+name+qos+`"}`)
				if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil || len(out) > 0 {
					t.Fatalf("%v: %s", err, out)
				}
				if m := receive(t, alice.inbox); !strings.HasSuffix(m.Payload, `"agent_id":"human:operator","ts":1234,"door":"`+name+qos+`"}`) {
					t.Errorf("got %s", m.Payload)
				}
			})
		}
	}
}

func TestMosquittoIsRefused(t *testing.T) {
	program := mosquitto(t, "mosquitto_sub")
	f := start(t, broker.Options{})
	for name, door := range f.doors(t) {
		for what, args := range map[string][]string{
			"anonymous":      {"-t", "coordinator/broadcast"},
			"wrong password": {"-u", string(shop), "-P", "wrong", "-t", "coordinator/broadcast"},
			"inbox":          {"-u", string(shop), "-P", token, "-t", "coordinator/agents/ag-alice/inbox"},
			"everything":     {"-u", string(shop), "-P", token, "-t", "#"},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				args := append(append([]string{"-W", "20", "-C", "1"}, door...), args...)
				out, _ := exec.CommandContext(t.Context(), program, args...).CombinedOutput() // it ends well when all is denied
				if !strings.Contains(strings.ToLower(string(out)), "not authorised") && !strings.Contains(string(out), "were denied") {
					t.Errorf("said %q", out)
				}
			})
		}
	}
}

// The file mode of the socket is one guard, the question to the kernel another:
// here only the second stands.
func TestMosquittoOfAnotherUserIsRefused(t *testing.T) {
	program := mosquitto(t, "mosquitto_pub")
	if !asroot.Test(t) {
		return
	}
	f := start(t, broker.Options{})
	for path, mode := range map[string]os.FileMode{f.unix: 0o777, filepath.Dir(f.unix): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, uid := range []uint32{0, 65534} {
		cmd := exec.CommandContext(t.Context(), program, "--unix", f.unix, "-u", string(shop), "-P", token, "-t", "coordinator/broadcast", "-m", "{}")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		if ok := err == nil; ok != (uid == 0) {
			t.Errorf("uid %d: %v: %s", uid, err, out)
		}
	}
}
