package coordtest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/driver"
)

// Raw is a shim spoken to in lines, for what no MCP client would say.
type Raw struct {
	*driver.Process
	t     testing.TB
	lines chan arrival
}

// arrival is a line and when it came.
type arrival struct {
	line []byte
	at   time.Time
}

// Message is a JSON-RPC message as it stands on the line.
type Message struct {
	At     time.Time       `json:"-"` // when it was read
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// Raw starts a shim without an MCP client.
func (h *Home) Raw(name, dir string) *Raw {
	h.t.Helper()
	lines := make(chan arrival, 1024)
	p, err := driver.Spawn(h.options(name, dir), func(line []byte) { lines <- arrival{line, time.Now()} })
	if err != nil {
		h.t.Fatal(err)
	}
	r := &Raw{Process: p, t: h.t, lines: lines}
	h.closeAtEnd(name, p)
	return r
}

// Initialize does the handshake of the given protocol version.
func (r *Raw) Initialize(version string) Message {
	r.t.Helper()
	answer := r.Ask(`{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"` + version +
		`","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}`)
	r.Say(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return answer
}

// Say sends a line.
func (r *Raw) Say(line string) {
	r.t.Helper()
	if _, err := r.Write([]byte(line + "\n")); err != nil {
		r.t.Fatalf("shim takes no more input: %v", err)
	}
}

// Ask sends a line and gives the next answer; notifications are passed over.
func (r *Raw) Ask(line string) Message {
	r.t.Helper()
	r.Say(line)
	return r.Answer()
}

// Answer gives the next answer.
func (r *Raw) Answer() Message {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case a := <-r.lines:
			m := Message{At: a.at}
			if err := json.Unmarshal(a.line, &m); err != nil {
				r.t.Fatalf("shim answered %q: %v", a.line, err)
			}
			if m.Method == "" {
				return m
			}
		case <-r.Exited():
			r.t.Fatal("the shim ended instead of answering")
		case <-deadline.C:
			r.t.Fatalf("no answer within %v", patience)
		}
	}
}

// Refusal gives the words of an error, whether it came as a JSON-RPC error or as
// a tool result that says so; ok is false when the message is no error.
func (m Message) Refusal() (words string, ok bool) {
	if m.Error != nil {
		return m.Error.Message, true
	}
	var result struct {
		IsError bool                    `json:"isError"`
		Content []struct{ Text string } `json:"content"`
	}
	if json.Unmarshal(m.Result, &result) != nil || !result.IsError {
		return "", false
	}
	var b strings.Builder
	for _, c := range result.Content {
		b.WriteString(c.Text)
	}
	return b.String(), true
}
