package coordtest_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coordtest"
)

// git runs a git command in a session's working tree.
func git(t *testing.T, c *coordtest.HookSession, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+time.Now().Add(2*time.Second).Format(time.RFC3339)) // in a later second than what was done before
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// edits is an edit with its write between the two hooks.
func edits(t *testing.T, c *coordtest.HookSession, name string) coordtest.Said {
	t.Helper()
	fill := coordtest.Fill{"file": name, "tool_use": "toolu_" + rand.Text()}
	said := c.Hook("pre-tool", "pre_edit", fill)
	if said.Denied {
		return said
	}
	change(t, c, name)
	after := c.Hook("post-tool", "post_edit", fill)
	said.Context += after.Context
	return said
}

func reads(c *coordtest.HookSession, name string) coordtest.Said {
	return c.Hook("post-tool", "post_read", coordtest.Fill{"file": name})
}

func TestACommandOverUnseenUncommittedWorkIsRefusedOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		before  func(alice, bob *coordtest.HookSession) // bob's command
		refused bool
	}{
		"never read": {func(_, _ *coordtest.HookSession) {}, true},
		"read since": {func(_, bob *coordtest.HookSession) { reads(bob, "login.go") }, false},
		"read, then changed again": {func(alice, bob *coordtest.HookSession) {
			reads(bob, "login.go")
			alice.Prompt()
			edits(t, alice, "login.go")
			alice.Stop()
		}, true},
		"another file read": {func(_, bob *coordtest.HookSession) { reads(bob, "cart.go") }, true},
		"committed":         {func(alice, _ *coordtest.HookSession) { git(t, alice, "commit", "-qam", "done") }, false},
		"warn mode":         {func(_, bob *coordtest.HookSession) { bob.Env = append(bob.Env, "COORDINATOR_ENFORCE=warn") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob, _ := two(t)
			edits(t, alice, "login.go")
			alice.Stop()
			tt.before(alice, bob)
			const command = "sed -i s/a/b/ login.go"
			said := shell(bob, command)
			if said.Denied != tt.refused {
				t.Fatalf("%+v, want refused %v", said, tt.refused)
			}
			if !tt.refused {
				return
			}
			if !strings.Contains(said.Reason, "alice (idle)") || !strings.Contains(said.Reason, "read it first") || utf8.RuneCountInString(said.Reason) > 600 {
				t.Errorf("the reason is %q, want alice, that she is idle, and what to do, in 600 characters", said.Reason)
			}
			if said := shell(bob, command); said.Denied || !strings.Contains(said.Context, "alice (idle)") {
				t.Errorf("the same command again: %+v, want it to pass with a hint", said)
			}
		})
	}
}

func TestUncommittedWorkOfAnotherSessionIsSaidOncePerChange(t *testing.T) {
	alice, bob, _ := two(t)
	edits(t, alice, "login.go")
	alice.Stop()
	said := edits(t, bob, "login.go")
	if said.Denied || !strings.Contains(said.Context, "uncommitted changes of alice (idle)") {
		t.Errorf("bob's edit of what alice left: %+v, want a hint that names her and says she is idle", said)
	}
	if said := edits(t, bob, "login.go"); strings.Contains(said.Context, "uncommitted") {
		t.Errorf("bob's next edit: %+v, want it said once", said)
	}
}

func TestTheOwnerOfUncommittedWorkIsBusyOrGone(t *testing.T) {
	alice, bob, _ := two(t)
	edits(t, alice, "login.go")
	alice.Stop()
	alice.Prompt()
	if said := bob.BeginEdit("login.go"); !strings.Contains(said.Context, "alice (busy)") {
		t.Errorf("while alice works on something else: %+v", said)
	}
	alice, bob, _ = two(t)
	edits(t, alice, "login.go")
	alice.Stop()
	alice.Hook("session-end", "session_end", coordtest.Fill{"source": "prompt_input_exit"})
	if said := bob.BeginEdit("login.go"); !strings.Contains(said.Context, "alice (gone)") {
		t.Errorf("after alice has ended: %+v", said)
	}
}

func TestUncommittedChangesThatNobodyReportedAreSaid(t *testing.T) {
	alice, bob, home := two(t)
	change(t, alice, "login.go") // by a command nobody could read
	said := bob.BeginEdit("login.go")
	if !strings.Contains(said.Context, "uncommitted changes that this session did not make") {
		t.Errorf("bob's first edit: %+v, want a hint", said)
	}
	silent(t, "the same edit again: nothing has changed", bob.BeginEdit("login.go"))
	// whoever is alone has made them, or the user has
	repo := coordtest.NewRepo(t, "site", "a.go")
	carol := home.HookSession("carol", repo.Dir)
	carol.Start()
	carol.Prompt()
	change(t, carol, "a.go")
	silent(t, "carol's edit, alone in her tree", carol.BeginEdit("a.go"))
}

func TestALeaseEndsWhenItsFileIsCommitted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		commit []string
		before bool // the end of alice's turn
	}{
		"committed in the turn":       {[]string{"commit", "-qam", "done"}, true},
		"taken back in the turn":      {[]string{"checkout", "-q", "--", "login.go"}, true},
		"committed after the turn":    {[]string{"commit", "-qam", "done"}, false},
		"taken back after the turn":   {[]string{"checkout", "-q", "--", "login.go"}, false},
		"still uncommitted (control)": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob, _ := two(t)
			edits(t, alice, "login.go")
			if tt.before {
				git(t, alice, tt.commit...)
			}
			alice.Stop()
			if !tt.before && tt.commit != nil {
				git(t, alice, tt.commit...)
			}
			said := edits(t, bob, "login.go")
			if told := strings.Contains(said.Context, "uncommitted"); said.Denied || told != (tt.commit == nil) {
				t.Errorf("bob's edit: %+v, want it to pass, a hint: %v", said, tt.commit == nil)
			}
			if told := strings.Contains(alice.Prompt().Context, "bob"); told != (tt.commit == nil) {
				t.Errorf("alice is told that bob took over: %v, want %v", told, tt.commit == nil)
			}
		})
	}
}

func TestTheEndOfATurnEndsLeasesOfWhatIsCommitted(t *testing.T) {
	alice, _, _ := two(t)
	edits(t, alice, "login.go")
	git(t, alice, "commit", "-qam", "done")
	edits(t, alice, "cart.go")
	alice.Stop()
	said := alice.Hook("session-start", "session_start", coordtest.Fill{"source": "compact"})
	if strings.Contains(said.Context, "login.go") || !strings.Contains(said.Context, "cart.go") {
		t.Errorf("alice is told %+v, want that she holds cart.go alone", said)
	}
}

func TestACommitDoesNotFreeWhatItsHolderWritesOn(t *testing.T) {
	alice, bob, _ := two(t)
	edits(t, alice, "login.go")
	git(t, alice, "commit", "-qam", "done")
	silent(t, "alice's next edit, not written yet", alice.BeginEdit("login.go"))
	if said := bob.Edit("login.go"); !said.Denied {
		t.Errorf("bob's edit before alice has written: %+v, want a refusal", said)
	}
}

func TestALeaseOutsideARepositoryIsLeftAsItIs(t *testing.T) {
	home := coordtest.NewHome(t)
	dir := t.TempDir()
	for _, name := range []string{".mcp.json", "notes.md"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	alice, bob := home.HookSession("alice", dir), home.HookSession("bob", dir)
	for _, c := range []*coordtest.HookSession{alice, bob} {
		c.Start()
		c.Prompt()
	}
	edits(t, alice, "notes.md")
	alice.Stop()
	if said := edits(t, bob, "notes.md"); said.Denied || !strings.Contains(said.Context, "alice (idle)") {
		t.Errorf("bob's edit: %+v, want it to pass with a hint", said)
	}
}

// gits is a git command of a session, with its two hooks around it.
func gits(t *testing.T, c *coordtest.HookSession, args ...string) coordtest.Said {
	t.Helper()
	fill := coordtest.Fill{"command": "git " + strings.Join(args, " "), "tool_use": "toolu_git_" + c.Name}
	if said := c.Hook("pre-tool", "pre_bash", fill); said.Denied {
		return said
	}
	git(t, c, args...)
	return c.Hook("post-tool", "post_bash", fill)
}

func TestWhatItsHolderCommitsInTheTurnIsFreeAtOnce(t *testing.T) {
	for name, args := range map[string][]string{
		"committed":  {"commit", "-qm", "done", "--", "login.go"},
		"taken back": {"checkout", "-q", "--", "login.go"},
		"stashed":    {"stash", "-q"},
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob, _ := two(t)
			edits(t, alice, "login.go")
			if said := bob.Edit("login.go"); !said.Denied {
				t.Fatalf("bob's edit before: %+v, want a refusal", said)
			}
			if said := gits(t, alice, args...); said.Denied {
				t.Fatalf("alice's git %v: %+v", args, said)
			}
			var said coordtest.Said
			if !coordtest.Eventually(20*time.Second, func() bool {
				said = reads(bob, "cart.go")
				if said.Context == "" { // git may have been late
					alice.Hook("post-tool", "post_bash", coordtest.Fill{"command": "git " + strings.Join(args, " ")})
				}
				return said.Context != ""
			}) || !strings.Contains(said.Context, `"login.go" is free for you`) {
				t.Errorf("bob is told %+v, want that the file is free, although alice's turn goes on", said)
			}
			silent(t, "bob's edit", edits(t, bob, "login.go"))
			if said := alice.BeginEdit("login.go"); !said.Denied || !strings.Contains(said.Reason, "bob") {
				t.Errorf("alice, who goes on with it: %+v, want that bob is at it now", said)
			}
		})
	}
}

func TestAGitCommandThatCommitsNothingFreesNothing(t *testing.T) {
	for _, args := range [][]string{{"add", "login.go"}, {"status"}, {"commit", "-qm", "other", "--", "cart.go"}} {
		alice, bob, _ := two(t)
		edits(t, alice, "login.go")
		edits(t, alice, "cart.go")
		gits(t, alice, args...)
		if said := bob.Edit("login.go"); !said.Denied {
			t.Errorf("bob's edit after alice's git %v: %+v, want a refusal", args, said)
		}
	}
}

func TestAPeerFindsThatWhatRefusesItIsCommitted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		then   func(t *testing.T, alice *coordtest.HookSession)
		passes bool
	}{
		"committed by the user": {func(t *testing.T, alice *coordtest.HookSession) { git(t, alice, "commit", "-qam", "done") }, true},
		"committed, then a command of its holder runs": {func(t *testing.T, alice *coordtest.HookSession) {
			git(t, alice, "commit", "-qam", "done")
			alice.Hook("pre-tool", "pre_bash", coordtest.Fill{"command": "python3 rewrite.py"})
		}, false},
		"committed, then its holder is about to write": {func(t *testing.T, alice *coordtest.HookSession) {
			git(t, alice, "commit", "-qam", "done")
			alice.BeginEdit("login.go")
		}, false},
		"another file committed":  {func(t *testing.T, alice *coordtest.HookSession) { git(t, alice, "commit", "-qm", "x", "--allow-empty") }, false},
		"set back, but no commit": {func(t *testing.T, alice *coordtest.HookSession) { git(t, alice, "checkout", "-q", "--", "login.go") }, false},
		"committed and changed anew": {func(t *testing.T, alice *coordtest.HookSession) {
			git(t, alice, "commit", "-qam", "done")
			if err := os.WriteFile(filepath.Join(alice.Dir, "login.go"), []byte("new\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob, _ := two(t)
			edits(t, alice, "login.go")
			tt.then(t, alice)
			if !tt.passes {
				if said := bob.Edit("login.go"); !said.Denied {
					t.Errorf("bob's edit: %+v, want a refusal", said)
				}
			} else if !coordtest.Eventually(20*time.Second, func() bool { return !bob.Edit("login.go").Denied }) { // git may be late
				t.Error("bob's edit is refused, want it to pass")
			}
		})
	}
}

func TestWhoWaitsForACommittedFileGoesBeforeWhoAsksNow(t *testing.T) {
	alice, bob, home := two(t)
	carol := home.HookSession("carol", alice.Dir)
	carol.Start()
	carol.Prompt()
	edits(t, alice, "login.go")
	if said := carol.Edit("login.go"); !said.Denied {
		t.Fatalf("carol's edit: %+v, want a refusal", said)
	}
	git(t, alice, "commit", "-qam", "done")
	if !coordtest.Eventually(20*time.Second, func() bool { // git may be late
		said := bob.Edit("login.go")
		if !said.Denied {
			t.Error("bob's edit passes, want that carol goes first")
		}
		return !said.Denied || strings.Contains(said.Reason, "kept for carol")
	}) {
		t.Error("bob is not told that it is carol's turn")
	}
	if said := carol.Edit("login.go"); said.Denied {
		t.Errorf("carol's edit: %+v, want it to pass", said)
	}
}
