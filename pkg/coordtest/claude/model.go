package claude

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for the next request of a session.
const patience = 60 * time.Second

// Block is one content block of the Messages API.
type Block map[string]any

// Say is what a model writes.
func Say(text string) Block { return Block{"type": "text", "text": text} }

// Use is a model's call of a tool.
func Use(tool string, input map[string]any) Block {
	return Block{"type": "tool_use", "name": tool, "input": input}
}

// Model is a scripted stand-in for the Messages API of one session.
type Model struct {
	t        testing.TB
	server   *httptest.Server
	requests chan *Request
	done     chan struct{}

	mu sync.Mutex // guards n
	n  int
}

// NewModel starts a model that lives as long as the test.
func NewModel(t testing.TB) *Model {
	m := &Model{t: t, requests: make(chan *Request), done: make(chan struct{})}
	m.server = httptest.NewServer(m)
	t.Cleanup(func() {
		close(m.done)
		m.server.CloseClientConnections()
		m.server.Close()
	})
	return m
}

// URL is the address to give to the client.
func (m *Model) URL() string { return m.server.URL }

// Next waits for the next request of the conversation. The client's small
// helper requests, which offer no tools, are answered without asking.
func (m *Model) Next() *Request {
	m.t.Helper()
	select {
	case r := <-m.requests:
		return r
	case <-time.After(patience):
		m.t.Fatalf("the model was not asked within %v", patience)
		return nil
	}
}

// Quiet reports whether the model is left alone for the time.
func (m *Model) Quiet(d time.Duration) bool {
	m.t.Helper()
	select {
	case r := <-m.requests:
		m.t.Logf("the model was asked: %s", r.News())
		return false
	case <-time.After(d):
		return true
	}
}

// Request is one question of a client to its model, waiting for its Reply.
type Request struct {
	Messages []Message
	System   string // the system prompt
	reply    chan []Block
	model    *Model
}

// Message is one turn of the conversation as the client sends it.
type Message struct {
	Role    string
	Content []Content
}

// Content is one block of a message.
type Content struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	IsError bool   `json:"is_error"`
	Result  string `json:"-"` // the text of a tool_result
}

// Text is all that the request says to the model, its system prompt excepted.
func (r *Request) Text() string { return textOf(r.Messages) }

// First is the first thing that was said in the conversation: by the user, or to
// a subagent by the one that started it.
func (r *Request) First() string {
	for i, m := range r.Messages {
		if m.Role == "user" {
			return textOf(r.Messages[i : i+1])
		}
	}
	return ""
}

// News is what the request says after the model's last words.
func (r *Request) News() string {
	from := 0
	for i, m := range r.Messages {
		if m.Role == "assistant" {
			from = i + 1
		}
	}
	return textOf(r.Messages[from:])
}

// Refused reports whether a tool call was answered with an error, and its text.
func (r *Request) Refused() (string, bool) {
	for i := len(r.Messages) - 1; i >= 0 && r.Messages[i].Role != "assistant"; i-- {
		for _, c := range r.Messages[i].Content {
			if c.Type == "tool_result" && c.IsError {
				return c.Result, true
			}
		}
	}
	return "", false
}

func textOf(messages []Message) string {
	var out strings.Builder
	for _, m := range messages {
		for _, c := range m.Content {
			out.WriteString(c.Text)
			out.WriteString(c.Result)
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// Reply is the model's turn. Each request is replied to once.
func (r *Request) Reply(blocks ...Block) {
	select {
	case r.reply <- blocks:
	case <-r.model.done:
	}
}

// ServeHTTP speaks the part of the Messages API that the client uses.
func (m *Model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	var ask wire
	switch {
	case r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/messages"):
		answer(w, map[string]any{})
		return
	case strings.Contains(r.URL.Path, "count_tokens"):
		answer(w, map[string]any{"input_tokens": 1000})
		return
	case json.Unmarshal(body, &ask) != nil:
		http.Error(w, "not a messages request", http.StatusBadRequest)
		return
	}
	turn := []Block{Say("ok")}
	if len(ask.Tools) > 1 {
		request := &Request{Messages: ask.messages(), System: plain(ask.System), reply: make(chan []Block), model: m}
		select {
		case m.requests <- request:
		case <-r.Context().Done(): // the user interrupted, or the client ended
			return
		case <-m.done:
			return
		}
		select {
		case turn = <-request.reply:
		case <-r.Context().Done():
			return
		case <-m.done:
			return
		}
	}
	m.write(w, ask, turn)
}

// id counts what needs a name of its own.
func (m *Model) id() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	return strconv.Itoa(m.n)
}

// wire is the request body.
type wire struct {
	Model    string            `json:"model"`
	Stream   bool              `json:"stream"`
	System   json.RawMessage   `json:"system"`
	Tools    []json.RawMessage `json:"tools"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
}

func (w wire) messages() []Message {
	out := make([]Message, 0, len(w.Messages))
	for _, m := range w.Messages {
		out = append(out, Message{Role: m.Role, Content: contents(m.Content)})
	}
	return out
}

// contents reads content that is a string or a list of blocks.
func contents(raw json.RawMessage) []Content {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []Content{{Type: "text", Text: text}}
	}
	var blocks []struct {
		Content
		Inner json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &blocks) != nil {
		return nil
	}
	out := make([]Content, 0, len(blocks))
	for _, b := range blocks {
		if len(b.Inner) > 0 {
			b.Result = plain(b.Inner)
		}
		out = append(out, b.Content)
	}
	return out
}

func plain(raw json.RawMessage) string {
	var out []string
	for _, c := range contents(raw) {
		out = append(out, c.Text)
	}
	return strings.Join(out, "\n")
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away is no failure
}
