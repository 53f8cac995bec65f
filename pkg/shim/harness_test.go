package shim_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/shim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// client is the other end of a shim's standard streams, in raw lines.
type client struct {
	t      *testing.T
	in     *io.PipeWriter
	out    *io.PipeReader
	lines  chan []byte
	stop   context.CancelFunc
	ended  chan struct{}
	err    error // of Run, once ended
	stderr *buffer
}

// buffer is a writer that may be read while others write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newHome names a home that does not exist yet, with a path short enough for sockets.
func newHome(t *testing.T) config.Home {
	t.Helper()
	parent, err := os.MkdirTemp("", "shim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	home, err := config.Find(func(key string) string {
		return map[string]string{"COORDINATOR_HOME": filepath.Join(parent, "h")}[key]
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	return home
}

// startShim runs a shim in a fresh directory. What change leaves alone is usual.
func startShim(t *testing.T, home config.Home, change func(*shim.Options)) *client {
	t.Helper()
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	c := &client{t: t, in: in, out: out, lines: make(chan []byte, 1000), ended: make(chan struct{}), stderr: &buffer{}}
	o := shim.Options{Stdin: stdin, Stdout: stdout, Stderr: c.stderr, Home: home, Dir: t.TempDir(), Version: "v1.2.3",
		Getenv: func(string) string { return "" }, HubBinary: filepath.Join(t.TempDir(), "coord-hub")}
	if change != nil {
		change(&o)
	}
	s, err := shim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	c.stop = stop
	go func() {
		c.err = s.Run(ctx)
		_ = stdout.Close()
		close(c.ended)
	}()
	go func() {
		defer close(c.lines)
		for r := bufio.NewReader(out); ; {
			l, err := r.ReadBytes('\n')
			if err != nil {
				return
			}
			c.lines <- l
		}
	}()
	t.Cleanup(func() {
		stop()
		_ = in.Close()
		c.wantEnd()
		if t.Failed() {
			t.Logf("the shim's log:\n%s", c.stderr)
		}
	})
	return c
}

// wantEnd waits for the end of the shim, which must be an orderly one.
func (c *client) wantEnd() {
	c.t.Helper()
	select {
	case <-c.ended:
		if c.err != nil {
			c.t.Errorf("the shim ended with: %v", c.err)
		}
	case <-time.After(patience):
		c.t.Error("the shim does not end")
	}
}

func (c *client) send(line string) {
	c.t.Helper()
	if _, err := c.in.Write([]byte(line + "\n")); err != nil {
		c.t.Fatalf("send %.80s: %v", line, err)
	}
}

// message is one line of the shim.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// next gives the shim's next line, which must be a JSON-RPC message.
func (c *client) next() message {
	c.t.Helper()
	select {
	case l, ok := <-c.lines:
		if !ok {
			c.t.Fatal("the shim said no more")
		}
		var m message
		if err := json.Unmarshal(l, &m); err != nil || m.Version != "2.0" {
			c.t.Fatalf("on stdout: %q is no message (%v)", l, err)
		}
		return m
	case <-time.After(patience):
		c.t.Fatal("the shim says nothing")
	}
	panic("unreachable")
}

// answer gives the next answer; notifications before it are dropped.
func (c *client) answer() message {
	c.t.Helper()
	for {
		if m := c.next(); m.Method == "" {
			return m
		}
	}
}

func (c *client) ask(line string) message {
	c.t.Helper()
	c.send(line)
	return c.answer()
}

// wantSilence fails when the shim says anything before it answers a ping.
func (c *client) wantSilence() {
	c.t.Helper()
	if m := c.ask(`{"jsonrpc":"2.0","id":"silence","method":"ping"}`); string(m.ID) != `"silence"` {
		c.t.Fatalf("the shim said %s %s", m.ID, m.Result)
	}
}

const hello = `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":%q,"version":"9"}}}`

// introduce does the handshake, as the named client program.
func (c *client) introduce(name string) {
	c.t.Helper()
	if m := c.ask(fmt.Sprintf(hello, name)); m.Error != nil {
		c.t.Fatalf("initialize: %s", m.Error.Message)
	}
	c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

// toolCall words a call.
func toolCall(id int, name, args string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, name, args)
}

// call makes a tool call and gives the text of its result.
func (c *client) call(id int, name, args string) (text string, isError bool) {
	c.t.Helper()
	return c.text(c.ask(toolCall(id, name, args)))
}

// text reads the result of a tool call: one block of text and nothing else.
func (c *client) text(m message) (text string, isError bool) {
	c.t.Helper()
	if m.Error != nil {
		c.t.Fatalf("call %s: protocol error %d %s", m.ID, m.Error.Code, m.Error.Message)
	}
	var result struct {
		Content []struct{ Type, Text string }
		IsError bool
	}
	dec := json.NewDecoder(bytes.NewReader(m.Result))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&result); err != nil || len(result.Content) != 1 || result.Content[0].Type != "text" {
		c.t.Fatalf("result %s is not one block of text (%v)", m.Result, err)
	}
	return result.Content[0].Text, result.IsError
}

// wantRefused makes a call that must give a tool error naming all words.
func (c *client) wantRefused(id int, name, args string, words ...string) {
	c.t.Helper()
	text, isError := c.call(id, name, args)
	if !isError {
		c.t.Errorf("%s %s was taken: %s", name, args, text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			c.t.Errorf("%s %s: the error %q does not name %q", name, args, text, w)
		}
	}
}
