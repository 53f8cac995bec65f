package coordtest_test

import (
	"encoding/json"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/tool"
)

// command runs coord-hub in the home and gives what it says.
func command(t *testing.T, home *coordtest.Home, args ...string) string {
	t.Helper()
	out, err := home.Command(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("coord-hub %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// tryStatus asks for the status as a model would, and gives the refusal.
func tryStatus(t *testing.T, a *coordtest.Agent) error {
	t.Helper()
	_, err := coordtest.Try(t.Context(), a, tool.CoordinatorStatus, tool.CoordinatorStatusIn{})
	return err
}

func TestAHungHubIsNamedToTheSessionAndEndedByRestart(t *testing.T) {
	t.Parallel()
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", repo.Dir)
	alice.Announce("src/index.ts")
	old := home.Hub()
	if err := syscall.Kill(old.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := tryStatus(t, alice); err == nil || !strings.Contains(err.Error(), "coord-hub restart") {
		t.Errorf("a call while the hub hangs ends with %v, want it to name coord-hub restart", err)
	}
	if said := command(t, home, "restart"); !strings.Contains(said, "did not answer and was terminated") {
		t.Errorf("restart does not say what it did: %s", said)
	}
	if process.Alive(coord.Process{PID: old.PID, Start: old.PIDStart}) {
		t.Error("the hub that hung is still there")
	}
	if got := alice.Status(); got.Hub.Instance == old.Instance {
		t.Errorf("alice is at %s, want a new hub", got.Hub.Instance)
	}
}

// What the user has stopped stays stopped for the sessions that are there, and
// says so; a new session is a user who works again.
func TestAHubStoppedByHandStaysStoppedUntilSomebodyBeginsToWork(t *testing.T) {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", repo.Dir)
	alice.Status()

	command(t, home, "stop")
	refusedByHand(t, home, alice)
	command(t, home, "start")
	alice.Status()

	command(t, home, "stop")
	refusedByHand(t, home, alice)
	bob := home.Agent("bob", repo.Dir)
	bob.Status()
	alice.Status()

	// A hub that dies was not stopped by anybody.
	home.KillHub()
	alice.Status()
}

func refusedByHand(t *testing.T, home *coordtest.Home, a *coordtest.Agent) {
	t.Helper()
	start := time.Now()
	err := tryStatus(t, a)
	if err == nil || !strings.Contains(err.Error(), "the hub was stopped by hand") || !strings.Contains(err.Error(), "run coord-hub start") {
		t.Errorf("a call after coord-hub stop ends with %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the refusal took %v", took)
	}
	if hubs := home.Hubs(); len(hubs) > 0 {
		t.Errorf("hubs %v run after coord-hub stop", hubs)
	}
}

func TestANewerBuildTakesOverAndKeepsWhatTheHubHad(t *testing.T) {
	t.Parallel()
	earlier := coordtest.BuildVersion(t, "0.1.0-dev.20260101120000+aaaaaaa")
	later := coordtest.BuildVersion(t, "0.1.0-dev.20260101120001+bbbbbbb.dirty")
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	home.Use(earlier)
	data := filepath.Join(home.Dir, "elsewhere")
	command(t, home, "start", "--port=0", "--mqtt-port=0", "--data-dir="+data)
	alice := home.Agent("alice", repo.Dir)
	alice.Announce("src/index.ts")
	old := home.Hub()

	home.Use(later)
	bob := home.Agent("bob", repo.Dir)
	verdict := bob.Announce("src/index.ts")
	if len(verdict.ConcernedAgents) != 1 {
		t.Errorf("bob's announcement is %+v, want it to find alice's", verdict)
	}
	now := home.Hub()
	if now.Version != "0.1.0-dev.20260101120001+bbbbbbb.dirty" || now.Instance == old.Instance {
		t.Errorf("hub %s of version %s, want the later build", now.Instance, now.Version)
	}
	type kept struct {
		Auto bool
		Args []string
		Data string
	}
	if diff := cmp.Diff(kept{false, []string{"--port=0", "--mqtt-port=0"}, data}, kept{now.Auto, now.Args, now.DataDir}); diff != "" {
		t.Errorf("what the hub was started with (-want +got):\n%s", diff)
	}

	// The session with the earlier build goes on there, and so does a new one.
	alice.Status()
	home.Use(earlier)
	home.Agent("carol", repo.Dir).Status()
	if after := home.Hub(); after.Instance != now.Instance {
		t.Errorf("an earlier build has replaced %s by %s of %s", now.Instance, after.Instance, after.Version)
	}
}

// A hub by hand that is killed comes back as it was; when that is impossible a
// plain one comes, with the same database.
func TestAKilledHubComesBackAsItWasStarted(t *testing.T) {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	data := filepath.Join(home.Dir, "elsewhere")
	command(t, home, "start", "--port=0", "--durability=normal", "--data-dir="+data)
	alice := home.Agent("alice", repo.Dir)
	alice.Status()
	home.KillHub()
	alice.Status()
	if diff := cmp.Diff([]string{"--port=0", "--durability=normal"}, home.Hub().Args); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	command(t, home, "restart", "--port="+port)
	alice.Status()
	home.KillHub()
	if taken, err = net.Listen("tcp", "127.0.0.1:"+port); err == nil {
		defer taken.Close()
		alice.Status()
		if now := home.Hub(); !now.Auto || now.DataDir != data {
			t.Errorf("hub %+v, want a plain one with the data directory %s", now, data)
		}
	} else {
		t.Logf("the next hub was faster than we: %v", err)
	}
}

func TestFiveStartsAtOnceGiveOneHub(t *testing.T) {
	home := coordtest.NewHome(t)
	var all sync.WaitGroup
	said := make([]string, 5)
	for i := range said {
		cmd := home.Command("start")
		all.Go(func() {
			out, err := cmd.CombinedOutput()
			if said[i] = string(out); err != nil {
				t.Errorf("coord-hub start: %v: %s", err, out)
			}
		})
	}
	all.Wait()
	began := 0
	for _, s := range said {
		if strings.HasPrefix(s, "started ") {
			began++
		} else if !strings.HasPrefix(s, "already running ") {
			t.Errorf("start says %q", s)
		}
	}
	if hubs := home.Hubs(); began != 1 || len(hubs) != 1 {
		t.Errorf("%d of 5 have started a hub, %d run; want one", began, len(hubs))
	}
}

func TestStatusTellsWhoIsHere(t *testing.T) {
	home := coordtest.NewHome(t)
	shop, site := coordtest.NewRepo(t, "shop"), coordtest.NewRepo(t, "site")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", site.Dir)
	alice.Announce("src/index.ts")
	bob.Status()
	said := command(t, home, "status")
	for _, row := range []string{`agents +2 online\n`, `\ndata +` + regexp.QuoteMeta(home.Dir) + `\S*\n`, `\n +alice +coord-driver +\S+ +working\b`, `\n +bob +coord-driver +\S+ +(idle|working)\b`} {
		if !regexp.MustCompile(row).MatchString(said) {
			t.Errorf("status does not say %q:\n%s", row, said)
		}
	}
	var status struct {
		Agents tool.AgentCount `json:"agents"`
	}
	if err := json.Unmarshal([]byte(command(t, home, "status", "--json")), &status); err != nil {
		t.Fatal(err)
	}
	if here := status.Agents.Here; len(here) != 2 || here[0].Project == here[1].Project || here[0].Client != "coord-driver" {
		t.Errorf("status --json names %+v", here)
	}
	if own := alice.Status().Agents; own.Here != nil {
		t.Errorf("a session is told of %+v", own.Here)
	}
}
