package coordtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

func TestEveryToolThatWritesAFileIsGated(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	for _, payload := range []string{"pre_edit", "pre_write", "pre_multi", "pre_notebook"} {
		if said := bob.Hook("pre-tool", payload, coordtest.Fill{"file": "login.go"}); !said.Denied || !strings.Contains(said.Reason, "alice") {
			t.Errorf("%s: %+v, want a refusal that names alice", payload, said)
		}
	}
}

func TestWhatEndsATurn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event, payload string
		ends           bool
	}{
		"the turn failed":                    {"stop-failed", "stop_failure", true},
		"the client waits for its user":      {"idle", "idle", true},
		"the client asks for permission":     {"idle", "permission", false},
		"a stop with a server in background": {"stop", "stop_server", true},
		"a stop with a subagent at work":     {"stop", "stop_background", false},
		"a subagent's end":                   {"subagent-stop", "subagent_stop", false},
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob, _ := two(t)
			alice.Edit("login.go")
			silent(t, name, alice.Hook(tt.event, tt.payload, coordtest.Fill{"agent": map[bool]string{true: "sub-1"}[tt.event == "subagent-stop"]}))
			if said := bob.Edit("login.go"); said.Denied == tt.ends {
				t.Errorf("bob's edit then: %+v, want refused %v", said, !tt.ends)
			}
		})
	}
}

func TestInWarnModeTheHolderIsToldOnce(t *testing.T) {
	alice, bob, _ := two(t)
	bob.Env = append(bob.Env, "COORDINATOR_ENFORCE=warn")
	alice.Edit("login.go")
	if said := bob.BeginEdit("login.go"); said.Denied || !strings.Contains(said.Context, "alice") {
		t.Errorf("bob's edit: %+v, want it to pass with a hint", said)
	}
	if said := reads(alice, "cart.go"); strings.Count(said.Context, "- E-") != 1 || !strings.Contains(said.Context, "bob") {
		t.Errorf("alice is told %+v, want one piece of news about bob", said)
	}
	bob.BeginEdit("login.go")
	silent(t, "alice, after bob's second edit", reads(alice, "cart.go"))
	carol, dave, _ := two(t)
	dave.Env = append(dave.Env, "COORDINATOR_ENFORCE=off")
	carol.Edit("login.go")
	silent(t, "an edit with enforcement off", dave.Edit("login.go"))
}

func TestASessionThatGoesOnFindsItsAgentThoughItsShimIsFirst(t *testing.T) {
	home := coordtest.NewHome(t)
	repo := coordtest.NewRepo(t, "shop", "login.go")
	alice := home.HookSession("alice", repo.Dir)
	alice.Start()
	alice.Prompt()
	edits(t, alice, "login.go")
	alice.Stop()
	alice.Kill()
	again := home.HookSessionHere("alice", repo.Dir)
	again.Session = "session-of-the-start"
	shim := again.Shim()
	coordtest.Call(shim, tool.CoordinatorStatus, tool.CoordinatorStatusIn{})
	again.Session = alice.Session // claude --continue: the session it goes on with
	if said := again.Hook("session-start", "session_start", coordtest.Fill{"source": "resume"}); !strings.Contains(said.Context, "login.go") {
		t.Errorf("the session is told %+v, want where it stands", said)
	}
	if mine := coordtest.Call(shim, tool.GetSessionFiles, tool.GetSessionFilesIn{}); len(mine.Files) != 1 {
		t.Errorf("the shim's agent has edited %+v, want login.go", mine.Files)
	}
	agents := coordtest.Call(shim, tool.ListAgents, tool.ListAgentsIn{}).Agents
	if len(agents) != 1 || agents[0].Name != "alice" {
		t.Errorf("the hub knows %+v, want alice alone", agents)
	}
}

func TestAKilledClientsLeasesAreFreeWithinTwoSeconds(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	if said := bob.Edit("login.go"); !said.Denied {
		t.Fatalf("bob's edit while alice lives: %+v, want a refusal", said)
	}
	alice.Kill()
	start := time.Now()
	coordtest.Eventually(10*time.Second, func() bool { return !bob.Edit("login.go").Denied })
	if took := time.Since(start); took >= 2*time.Second {
		t.Errorf("bob may write %v after alice's client was killed, want less than 2 s", took)
	}
}

// The one who contests has it from its answer, the other one as news: their
// users both get it.
func TestAUserIsToldOnceThatTheAgentsDoNotAgree(t *testing.T) {
	for name, contests := range map[string]bool{"who contests": true, "the other one": false} {
		t.Run(name, func(t *testing.T) {
			home := coordtest.NewHome(t)
			repo := coordtest.NewRepo(t, "shop", "login.go")
			alice := home.HookSessionHere("alice", repo.Dir)
			alice.Start()
			alice.Prompt()
			no, yes := alice.Shim(), home.Agent("bob", repo.Dir)
			if !contests {
				no, yes = yes, no
			}
			no.Announce("login.go")
			thread := *yes.Announce("login.go").ThreadID
			for range 4 {
				if said := reads(alice, "login.go"); said.Note != "" {
					t.Errorf("alice's user is told %+v while the agents talk", said)
				}
				coordtest.Call(yes, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: thread, Summary: "me first"})
				coordtest.Call(no, tool.ContestResolution, tool.ContestResolutionIn{ThreadID: thread, Reason: "no"})
			}
			if said := reads(alice, "login.go"); !strings.Contains(said.Note, "did not agree in "+string(thread)) {
				t.Errorf("alice's user is told %+v, want that there is no agreement", said)
			}
			if said := reads(alice, "login.go"); said.Note != "" {
				t.Errorf("alice's user is told again: %+v", said)
			}
		})
	}
}
