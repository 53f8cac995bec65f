package coordtest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

// toolCall words a tools/call line.
func toolCall(name, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, arguments)
}

// Whatever arrives on stdin, the answer is an error that says what is wrong, and
// the session goes on.
func TestWrongInputIsAnsweredAndTheSessionGoesOn(t *testing.T) {
	const huge = 20 << 20
	inputs := []struct {
		name, line string
		words      string // some of what the error must say
	}{
		{"garbage", "hello, is anybody there?", ""},
		{"half a message", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{`, ""},
		{"two messages on a line", `{"jsonrpc":"2.0","id":1,"method":"ping"} {"jsonrpc":"2.0","id":2,"method":"ping"}`, ""},
		{"a number", "42", ""},
		{"an empty object", "{}", ""},
		{"control bytes", "\x00\x01\x1b[2J", ""},
		{"20 MB of garbage", strings.Repeat("x", huge), ""},
		{"20 MB of arguments", toolCall("post_to_thread", `{"thread_id":"T-1","content":"`+strings.Repeat("x", huge)+`"}`), ""},
		{"invalid UTF-8", toolCall("announce_work", "{\"subject\":\"caf\xe9\",\"target_files\":[\"a.go\"]}"), "UTF-8"},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"tools/destroy"}`, "tools/destroy"},
		{"a probe of the next protocol", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}`, ""},
		{"unknown tool", toolCall("announce_wrok", `{}`), "announce_wrok"},
		{"hidden operation", toolCall("sync", `{}`), "sync"},
		{"unknown argument", toolCall("announce_work", `{"subject":"s","target_files":["a.go"],"files":["b.go"]}`), "target_files"},
		{"wire argument", toolCall("announce_work", `{"subject":"s","target_files":["a/"],"expansions":{"a/":["b.go"]}}`), "expansions"},
		{"text for a list", toolCall("announce_work", `{"subject":"s","target_files":"a.go"}`), "target_files"},
		{"number for text", toolCall("announce_work", `{"subject":5,"target_files":["a.go"]}`), "subject"},
		{"text for a number", toolCall("get_thread", `{"thread_id":"T-1","since_seq":"soon"}`), "since_seq"},
		{"a list of arguments", toolCall("announce_work", `["s",["a.go"]]`), ""},
		{"nothing announced", toolCall("announce_work", `{"subject":"s"}`), "target_files"},
		{"empty lists announced", toolCall("announce_work", `{"subject":"s","target_files":[],"target_modules":[]}`), "target_files"},
		{"no subject", toolCall("announce_work", `{"target_files":["a.go"]}`), "subject"},
		{"no arguments", toolCall("announce_work", `null`), "subject"},
		{"a path outside", toolCall("announce_work", `{"subject":"s","target_files":["../../etc/passwd"]}`), "etc/passwd"},
		{"an absolute path outside", toolCall("announce_work", `{"subject":"s","target_files":["/etc/passwd"]}`), "/etc/passwd"},
		{"too much text", toolCall("post_to_thread", `{"thread_id":"T-1","content":"`+strings.Repeat("x", 4001)+`"}`), "content"},
		{"no such thread", toolCall("get_thread", `{"thread_id":"T-99"}`), "T-99"},
		{"no thread id at all", toolCall("get_thread", `{"thread_id":"../T-1"}`), "T-1"},
		{"no such enum", toolCall("post_to_thread", `{"thread_id":"T-1","content":"c","type":"shout"}`), "question"},
	}
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	shim := home.Raw("mallory", repo.Dir)
	shim.Initialize("2025-11-25")
	for _, in := range inputs {
		t.Run(strings.ReplaceAll(in.name, " ", "_"), func(t *testing.T) {
			words, refused := shim.Ask(in.line).Refusal()
			if !refused {
				t.Fatalf("%.200q is taken for good input", in.line)
			}
			if words == "" || !strings.Contains(words, in.words) {
				t.Errorf("the error says %q, want it to name %q", words, in.words)
			}
			if len(words) > 1000 {
				t.Errorf("the error has %d bytes", len(words))
			}
			answer := shim.Ask(`{"jsonrpc":"2.0","id":"alive","method":"tools/call","params":{"name":"coordinator_status","arguments":{}}}`)
			if words, refused := answer.Refusal(); refused || string(answer.ID) != `"alive"` {
				t.Fatalf("afterwards the session answers %s %q", answer.ID, words)
			}
		})
	}
}

func TestGarbageBeforeTheHandshakeIsSurvived(t *testing.T) {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	shim := home.Raw("mallory", repo.Dir)
	if _, refused := shim.Ask("GET / HTTP/1.1").Refusal(); !refused {
		t.Error("garbage is taken for good input")
	}
	if _, refused := shim.Ask(`{"jsonrpc":"2.0","id":"p","method":"server/discover","params":{}}`).Refusal(); !refused {
		t.Error("server/discover is answered, so a probing client would not fall back to initialize")
	}
	if pids := home.Hubs(); len(pids) != 0 {
		t.Errorf("a shim that nobody initialised has started %d hubs", len(pids))
	}
	if words, refused := shim.Initialize("2025-06-18").Refusal(); refused {
		t.Errorf("initialize is refused: %s", words)
	}
}
