package coordtest_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/workspace"
)

// ran plays a shell command whose writes cannot be read from its text: the hook
// before it, what it does, and the hook after it.
func ran(c *coordtest.HookSession, does func(), fill coordtest.Fill, payload ...string) coordtest.Said {
	after := "post_bash"
	if len(payload) > 0 {
		after = payload[0]
	}
	fill["tool_use"], fill["command"] = "toolu_ran_"+c.Name, "python3 rewrite.py"
	if before := c.Hook("pre-tool", "pre_bash", fill); before.Denied {
		return before
	}
	does()
	fill["duration"] = "0" // the client does not say: the hub knows when it was let through
	return c.Hook("post-tool", after, fill)
}

func TestWhatAShellCommandWroteIsFoundAfterwardsAndToldToBothSides(t *testing.T) {
	alice, bob, _ := two(t)
	silent(t, "alice's edit", alice.Edit("login.go"))
	change(t, alice, "login.go")
	said := ran(bob, func() { change(t, bob, "login.go") }, coordtest.Fill{})
	if !strings.Contains(said.Context, "a shell command of yours wrote \"login.go\", which alice holds") {
		t.Errorf("bob, whose command wrote alice's file, is told %+v", said)
	}
	if said := alice.Hook("post-tool", "post_read", nil); !strings.Contains(said.Context, `bob wrote "login.go" although you hold it`) {
		t.Errorf("alice is told %+v", said)
	}
	silent(t, "the next command, which writes nothing of hers", ran(bob, func() {}, coordtest.Fill{}))
}

func TestWhatThePeersToolWroteMeanwhileIsNotTheCommands(t *testing.T) {
	alice, bob, _ := two(t)
	said := ran(bob, func() {
		alice.BeginEdit("login.go")
		change(t, alice, "login.go")
		silent(t, "alice's edit", alice.Hook("post-tool", "post_edit", coordtest.Fill{"file": "login.go", "tool_use": "toolu_alice_1"}))
	}, coordtest.Fill{})
	silent(t, "bob's command, which wrote nothing", said)
	silent(t, "alice", alice.Hook("post-tool", "post_read", nil))
}

func TestAFileThatOnlyTheClientListsIsToldAsUnsure(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	change(t, alice, "login.go")
	said := ran(bob, func() {}, coordtest.Fill{"file": "login.go"}, "post_bash_diff")
	if !strings.Contains(said.Context, "may have written") {
		t.Errorf("bob is told %+v", said)
	}
	if said := alice.Hook("post-tool", "post_read", nil); !strings.Contains(said.Context, "may have written") {
		t.Errorf("alice is told %+v", said)
	}
}

func TestAnUnwatchedFileIsFoundByGitAndCountsAsAnEdit(t *testing.T) {
	alice, bob, _ := two(t)
	silent(t, "bob's command", ran(bob, func() { change(t, bob, "fresh.go") }, coordtest.Fill{}))
	found := coordtest.Eventually(20*time.Second, func() bool {
		silent(t, "bob's next tool", bob.Hook("post-tool", "post_read", nil))
		said := alice.BeginEdit("fresh.go")
		if !said.Denied {
			alice.Hook("tool-failed", "failed_edit", coordtest.Fill{"file": "fresh.go"}) // it takes no lease
		}
		return said.Denied && strings.Contains(said.Reason, "bob")
	})
	if !found {
		t.Error("the file that bob's command made is nobody's")
	}
}

func TestACommitIsRefusedForWhatAPeerHasStaged(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	change(t, alice, "login.go")
	bob.Edit("cart.go")
	change(t, bob, "cart.go")
	if said := shell(bob, "git commit -m done"); said.Denied {
		t.Errorf("a commit while nothing of others is staged: %+v", said)
	}
	add := exec.Command("git", "add", "login.go")
	add.Dir, add.Env = alice.Dir, workspace.PlainGitEnv(os.Environ())
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if said := shell(bob, "git commit -m done"); !said.Denied || !strings.Contains(said.Reason, "into your commit") || !strings.Contains(said.Reason, "login.go") {
		t.Errorf("a commit with alice's staged file: %+v, want a refusal", said)
	}
	if said := shell(bob, "git commit -m done -- cart.go"); said.Denied {
		t.Errorf("a commit of bob's own file: %+v", said)
	}
}

func TestACommandFromTheTopOfTheTreeIsReadable(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	if err := os.Mkdir(filepath.Join(bob.Dir, "sub"), 0o750); err != nil {
		t.Fatal(err)
	}
	bob.Dir = filepath.Join(bob.Dir, "sub")
	if said := shell(bob, "cd $(git rev-parse --show-toplevel) && echo x > login.go"); !said.Denied {
		t.Errorf("%+v, want a refusal", said)
	}
}

// used is the sum that GET /api/tokens gives.
func used(t *testing.T, home *coordtest.Home) (turns int, output int64) {
	t.Helper()
	door := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", home.Path.Socket())
	}}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/api/tokens", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := door.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Totals []struct {
			Turns  int   `json:"turns"`
			Output int64 `json:"output"`
		} `json:"totals"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %v", res.StatusCode, err)
	}
	for _, sum := range out.Totals {
		turns, output = turns+sum.Turns, output+sum.Output
	}
	return turns, output
}

func TestEachTurnsTokensAreCountedOnce(t *testing.T) {
	home := coordtest.NewHome(t)
	alice := home.HookSession("alice", coordtest.NewRepo(t, "shop", "login.go").Dir)
	alice.Start()
	said := func(id string, output string) string {
		return `{"type":"assistant","message":{"id":"` + id + `","model":"opus","role":"assistant","usage":{"input_tokens":1,"output_tokens":` + output + `}}}`
	}
	type sum struct {
		Turns  int
		Output int64
	}
	var got []sum
	look := func() {
		turns, output := used(t, home)
		got = append(got, sum{turns, output})
	}
	alice.Prompt()
	alice.Wrote(said("m1", "5"), said("m1", "7"), said("m2", "10"))
	alice.Stop()
	look()
	alice.Stop() // nothing new
	look()
	alice.Prompt()
	alice.Wrote(said("m3", "100"))
	alice.Stop()
	look()
	// the mark is lost, as if the hook had died before it could keep it: the same report counts nothing
	marks, err := filepath.Glob(filepath.Join(home.Path.RunDir(), "tokens", "*"))
	if err != nil || len(marks) != 1 {
		t.Fatalf("marks %v %v", marks, err)
	}
	if err := os.Remove(marks[0]); err != nil {
		t.Fatal(err)
	}
	alice.Stop()
	look()
	if diff := cmp.Diff([]sum{{1, 17}, {1, 17}, {2, 117}, {2, 117}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
