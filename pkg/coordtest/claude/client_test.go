package claude_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/claude"
)

const mcpJSON = `{"mcpServers":{"coord":{"command":"coord-shim"}}}`

// TestAToolOfOursIsCalled proves the harness itself: the client starts our shim,
// its model calls a tool of it and gets the answer, in both kinds of session.
func TestAToolOfOursIsCalled(t *testing.T) {
	for name, prompt := range map[string]string{"with a prompt": "say who is here", "at a terminal": ""} {
		t.Run(name, func(t *testing.T) {
			home := coordtest.NewHome(t)
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ".mcp.json"), []byte(mcpJSON), 0o600); err != nil {
				t.Fatal(err)
			}
			s := claude.Start(t, claude.Options{Home: home, User: claude.NewUser(t, dir), Dir: dir, Prompt: prompt,
				Args: []string{"--allowedTools", "mcp__coord__coordinator_status"}, Env: []string{"MCP_CONNECTION_NONBLOCKING=0"}})
			if prompt == "" {
				s.Shows("❯")
				s.Type("say who is here")
			}
			r := s.Model.Next()
			if !strings.Contains(r.Text(), "say who is here") {
				t.Fatalf("the model is asked\n%s", r.Text())
			}
			r.Reply(claude.Use("mcp__coord__coordinator_status", map[string]any{}))
			r = s.Model.Next()
			if !strings.Contains(r.News(), `"hub":`) {
				t.Errorf("the model got\n%s", r.News())
			}
			r.Reply(claude.Say("nobody else"))
			if prompt == "" {
				s.Shows("nobody else")
				return
			}
			if out := s.Wait(); !strings.Contains(out, "nobody else") {
				t.Errorf("printed\n%s", out)
			}
		})
	}
}
