package coordtest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
)

// What coord puts before a model, in tokens: once per session, and for each thing
// that happens.
func BenchmarkTokens(b *testing.B) {
	home := coordtest.NewHome(b)
	repo := coordtest.NewRepo(b, "shop", "login.go", "cart.go")
	shim := home.Raw("carol", repo.Dir)
	defer func() { _ = shim.Close() }() // the home says what was wrong with its end
	var hello struct {
		Instructions string `json:"instructions"`
	}
	if err := json.Unmarshal(shim.Initialize("2025-11-25").Result, &hello); err != nil {
		b.Fatal(err)
	}
	list := shim.Ask(`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`).Result
	var tools struct {
		Tools []struct {
			Name string          `json:"name"`
			Meta json.RawMessage `json:"_meta"`
		} `json:"tools"`
	}
	var raw struct {
		Tools []json.RawMessage `json:"tools"`
	}
	if err := json.Unmarshal(list, &tools); err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(list, &raw); err != nil {
		b.Fatal(err)
	}
	deferred := hello.Instructions
	for i, t := range tools.Tools {
		if strings.Contains(string(t.Meta), "alwaysLoad") {
			deferred += string(raw.Tools[i])
		} else {
			deferred += "mcp__coord__" + t.Name + "\n"
		}
	}

	alice, bob := home.HookSession("alice", repo.Dir), home.HookSession("bob", repo.Dir)
	start := alice.Start().Context
	bob.Start()
	alice.Prompt()
	bob.Prompt()
	nothing := alice.Edit("login.go").Raw
	refusal := bob.Edit("login.go").Reason
	wanted := alice.Edit("login.go").Context
	alice.Stop()
	free := bob.Hook("post-tool", "post_read", coordtest.Fill{"file": "cart.go"}).Context
	if refusal == "" || wanted == "" || free == "" || nothing != "" {
		b.Fatalf("refusal %q, waiting %q, release %q; without an overlap %q", refusal, wanted, free, nothing)
	}

	for _, m := range []struct {
		name, method, text string
	}{
		{"session-start/tools-on-demand", "instructions, the tools that stay loaded, the names of the others", deferred},
		{"session-start/all-tools", "instructions and tools/list whole", hello.Instructions + string(list)},
		{"session-start/hook", "context of SessionStart, alone", start},
		{"edit-without-overlap", "all that the hook prints", nothing},
		{"event/somebody-waits", "news beside a tool result", wanted},
		{"event/file-free", "news beside a tool result", free},
		{"refusal", "reason of a refused edit", refusal},
	} {
		b.Run(m.name, func(b *testing.B) {
			b.Log("method:", m.method, "- bytes / 4")
			for b.Loop() {
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(coord.EstimateTokens(len(m.text))), "tokens")
		})
	}
}
