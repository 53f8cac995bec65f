package coordtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

func TestShimAndHooksAreOneAgentWhicheverComesFirst(t *testing.T) {
	for name, hooksFirst := range map[string]bool{"hooks first": true, "shim first": false} {
		t.Run(name, func(t *testing.T) {
			home := coordtest.NewHome(t)
			repo := coordtest.NewRepo(t, "shop", "login.go")
			alice := home.HookSessionHere("alice", repo.Dir)
			var shim *coordtest.Agent
			if hooksFirst {
				alice.Start()
				alice.Prompt()
				shim = alice.Shim()
			} else {
				shim = alice.Shim()
				coordtest.Call(shim, tool.CoordinatorStatus, tool.CoordinatorStatusIn{})
				alice.Start()
				alice.Prompt()
			}
			alice.Edit("login.go")
			mine := coordtest.Call(shim, tool.GetSessionFiles, tool.GetSessionFilesIn{})
			if len(mine.Files) != 1 || mine.Files[0].Path.String() != "login.go" {
				t.Errorf("the shim's agent has edited %+v, want login.go", mine.Files)
			}
			alice.Hook("session-end", "session_end", coordtest.Fill{"source": "clear"})
			alice.Session += "-2"
			alice.Hook("session-start", "session_start", coordtest.Fill{"source": "clear"})
			alice.Prompt()
			alice.Edit("README.md")
			if mine := coordtest.Call(shim, tool.GetSessionFiles, tool.GetSessionFilesIn{}); len(mine.Files) != 2 {
				t.Errorf("after /clear the shim's agent has edited %+v, want both files", mine.Files)
			}
			if agents := coordtest.Call(shim, tool.ListAgents, tool.ListAgentsIn{}).Agents; len(agents) != 1 {
				t.Errorf("%d agents, want one: %+v", len(agents), agents)
			}
		})
	}
}

func TestAResumedSessionFindsItsAgent(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go")
	alice := home.HookSession("alice", repo.Dir)
	alice.Start()
	alice.Prompt()
	alice.Edit("login.go")
	repo.Write("login.go", "alice was here\n") // with nothing uncommitted its lease would end with the turn
	alice.Stop()
	alice.Kill()
	again := home.HookSession("alice", repo.Dir)
	said := again.Hook("session-start", "session_start", coordtest.Fill{"source": "resume"})
	if !strings.Contains(said.Context, `you left uncommitted, others may go on with it: "login.go"`) {
		t.Errorf("the resumed session is told %+v, want where it stands", said)
	}
	if names := again.Peers(); len(names) != 1 {
		t.Errorf("the hub knows %v, want alice alone", names)
	}
}

// TestOneProgramMayHaveSessionsInTwoProjects: a program that others embed, or one
// that begins a new session, has one pid for all of them.
func TestOneProgramMayHaveSessionsInTwoProjects(t *testing.T) {
	home := coordtest.NewHome(t)
	shop, site := coordtest.NewRepo(t, "shop", "login.go"), coordtest.NewRepo(t, "site", "login.go")
	first, second := home.HookSessionHere("alice", shop.Dir), home.HookSessionHere("anna", site.Dir)
	bob, carol := home.HookSession("bob", shop.Dir), home.HookSession("carol", site.Dir)
	for _, c := range []*coordtest.HookSession{bob, first, carol, second} {
		c.Start()
		c.Prompt()
	}
	first.Edit("login.go")
	second.Edit("login.go")
	first.Edit("README.md") // each goes on as itself
	for name, said := range map[string]coordtest.Said{"alice": bob.Edit("login.go"), "anna": carol.Edit("login.go")} {
		if !said.Denied || !strings.Contains(said.Reason, name) {
			t.Errorf("an edit of what %s holds: %+v, want a refusal that names it", name, said)
		}
	}
	for c, want := range map[*coordtest.HookSession][]string{bob: {"alice", "bob"}, carol: {"anna", "carol"}} {
		got := c.Peers()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s's project knows %v, want %v", c.Name, got, want)
		}
	}
}

func TestASessionThatStillRunsElsewhereKeepsItsAgent(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go")
	alice, twin := home.HookSession("alice", repo.Dir), home.HookSession("alice", repo.Dir)
	alice.Start()
	alice.Prompt()
	alice.Edit("login.go")
	twin.Hook("session-start", "session_start", coordtest.Fill{"source": "resume"})
	twin.Prompt()
	if said := twin.Edit("login.go"); !said.Denied {
		t.Errorf("the same session in a second client: %+v, want a refusal", said)
	}
}

func TestAHubThatIsGoneIsStartedAndAnOutageIsSaidOnce(t *testing.T) {
	alice, bob, home := two(t)
	alice.Edit("login.go")
	home.KillHub()
	if said := bob.Edit("login.go"); !said.Denied && said.Note == "" {
		t.Errorf("bob's edit after the hub was killed: %+v, want a new hub's refusal, or a note that there was none in time", said)
	}
	if !coordtest.Eventually(10*time.Second, func() bool { return bob.Edit("login.go").Denied }) {
		t.Error("no new hub refuses what alice holds")
	}
}

// alone is a session whose coord-hook finds no coord-hub to start.
func alone(t *testing.T, env ...string) *coordtest.HookSession {
	t.Helper()
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go")
	c := home.HookSession("alice", repo.Dir)
	dir := t.TempDir()
	raw, err := os.ReadFile(coordtest.Build(t).Hook())
	if err != nil {
		t.Fatal(err)
	}
	c.Program = filepath.Join(dir, "coord-hook")
	if err := os.WriteFile(c.Program, raw, 0o700); err != nil {
		t.Fatal(err)
	}
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	c.Env = append([]string{"PATH=" + filepath.Dir(git), "COORDINATOR_HOOK_TIMEOUT=300ms"}, env...)
	return c
}

func TestWithoutAHubEditsPassAndTheUserIsToldOnce(t *testing.T) {
	alice := alone(t)
	if said := alice.BeginEdit("login.go"); said.Denied || said.Note == "" || said.Context != "" {
		t.Errorf("the first edit: %+v, want it to pass with a note", said)
	}
	silent(t, "the second edit", alice.BeginEdit("login.go"))
	alice.Session += "-2"
	if said := alice.BeginEdit("login.go"); said.Note == "" {
		t.Errorf("another session's first edit: %+v, want a note", said)
	}
}

func TestStrictRefusesEditsWithoutAHub(t *testing.T) {
	alice := alone(t, "COORDINATOR_STRICT=1")
	for range 2 {
		if said := alice.BeginEdit("login.go"); !said.Denied || !strings.Contains(said.Reason, "COORDINATOR_STRICT") {
			t.Errorf("an edit: %+v, want a refusal", said)
		}
	}
	if said := alice.Hook("post-tool", "post_read", coordtest.Fill{"file": "login.go"}); said.Denied {
		t.Errorf("a read: %+v, want it to pass", said)
	}
	silent(t, "a file outside every project", alice.BeginEdit(filepath.Join(t.TempDir(), "notes.txt")))
}

func TestEnforcementIsTheStricterOfSessionAndConfiguration(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env, file      string
		denied, spoken bool
	}{
		"default":                   {"", "", true, false},
		"warn":                      {"warn", "", false, true},
		"off":                       {"off", "", false, false},
		"configuration is stricter": {"off", "warn", false, true},
		"session is stricter":       {"deny", "off", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob, home := two(t)
			if tt.file != "" {
				if err := os.WriteFile(filepath.Join(home.Dir, "config.json"), []byte(`{"defaults":{"enforce":"`+tt.file+`"}}`), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			bob.Env = append(bob.Env, "COORDINATOR_ENFORCE="+tt.env)
			alice.Edit("login.go")
			said := bob.Edit("login.go")
			if said.Denied != tt.denied || (said.Context != "") != tt.spoken {
				t.Errorf("%+v, want denied %v, spoken %v", said, tt.denied, tt.spoken)
			}
			if told := alice.Edit("login.go"); !strings.Contains(told.Context, "bob") {
				t.Errorf("alice is told %+v, want bob's name", told)
			}
		})
	}
}

func TestNewsThatShouldNotWaitBlocksTheStopOnce(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	bob.Edit("login.go")
	alice.Stop()
	said := bob.Stop()
	if !said.Blocked || !strings.Contains(said.Reason, "is free for you") {
		t.Fatalf("bob's stop: %+v, want it blocked with the news", said)
	}
	if said := bob.Hook("stop", "stop_again", nil); said.Blocked {
		t.Errorf("the stop after that: %+v, want it let pass", said)
	}
}

func TestAnIdleSessionIsWokenByItsWaiterAndOnlyByTheNewest(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	bob.Edit("login.go")
	bob.Stop()
	type end struct {
		code int
		said string
	}
	wait := func() (<-chan end, *exec.Cmd) {
		cmd := bob.Command("rewake")
		cmd.Stdin = strings.NewReader(bob.Payload("stop", nil))
		var errs strings.Builder
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out := make(chan end, 1)
		go func() {
			_ = cmd.Wait()
			out <- end{cmd.ProcessState.ExitCode(), errs.String()}
		}()
		return out, cmd
	}
	older, _ := wait()
	newer, _ := wait()
	// Which of the two was first to reach the hub is not for us to say: the one
	// that was replaced ends in silence.
	var replaced end
	select {
	case replaced = <-older:
	case replaced = <-newer:
		newer = older
	case <-time.After(20 * time.Second):
		t.Fatal("two waiters stand side by side")
	}
	if replaced.code != 0 || replaced.said != "" {
		t.Errorf("the replaced waiter ended with %+v, want silence", replaced)
	}
	alice.Stop()
	select {
	case woken := <-newer:
		if woken.code != 2 || !strings.Contains(woken.said, "is free for you") {
			t.Errorf("the waiter ended with %+v, want code 2 and the news", woken)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody woke bob")
	}
	silent(t, "bob's prompt: it has been told", bob.Prompt())
	gone, _ := wait()
	bob.Kill()
	select {
	case end := <-gone:
		if end.code != 0 || end.said != "" {
			t.Errorf("the waiter of a client that is gone ended with %+v", end)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a waiter outlives its client")
	}
}

// TestNobodyWaitsInAClientForOnePrompt: claude -p ends when its hooks have, the
// one in the background too.
func TestNobodyWaitsInAClientForOnePrompt(t *testing.T) {
	_, bob, _ := two(t)
	bob.Edit("login.go")
	bob.Stop()
	bob.Env = append(bob.Env, "CLAUDE_CODE_ENTRYPOINT=sdk-cli")
	if said := bob.Hook("rewake", "stop", nil); said.Code != 0 || said.Stderr != "" {
		t.Errorf("the waiter ended with %+v, want silence", said)
	}
}

func TestACallOfOursBelongsToTheSubagentThatMakesIt(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go")
	alice := home.HookSessionHere("alice", repo.Dir)
	shim := alice.Shim()
	alice.Start()
	alice.Prompt()
	silent(t, "the hook of the subagent's call", alice.Hook("pre-tool", "pre_coord", coordtest.Fill{"agent": "sub-1", "tool_use": "toolu_7"}))
	_, err := shim.MCP().CallTool(t.Context(), &mcp.CallToolParams{Name: "heartbeat", Arguments: map[string]any{"current_file": "login.go"},
		Meta: mcp.Meta{"claudecode/toolUseId": "toolu_7"}})
	if err != nil {
		t.Fatal(err)
	}
	if said := alice.BeginEdit("login.go"); !strings.Contains(said.Context, "sub-1") {
		t.Errorf("the main thread's edit of it: %+v, want a hint that names sub-1", said)
	}
}

func TestAHubThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	alice, _, home := two(t)
	alice.Env = append(alice.Env, "COORDINATOR_HOOK_TIMEOUT=300ms")
	hub, err := os.FindProcess(home.Hub().PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := hub.Signal(syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}()
	start := time.Now()
	if said := alice.BeginEdit("login.go"); said.Denied || said.Note == "" {
		t.Errorf("an edit: %+v, want it to pass with a note", said)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the hook took %v", took)
	}
	silent(t, "the next edit", alice.BeginEdit("login.go"))
}
