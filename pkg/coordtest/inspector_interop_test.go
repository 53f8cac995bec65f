package coordtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// inspect runs MCP Inspector against a server and reads what it prints.
func inspect[Out any](t *testing.T, node *coordtest.Node, dir string, args ...string) (out Out) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolLimit)
	defer cancel()
	cmd := node.Command(ctx, "@modelcontextprotocol/inspector/clients/launcher/build/index.js", append([]string{"--cli"}, args...)...)
	cmd.Env = append(cmd.Env, "HOME="+cmd.Dir) // where it keeps its own files
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s\n%s", args, err, &stdout, &stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatalf("%v\n%s", err, &stdout)
	}
	return out
}

// Both doors are looked at: the shim over stdio, and the hub over HTTP. The
// inspector also checks that every schema is one that all clients can read.
func TestMCPInspectorGetsOnWithUs(t *testing.T) {
	node := coordtest.NewNode(t)
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", shop.Dir)
	id := project(t, alice)
	for name, door := range map[string][]string{
		"stdio": {coordtest.Build(t).Shim(), "-e", "COORDINATOR_HOME=" + home.Dir, "-e", "COORDINATOR_AGENT_NAME=inspector"},
		"HTTP":  {"http://" + home.Hub().HTTP + "/mcp?project=" + url.QueryEscape(string(id)), "--header", "Authorization: Bearer " + token(t, home)},
	} {
		t.Run(name, func(t *testing.T) {
			file := "src/" + name + ".ts"
			alice.Announce(file)
			listed := inspect[struct{ Tools []struct{ Name string } }](t, node, shop.Dir, append(door, "--strict", "--method", "tools/list")...)
			var got, want []string
			for _, l := range listed.Tools {
				got = append(got, l.Name)
			}
			for _, op := range tool.Offered(false) {
				want = append(want, op.Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("tools (-want +got):\n%s", diff)
			}
			answer := inspect[struct {
				Content []struct{ Type, Text string }
				IsError bool
			}](t, node, shop.Dir, append(door, "--method", "tools/call", "--tool-name", "announce_work", "--tool-arg", "subject=look", `target_files=["`+file+`"]`)...)
			if answer.IsError || len(answer.Content) != 1 || answer.Content[0].Type != "text" {
				t.Fatalf("announce_work answers %+v", answer)
			}
			var verdict tool.AnnounceWorkOut
			if err := json.Unmarshal([]byte(answer.Content[0].Text), &verdict); err != nil {
				t.Fatal(err)
			}
			if verdict.Category != coord.Concerned || len(verdict.ConcernedAgents) != 1 || verdict.ConcernedAgents[0].Name != "alice" {
				t.Errorf("the inspector is told %+v, want that alice is concerned", verdict)
			}
			alice.Await(coord.KindThreadOpened)
		})
	}
}
