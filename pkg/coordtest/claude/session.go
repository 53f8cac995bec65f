package claude

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest"
)

// Options of a session.
type Options struct {
	Home   *coordtest.Home // where its shim and hooks find the hub
	User   string          // the user's home directory, shared by sessions of one test
	Dir    string          // the directory it is started in
	Prompt string          // "" = the terminal program, which waits for Type
	Args   []string        // further arguments of the client
	Env    []string        // further environment, "NAME=value"
}

// Session is one run of Claude Code.
type Session struct {
	Model *Model

	t      testing.TB
	dir    string
	output bytes.Buffer        // of a session with a prompt
	cmd    *exec.Cmd           // of a session with a prompt
	screen *coordtest.Terminal // of one without
	done   chan struct{}
}

// NewUser makes the home directory of a user who has used Claude Code before and
// trusts the directories.
func NewUser(t testing.TB, trusted ...string) string {
	t.Helper()
	user := t.TempDir()
	projects := map[string]any{}
	for _, dir := range trusted {
		projects[dir] = map[string]any{"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true,
			"enabledMcpjsonServers": []string{"coord"}, "allowedTools": []string{}}
	}
	content, err := json.Marshal(map[string]any{
		"hasCompletedOnboarding": true, "theme": "dark", "autoUpdates": false, "numStartups": 5,
		"customApiKeyResponses":         map[string]any{"approved": []string{apiKey}, "rejected": []string{}},
		"bypassPermissionsModeAccepted": true,
		"projects":                      projects,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(user, ".claude.json"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return user
}

// apiKey opens nothing; the client wants to have one.
const apiKey = "sk-dummy"

// Start runs Claude Code with a scripted model of its own. It ends with the test.
func Start(t testing.TB, o Options) *Session {
	t.Helper()
	s := &Session{Model: NewModel(t), t: t, dir: o.Dir, done: make(chan struct{})}
	program := coordtest.NewNode(t).ClaudeCode()
	env := append([]string{
		"PATH=" + filepath.Dir(o.Home.Program("coord-shim")) + ":" + os.Getenv("PATH"),
		"HOME=" + o.User, "LANG=C.UTF-8", "TERM=xterm-256color", "TMPDIR=" + t.TempDir(),
		"ANTHROPIC_BASE_URL=" + s.Model.URL(), "ANTHROPIC_API_KEY=" + apiKey,
		"DISABLE_AUTOUPDATER=1", "DISABLE_TELEMETRY=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "IS_SANDBOX=1",
		"COORDINATOR_HOME=" + o.Home.Dir,
	}, o.Env...)
	o.Home.SettleAtEnd("claude", "coord-shim", "coord-hook")
	if o.Prompt == "" {
		s.screen = coordtest.NewTerminal(t, 180, 50, o.Dir, env, append([]string{program}, o.Args...))
		return s
	}
	s.cmd = exec.Command(program, append([]string{"-p", o.Prompt, "--output-format", "stream-json", "--verbose"}, o.Args...)...) // #nosec G204 -- the pinned client
	s.cmd.Dir, s.cmd.Env = o.Dir, env
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.WaitDelay = 5 * time.Second
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended error
	go func() {
		ended = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may have ended, as it should
		<-s.done
		if t.Failed() {
			t.Logf("claude -p ended with %v:\n%s", ended, s.output.Bytes())
		}
	})
	return s
}

// Wait waits for the end of a session with a prompt and gives what it printed.
func (s *Session) Wait() string {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatalf("claude -p did not end within %v", patience)
	}
	return s.output.String()
}

// Finish lets the model say that it is done, to the request and to all that
// follow, until the session with a prompt ends. It gives what that printed.
func (s *Session) Finish(r *Request) string {
	s.t.Helper()
	for late := time.After(patience); ; {
		r.Reply(Say("done"))
		select {
		case r = <-s.Model.requests: // news has kept it from stopping
		case <-s.done:
			return s.output.String()
		case <-late:
			s.t.Fatalf("claude -p did not end within %v", patience)
		}
	}
}

// Screen is what the terminal shows now.
func (s *Session) Screen() string { return s.screen.Text() }

// Shows waits until the terminal shows the text.
func (s *Session) Shows(text string) {
	s.t.Helper()
	if !coordtest.Eventually(patience, func() bool { return strings.Contains(s.Screen(), text) }) {
		s.t.Fatalf("the terminal does not show %q:\n%s", text, s.Screen())
	}
}

// Type writes a prompt at the terminal and sends it.
func (s *Session) Type(prompt string) {
	s.t.Helper()
	s.screen.Keys("-l", prompt)
	s.Shows(prompt)
	s.screen.Keys("Enter")
}

// Key presses a key by its tmux name: "Escape", "Enter", "C-c".
func (s *Session) Key(name string) { s.screen.Keys(name) }
