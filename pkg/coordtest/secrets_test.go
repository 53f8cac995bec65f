package coordtest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/machine"
)

// The user's token and the keys of sessions stand in no log, no command line and
// no environment, wherever a client has put them.
func TestNoSecretIsLoggedOrHandedOn(t *testing.T) {
	machine.Has(t, runtime.GOOS == "linux", "the command lines of processes in /proc")
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	command(t, home, "start", "--port", "0", "--mqtt-port", "0", "--log-level", "debug")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	alice.Announce("src/index.ts")
	bob.Announce("src/index.ts")
	c := client.Dial(home.Hub().Socket)
	t.Cleanup(c.Close)
	guest, err := c.Register(t.Context(), coord.Registration{Client: coord.ClientInfo{Name: "rest"}, Project: project(t, alice), Workspace: "host:/shop", Host: "host"})
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{token(t, home), string(guest.SessionKey)}
	door := "http://" + home.Hub().HTTP
	for _, s := range secrets {
		for _, args := range [][]string{
			{"-H", "Authorization: Bearer " + s, door + "/api/status"},
			{"-H", "Authorization: Bearer " + s + "x", door + "/api/status?token=" + s},
			{"-H", "Authorization: Basic " + s, door + "/api/" + s},
			{"-H", "Authorization: Bearer " + s, "-X", "POST", "-d", `{"agent_id":"` + s + `"}`, door + "/api/tools/" + s + "?token=" + s},
			{"-H", "Cookie: coord=" + s, "-H", "Referer: " + door + "/?" + s, door + "/dashboard?token=" + s},
			{"-H", "Origin: http://" + s, door + "/mcp?key=" + s},
		} {
			if out, err := curl(t, args...).CombinedOutput(); err != nil {
				t.Fatalf("curl %v: %v, %s", args, err, out)
			}
		}
	}
	clean := func(where string, text []byte) {
		t.Helper()
		for i, s := range secrets {
			if bytes.Contains(text, []byte(s)) {
				t.Errorf("%s holds the %s", where, []string{"token", "session key"}[i])
			}
		}
	}
	logs, err := filepath.Glob(filepath.Join(home.Dir, "logs", "*"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("the logs are %v, %v", logs, err)
	}
	for _, name := range logs {
		text, err := os.ReadFile(name) // #nosec G304 -- our own log
		if err != nil {
			t.Fatal(err)
		}
		clean(name, text)
	}
	processes, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, name := range processes {
		env, err := os.ReadFile(name) // #nosec G304 -- of a process that the pattern names
		if err != nil || !strings.Contains(string(env), home.Dir) {
			continue // somebody else's, or over
		}
		ours++
		clean(name, env)
		line, _ := os.ReadFile(strings.TrimSuffix(name, "environ") + "cmdline") // #nosec G304 -- of the same process
		clean(name+" (its command line)", line)
	}
	if ours < 3 {
		t.Errorf("%d processes of the home were looked at, want the hub and two shims", ours)
	}
}
