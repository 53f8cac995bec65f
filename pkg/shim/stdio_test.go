package shim_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestWhatIsNoMessageIsAnsweredAndTheSessionGoesOn(t *testing.T) {
	big := strings.Repeat("x", 20<<20)
	for _, c := range []struct {
		name, line, id string
		code           int
		words          string
	}{
		{"garbage", "hello there", "null", -32700, "not valid JSON"},
		{"a truncated message", `{"jsonrpc":"2.0","id":7,"method":"ping","params":{`, "7", -32700, "not valid JSON"},
		{"a string id", `{"jsonrpc":"2.0","id":"a","method":"ping",}`, `"a"`, -32700, "not valid JSON"},
		{"two messages", `{"jsonrpc":"2.0","id":1,"method":"ping"}{}`, "1", -32700, "one message per line"},
		{"invalid UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\",\"params\":{\"a\":\"\xff\"}}", "8", -32700, "UTF-8"},
		{"a number", "42", "null", -32600, "not a JSON object"},
		{"a string", `"x"`, "null", -32600, "not a JSON object"},
		{"null", "null", "null", -32600, "not a JSON object"},
		{"a batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, "null", -32600, "one message per line"},
		{"a batch of garbage", `[1,2,3]`, "null", -32600, "batches"},
		{"an empty object", `{}`, "null", -32600, ""},
		{"no version", `{"id":9,"method":"ping"}`, "9", -32600, ""},
		{"neither request nor answer", `{"jsonrpc":"2.0"}`, "null", -32600, "neither"},
		{"a null id", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, "null", -32600, "id"},
		{"a list as id", `{"jsonrpc":"2.0","id":[1],"method":"ping"}`, "null", -32600, ""},
		{"a number as method", `{"jsonrpc":"2.0","id":10,"method":5}`, "10", -32600, ""},
		{"20 MB of garbage", big, "null", -32700, "4194304"},
		{"20 MB of arguments", `{"jsonrpc":"2.0","id":11,"method":"tools/call","params":{"name":"` + big + `"}}`, "11", -32700, "4194304"},
		{"20 MB, the id at the end", `{"method":"tools/call","params":{"name":"` + big + `"},"jsonrpc":"2.0","id":12}`, "12", -32700, "4194304"},
		{"20 MB, an id inside", `{"method":"tools/call","params":{"name":"` + big + `","id":13}}`, "null", -32700, "4194304"},
		{"unknown method", `{"jsonrpc":"2.0","id":14,"method":"tools/destroy"}`, "14", -32601, "tools/destroy"},
		{"the next protocol's probe", `{"jsonrpc":"2.0","id":15,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, "15", -32601, "server/discover"},
		{"the next protocol's list", `{"jsonrpc":"2.0","id":16,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`, "16", -32022, ""},
		{"a list's second page", `{"jsonrpc":"2.0","id":17,"method":"tools/list","params":{"cursor":"x"}}`, "17", -32602, "cursor"},
		{"a call without a name", `{"jsonrpc":"2.0","id":18,"method":"tools/call","params":{"name":5}}`, "18", -32602, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			peer := startShim(t, newHome(t), nil)
			for _, when := range []string{"before", "after"} {
				m := peer.ask(c.line)
				if m.Error == nil {
					if when == "before" && strings.Contains(c.line, "tools/") {
						continue
					}
					t.Fatalf("%s the handshake: taken for good: %s", when, m.Result)
				}
				if string(m.ID) != c.id {
					t.Errorf("%s the handshake: answered to id %s, want %s", when, m.ID, c.id)
				}
				if when == "after" && (m.Error.Code != c.code || !strings.Contains(m.Error.Message, c.words)) {
					t.Errorf("answered %d %q, want %d and %q in it", m.Error.Code, m.Error.Message, c.code, c.words)
				}
				if len(m.Error.Message) > 300 {
					t.Errorf("the error has %d bytes", len(m.Error.Message))
				}
				if when == "before" {
					peer.introduce("x")
				}
			}
			peer.wantSilence()
		})
	}
}

func TestALongLineTakesBoundedMemory(t *testing.T) {
	peer := startShim(t, newHome(t), nil)
	peer.wantSilence()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	chunk := strings.Repeat("y", 1<<20)
	for range 200 {
		if _, err := peer.in.Write([]byte(chunk)); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if m := peer.ask(""); m.Error == nil || !strings.Contains(m.Error.Message, fmt.Sprint(200<<20)) {
		t.Errorf("answered %+v, want the size of the line", m)
	}
	if used := after.Sys - before.Sys; used > 64<<20 {
		t.Errorf("200 MB of line took %d MB of memory", used>>20)
	}
}

func TestLinesMayEndInAnyWay(t *testing.T) {
	peer := startShim(t, newHome(t), nil)
	peer.send("")
	peer.send("   \r")
	if m := peer.ask(`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\r"); string(m.ID) != "1" {
		t.Errorf("answered %s", m.ID)
	}
	if _, err := peer.in.Write([]byte(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	_ = peer.in.Close() // without a newline
	if m := peer.next(); string(m.ID) != "2" {
		t.Errorf("answered %s", m.ID)
	}
	peer.wantEnd()
}

func TestAnIDInUseIsNotAnsweredTwice(t *testing.T) {
	home := newHome(t)
	h := startHub(t, home)
	peer := startShim(t, home, nil)
	peer.introduce("x")
	<-h.subscribed
	peer.send(toolCall(5, "wait_for_message", `{"timeout_seconds":50}`))
	if m := peer.ask(toolCall(5, "coordinator_status", `{}`)); m.Error == nil || string(m.ID) != "null" {
		t.Errorf("a second call 5 got %s %+v, want an error without an id", m.ID, m.Error)
	}
	h.post(1, "T-1", `{}`)
	if m := peer.answer(); string(m.ID) != "5" {
		t.Errorf("the first call got %s", m.ID)
	}
}

func TestTooManyCallsAreRefused(t *testing.T) {
	home := newHome(t)
	h := startHub(t, home)
	peer := startShim(t, home, nil)
	peer.introduce("x")
	<-h.subscribed
	for id := range 256 {
		peer.send(toolCall(id, "wait_for_message", `{"timeout_seconds":50}`))
	}
	if m := peer.ask(toolCall(1000, "coordinator_status", `{}`)); m.Error == nil || string(m.ID) != "1000" || !strings.Contains(m.Error.Message, "256") {
		t.Errorf("call 257 got %s %+v, want an error that names the limit", m.ID, m.Error)
	}
	peer.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":0}}`)
	for id := 1001; ; id++ { // as soon as the cancelled one has ended
		if m := peer.ask(toolCall(id, "coordinator_status", `{}`)); m.Error == nil {
			break
		}
	}
}

func TestNothingIsTouchedBeforeTheClientIsInitialised(t *testing.T) {
	home := newHome(t)
	peer := startShim(t, home, nil)
	peer.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`) // of nobody yet
	peer.ask(`{"jsonrpc":"2.0","id":1,"method":"server/discover"}`)
	peer.ask(toolCall(2, "coordinator_status", `{}`)) // too early: refused
	peer.ask(fmt.Sprintf(hello, "x"))
	if m := peer.ask(`{"jsonrpc":"2.0","id":3,"method":"tools/list"}`); m.Error != nil {
		t.Fatal(m.Error.Message)
	}
	_ = peer.in.Close()
	peer.wantEnd()
	if _, err := os.Lstat(home.Dir()); err == nil {
		t.Errorf("%s was made", home.Dir())
	}
}

func TestWhatWasAskedBeforeTheEndIsAnswered(t *testing.T) {
	home := newHome(t)
	h := startHub(t, home)
	peer := startShim(t, home, nil)
	go func() {
		peer.send(fmt.Sprintf(hello, "x"))
		peer.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
		peer.send(toolCall(1, "coordinator_status", `{}`))
		peer.send(toolCall(2, "wait_for_message", `{"timeout_seconds":50}`))
		_ = peer.in.Close()
	}()
	got := map[string]bool{}
	for range 3 {
		got[string(peer.answer().ID)] = true
	}
	if !got[`"hello"`] || !got["1"] || !got["2"] {
		t.Errorf("answers to %v, want hello, 1 and 2", got)
	}
	peer.wantEnd()
	h.with(func() {
		if h.left != 1 {
			t.Errorf("left the hub %d times, want once", h.left)
		}
	})
}
