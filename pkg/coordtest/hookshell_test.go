package coordtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coordtest"
)

// change writes a file as a client's tool does between its two hooks.
func change(t *testing.T, c *coordtest.HookSession, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.Dir, name), []byte("changed by "+c.Name+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func shell(c *coordtest.HookSession, command string) coordtest.Said {
	return c.Hook("pre-tool", "pre_bash", coordtest.Fill{"command": command})
}

func TestWritingByShellIsTheSameConflict(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	patch := filepath.Join(t.TempDir(), "fix.patch")
	if err := os.WriteFile(patch, []byte("--- a/login.go\n+++ b/login.go\n@@ -1 +1 @@\n-shop login.go\n+x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"find . -name '*.go' -delete", "find . -type f -exec sed -i s/a/b/ {} +", "find . -name login.go -print0 | xargs -0 rm -f",
		"echo login.go | xargs rm", "git apply " + patch, "git am < " + patch, "patch -p1 < " + patch} {
		if said := shell(bob, command); !said.Denied || !strings.Contains(said.Reason, "alice") {
			t.Errorf("%s: %+v, want a refusal", command, said)
		}
	}
	for _, command := range []string{"cat > login.go <<'EOF'\nx\nEOF", "sed -i s/a/b/ login.go", "cp cart.go login.go", "rm login.go", "echo x | tee -a ./login.go", "cd / && echo > " + filepath.Join(bob.Dir, "login.go")} {
		if said := shell(bob, command); !said.Denied || !strings.Contains(said.Reason, "alice") {
			t.Errorf("%s: %+v, want a refusal", command, said)
		}
	}
	for _, command := range []string{"cat login.go", "find . -name '*.go' -exec grep -n x {} +", "find . -name '*.md' -delete", "git apply --stat " + patch, "grep -rn x .", "git status", "git log -p login.go", "go test ./..."} {
		if said := shell(bob, command); said.Denied {
			t.Errorf("%s: %+v, want it to pass", command, said)
		}
	}
	silent(t, "bob's shell write of another file", shell(bob, "echo x > cart.go"))
	silent(t, "the end of it", bob.Hook("post-tool", "post_bash", coordtest.Fill{"command": "echo x > cart.go"}))
	alice.Hook("post-tool", "post_read", nil) // news
	if said := alice.Edit("cart.go"); !said.Denied || !strings.Contains(said.Reason, "bob") {
		t.Errorf("alice's edit of what bob wrote by shell: %+v, want a refusal (bob waits for alice, but goes on elsewhere)", said)
	}
}

func TestGitThatTouchesTheWorkOfOthersIsRefused(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("login.go")
	change(t, alice, "login.go")
	bob.Edit("cart.go")
	change(t, bob, "cart.go")
	for command, words := range map[string]string{
		"git stash":             "would",
		"git reset --hard":      "throw away",
		"git checkout .":        "throw away",
		"git restore .":         "throw away",
		"git add -A":            "into your commit",
		"git commit -am done":   "into your commit",
		"cd . && git clean -fd": "",
	} {
		said := shell(bob, command)
		if words == "" {
			if said.Denied {
				t.Errorf("%s: %+v, want it to pass", command, said)
			}
			continue
		}
		if !said.Denied || !strings.Contains(said.Reason, "alice") || !strings.Contains(said.Reason, "login.go") || !strings.Contains(said.Reason, words) {
			t.Errorf("%s: %+v, want a refusal that names alice, login.go and %q", command, said, words)
		}
		if strings.Contains(said.Reason, "\"cart.go\"") {
			t.Errorf("%s: bob's own file counts as another's: %s", command, said.Reason)
		}
		if n := utf8.RuneCountInString(said.Reason); n > 600 {
			t.Errorf("%s: %d characters", command, n)
		}
	}
	for _, command := range []string{"git add cart.go", "git commit -m done -- cart.go", "git checkout -- cart.go", "git diff", "git stash list"} {
		if said := shell(bob, command); said.Denied {
			t.Errorf("%s: %+v, want it to pass", command, said)
		}
	}
	alice.Stop()
	if said := shell(bob, "git stash"); !said.Denied {
		t.Errorf("a stash over what an idle session left: %+v, want a refusal", said)
	}
	// as it was: nothing uncommitted lies there
	if err := os.WriteFile(filepath.Join(alice.Dir, "login.go"), []byte("shop login.go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := shell(bob, "git stash"); said.Denied {
		t.Errorf("a stash when nothing of others is uncommitted: %+v, want it to pass", said)
	}
	bob.Env = append(bob.Env, "COORDINATOR_ENFORCE=warn")
	change(t, alice, "login.go")
	if said := shell(bob, "git stash"); said.Denied || !strings.Contains(said.Context, "login.go") || strings.Contains(said.Context, "not run") {
		t.Errorf("a stash in warn mode: %+v, want a hint that does not say it was stopped", said)
	}
}
