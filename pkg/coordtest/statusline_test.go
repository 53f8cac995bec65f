package coordtest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest"
)

// statusLine prepares coord-shim statusline as a client runs it; with a pid of 0
// the client does not name itself.
func statusLine(home *coordtest.Home, session, dir string, pid int) *exec.Cmd {
	cmd := exec.Command(home.Program("coord-shim"), "statusline") // #nosec G204 -- the binary under test
	cmd.Env = append(os.Environ(), "COORDINATOR_HOME="+home.Dir, "NO_COLOR=1", "GORACE=atexit_sleep_ms=0")
	if pid > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("CLAUDE_PID=%d", pid))
	}
	cmd.Stdin = bytes.NewReader(fmt.Appendf(nil, `{"hook_event_name":"Status","session_id":%q,"cwd":%q,"workspace":{"current_dir":%q,"project_dir":%q},"model":{"id":"m"},"version":"2.1"}`, session, dir, dir, dir))
	return cmd
}

func lineOf(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Errorf("coord-shim statusline: %v, stderr %q", err, errs.String())
	}
	return out.String()
}

func TestTheStatusLineSaysWhatConcernsTheSession(t *testing.T) {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop", "login.go")
	if got := lineOf(t, statusLine(home, "s", repo.Dir, 0)); got != "" {
		t.Errorf("without a hub it says %q", got)
	}
	if hubs := home.Hubs(); len(hubs) > 0 {
		t.Errorf("it has started a hub: %v", hubs)
	}
	alice, bob := home.HookSession("alice", repo.Dir), home.HookSession("bob", repo.Dir)
	alice.Start()
	line := func(c *coordtest.HookSession, pid int) string {
		t.Helper()
		return lineOf(t, statusLine(home, c.Session, repo.Dir, pid))
	}
	if got := line(alice, alice.PID()); got != "coord: nobody else here\n" {
		t.Errorf("alone, alice reads %q", got)
	}
	bob.Start()
	bob.Prompt()
	if got := line(alice, 0); got != "coord: 1 peer, 1 working\n" { // by the session alone
		t.Errorf("with bob at work, alice reads %q", got)
	}
	edit := coordtest.Fill{"file": "login.go"}
	if said := bob.Hook("pre-tool", "pre_edit", edit); said.Denied {
		t.Fatal(said.Reason)
	}
	alice.Prompt()
	if said := alice.Hook("pre-tool", "pre_edit", edit); !said.Denied {
		t.Fatalf("alice may write what bob holds: %+v", said)
	}
	if got := line(alice, alice.PID()); got != "coord: 1 peer, 1 working · waiting for login.go\n" {
		t.Errorf("refused, alice reads %q", got)
	}
	if got := line(bob, bob.PID()); got != "coord: 1 peer · 1 waiting for you\n" {
		t.Errorf("bob reads %q", got)
	}
	bob.Stop() // and alice is told that the file is free
	for c, want := range map[*coordtest.HookSession]string{alice: "coord: 1 peer\n", bob: "coord: 1 peer, 1 working\n"} {
		if got := line(c, c.PID()); got != want {
			t.Errorf("when the file is free, %s reads %q, want %q", c.Session, got, want)
		}
	}
	if got := lineOf(t, statusLine(home, "another", repo.Dir, os.Getpid())); got != "" {
		t.Errorf("a session that nobody knows reads %q", got)
	}
}

// From the fork of coord-shim statusline to its end, with 50 sessions connected.
func BenchmarkStatusLine(b *testing.B) {
	home, repo := coordtest.NewHome(b), coordtest.NewRepo(b, "shop", "login.go")
	for i := range 50 {
		home.Agent(fmt.Sprintf("session-%d", i), repo.Dir).Status()
	}
	alice := home.HookSession("alice", repo.Dir)
	alice.Start()
	var sample []time.Duration
	for b.Loop() {
		cmd := statusLine(home, alice.Session, repo.Dir, alice.PID())
		var out bytes.Buffer
		cmd.Stdout = &out
		start := time.Now()
		if err := cmd.Run(); err != nil || out.Len() == 0 {
			b.Fatalf("%v, %q", err, out.String())
		}
		sample = append(sample, time.Since(start))
	}
	report(b, sample)
}
