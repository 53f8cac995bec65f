package hook_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook"
)

// bench is a coord-hook between a client's JSON and a hub that notes what it is
// told and answers what it was given.
type bench struct {
	t   *testing.T
	dir string // a project
	env map[string]string

	mu     sync.Mutex // guards what follows
	answer coord.HookAnswer
	told   []told
}

// told is one request at the hub.
type told struct {
	Event string
	Call  coord.HookCall
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".mcp.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: dir, env: map[string]string{"HOME": t.TempDir(), "COORDINATOR_HOME": filepath.Join(t.TempDir(), "home"), "COORDINATOR_HOOK_TIMEOUT": "20s"}}
	s, err := config.Load(config.Source{Program: config.Hook, Getenv: b.getenv})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Home.Prepare(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", s.Home.Socket())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(b.serve)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return b
}

func (b *bench) getenv(key string) string { return b.env[key] }

func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	var call coord.HookCall
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, told{strings.TrimPrefix(r.URL.Path, "/api/hooks/claude/"), call})
	body, err := json.Marshal(b.answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body))) // the hook reads no other form
	_, _ = w.Write(body)
}

// run gives a client's JSON to the hook, {{cwd}} filled in, and gives back what
// it printed and what the hub was told.
func (b *bench) run(event, stdin string, answer coord.HookAnswer) (printed string, _ []told) {
	b.t.Helper()
	b.mu.Lock()
	b.answer, b.told = answer, nil
	b.mu.Unlock()
	var out, errs bytes.Buffer
	code := hook.Run(b.t.Context(), hook.Options{Stdin: strings.NewReader(strings.ReplaceAll(stdin, "{{cwd}}", b.dir)), Stdout: &out, Stderr: &errs,
		Event: event, Getenv: b.getenv, Version: "test", HubBinary: "/nonexistent/coord-hub"})
	if code != 0 || errs.Len() > 0 {
		b.t.Errorf("exit code %d, standard error %q", code, errs.String())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return out.String(), b.told
}

func TestWhatClaudeCodeSaysIsReadAsItComes(t *testing.T) {
	b := newBench(t)
	const base = `"session_id":"s","cwd":"{{cwd}}"`
	file := func(names ...string) (out []coord.HookFile) {
		for _, name := range names {
			p, err := coord.ParsePath(name)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, coord.HookFile{Path: p})
		}
		return out
	}
	// what the hub is told of a payload, without what lies outside of it
	type said struct {
		Event                      string
		Subagent, Source, Mode     string
		Transcript                 string
		Tool                       coord.HookTool
		ToolUse                    string
		Files, Reads               []coord.HookFile
		Duration                   int64
		Blocked, Background, Carry bool
	}
	for name, tt := range map[string]struct {
		event, stdin string
		want         *said // nil = the hub is told nothing
	}{
		"edit": {"pre-tool", `{` + base + `,"tool_name":"Edit","tool_use_id":"u","permission_mode":"plan","transcript_path":"/t.jsonl","tool_input":{"file_path":"{{cwd}}/a.go","old_string":"secret"}}`,
			&said{Event: "pre-tool", Mode: "plan", Transcript: "/t.jsonl", Tool: coord.EditTool, ToolUse: "u", Files: file("a.go")}},
		"write":                       {"pre-tool", `{` + base + `,"tool_name":"Write","tool_input":{"file_path":"{{cwd}}/d/a.go","content":"x"}}`, &said{Event: "pre-tool", Tool: coord.EditTool, Files: file("d/a.go")}},
		"several edits":               {"pre-tool", `{` + base + `,"tool_name":"MultiEdit","tool_input":{"file_path":"{{cwd}}/a.go","edits":[]}}`, &said{Event: "pre-tool", Tool: coord.EditTool, Files: file("a.go")}},
		"notebook":                    {"pre-tool", `{` + base + `,"tool_name":"NotebookEdit","tool_input":{"notebook_path":"{{cwd}}/n.ipynb","file_path":"{{cwd}}/other"}}`, &said{Event: "pre-tool", Tool: coord.EditTool, Files: file("n.ipynb")}},
		"relative name":               {"pre-tool", `{` + base + `,"tool_name":"Edit","tool_input":{"file_path":"a.go"}}`, &said{Event: "pre-tool", Tool: coord.EditTool, Files: file("a.go")}},
		"outside every project":       {"pre-tool", `{` + base + `,"tool_name":"Edit","tool_input":{"file_path":"/a.go"}}`, &said{Event: "pre-tool", Tool: coord.EditTool}},
		"command":                     {"pre-tool", `{` + base + `,"tool_name":"Bash","tool_input":{"command":"echo secret > a.go"}}`, &said{Event: "pre-tool", Tool: coord.ShellTool, Files: file("a.go")}},
		"read":                        {"post-tool", `{` + base + `,"tool_name":"Read","duration_ms":3.7,"tool_input":{"file_path":"{{cwd}}/a.go"}}`, &said{Event: "post-tool", Reads: file("a.go"), Duration: 3}},
		"read that is only asked for": {"pre-tool", `{` + base + `,"tool_name":"Read","tool_input":{"file_path":"{{cwd}}/a.go"}}`, &said{Event: "pre-tool"}},
		"ours":                        {"pre-tool", `{` + base + `,"tool_name":"mcp__coord__heartbeat","tool_use_id":"u","agent_id":"sub"}`, &said{Event: "pre-tool", Tool: coord.OurTool, ToolUse: "u", Subagent: "sub"}},
		"ours, by the plugin":         {"pre-tool", `{` + base + `,"tool_name":"mcp__plugin_coord_coord__heartbeat"}`, &said{Event: "pre-tool", Tool: coord.OurTool}},
		"another server's":            {"pre-tool", `{` + base + `,"tool_name":"mcp__coordinates__get"}`, &said{Event: "pre-tool"}},
		"stop":                        {"stop", `{` + base + `,"stop_hook_active":true,"background_tasks":[]}`, &said{Event: "stop", Blocked: true}},
		"stop, a subagent goes on":    {"stop", `{` + base + `,"background_tasks":[{"type":"local_agent","status":"running"}]}`, &said{Event: "stop", Background: true}},
		"stop, a kind not known":      {"stop", `{` + base + `,"background_tasks":[{"type":"of_tomorrow"}]}`, &said{Event: "stop", Background: true}},
		"stop, a server goes on":      {"stop", `{` + base + `,"background_tasks":[{"type":"local_bash","status":"running","command":"npm run dev"},{"command":"x"}]}`, &said{Event: "stop"}},
		"stop, all is done":           {"stop", `{` + base + `,"background_tasks":[{"type":"local_agent","status":"completed"},{"type":"local_agent","status":"killed"}]}`, &said{Event: "stop"}},
		"stop failed":                 {"stop-failed", `{` + base + `,"error":"overloaded_error"}`, &said{Event: "stop-failed"}},
		"idle":                        {"idle", `{` + base + `,"notification_type":"idle_prompt"}`, &said{Event: "idle"}},
		"another notification":        {"idle", `{` + base + `,"notification_type":"permission_prompt"}`, nil},
		"the client's own word":       {"SessionEnd", `{` + base + `,"reason":"clear"}`, &said{Event: "session-end", Source: "clear"}},
		"named by its JSON alone":     {"", `{` + base + `,"hook_event_name":"SessionStart","source":"resume"}`, &said{Event: "session-start", Source: "resume"}},
		"no session":                  {"stop", `{"cwd":"{{cwd}}"}`, nil},
		"no place":                    {"stop", `{"session_id":"s"}`, nil},
		"a place that is relative":    {"stop", `{"session_id":"s","cwd":"x"}`, nil},
		"no object":                   {"stop", `["session_id"]`, nil},
		"half of it":                  {"stop", `{` + base, nil},
		"wrong types": {"post-tool", `{` + base + `,"agent_id":7,"permission_mode":{},"transcript_path":[],"tool_name":"Edit","tool_use_id":{},"duration_ms":"x","tool_input":[1],"stop_hook_active":"yes","background_tasks":7}`,
			&said{Event: "post-tool", Tool: coord.EditTool}},
		"a name of another type":   {"post-tool", `{` + base + `,"tool_name":"Edit","tool_input":{"file_path":{"a":1}}}`, &said{Event: "post-tool", Tool: coord.EditTool}},
		"a duration of no sense":   {"post-tool", `{` + base + `,"tool_name":"Edit","duration_ms":-5}`, &said{Event: "post-tool", Tool: coord.EditTool}},
		"a transcript of no sense": {"stop", `{` + base + `,"transcript_path":"relative"}`, &said{Event: "stop"}},
		"keys of tomorrow":         {"stop", `{` + base + `,"of_tomorrow":{"deep":[1,2]}}`, &said{Event: "stop"}},
		"20 MB": {"pre-tool", `{` + base + `,"tool_name":"Write","tool_input":{"file_path":"{{cwd}}/a.go","content":"` + strings.Repeat("x", 20<<20) + `"}}`,
			&said{Event: "pre-tool", Tool: coord.EditTool, Files: file("a.go")}},
	} {
		t.Run(name, func(t *testing.T) {
			printed, calls := b.run(tt.event, tt.stdin, coord.HookAnswer{})
			if printed != "" {
				t.Errorf("printed %q for an answer that says nothing", printed)
			}
			var got *said
			if len(calls) > 0 {
				c := calls[0].Call
				bare := func(files []coord.HookFile) (out []coord.HookFile) {
					for _, f := range files {
						out = append(out, coord.HookFile{Path: f.Path})
					}
					return out
				}
				got = &said{Event: calls[0].Event, Subagent: c.Subagent, Source: c.Source, Mode: c.Mode, Transcript: c.Transcript, Tool: c.Tool, ToolUse: c.ToolUse,
					Files: bare(c.Files), Reads: bare(c.Reads), Duration: c.Duration, Blocked: c.Blocked, Background: c.Background, Carry: len(c.Carried) > 0}
			}
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b coord.Path) bool { return a == b })); diff != "" {
				t.Errorf("the hub is told otherwise (-want +got):\n%s", diff)
			}
			if raw, err := json.Marshal(calls); err != nil || bytes.Contains(raw, []byte("secret")) || len(raw) > 4096 {
				t.Errorf("the hub is told what stands in files or commands: %d bytes, %v", len(raw), err)
			}
		})
	}
}

func TestWhatTheHubAnswersIsPrintedAsClaudeCodeReadsIt(t *testing.T) {
	b := newBench(t)
	const base, read = `"session_id":"s","cwd":"{{cwd}}"`, `,"tool_name":"Read"`
	said := coord.HookAnswer{Context: "look", Note: "for the user"}
	refused := coord.HookAnswer{Refused: true, Reason: "not <now> & \u2028"}
	for name, tt := range map[string]struct {
		event, more string
		answer      coord.HookAnswer
		want        string
	}{
		"silence":                  {"pre-tool", read, coord.HookAnswer{}, ""},
		"context before a tool":    {"pre-tool", read + `,"hook_event_name":"PreToolUse"`, said, `{"systemMessage":"for the user","hookSpecificOutput":{"hookEventName":"PreToolUse","additionalContext":"look"}}`},
		"context after a tool":     {"post-tool", "", said, `{"systemMessage":"for the user","hookSpecificOutput":{"hookEventName":"PostToolUse","additionalContext":"look"}}`},
		"context with a prompt":    {"prompt", "", coord.HookAnswer{Context: "look"}, `{"hookSpecificOutput":{"hookEventName":"UserPromptSubmit","additionalContext":"look"}}`},
		"context at the start":     {"session-start", "", coord.HookAnswer{Context: "look"}, `{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"look"}}`},
		"no context at a stop":     {"stop", "", said, `{"systemMessage":"for the user"}`},
		"no context at the end":    {"session-end", "", coord.HookAnswer{Context: "look"}, ""},
		"a refused tool":           {"pre-tool", read, refused, `{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"not \u003cnow\u003e \u0026 \u2028"}}`},
		"a stop that is blocked":   {"stop", "", refused, `{"decision":"block","reason":"not \u003cnow\u003e \u0026 \u2028"}`},
		"nothing else is stopped":  {"post-tool", "", refused, ""},
		"a user's prompt never is": {"prompt", "", refused, ""},
	} {
		t.Run(name, func(t *testing.T) {
			printed, _ := b.run(tt.event, `{`+base+tt.more+`}`, tt.answer)
			want := tt.want
			if want != "" {
				want += "\n"
			}
			if diff := cmp.Diff(want, printed); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestALongContextIsCut(t *testing.T) {
	b := newBench(t)
	printed, _ := b.run("post-tool", `{"session_id":"s","cwd":"{{cwd}}"}`, coord.HookAnswer{Context: strings.Repeat("ü", 20_000)})
	var out struct {
		Specific struct {
			Context string `json:"additionalContext"`
		} `json:"hookSpecificOutput"`
	}
	if err := json.Unmarshal([]byte(printed), &out); err != nil {
		t.Fatal(err)
	}
	if n := len([]rune(out.Specific.Context)); n != 10_000 {
		t.Errorf("%d characters, want 10,000: the client puts more into a file", n)
	}
}

func TestNewsIsConfirmedOnceItIsPrinted(t *testing.T) {
	b := newBench(t)
	receipt := &coord.HookReceipt{Agent: "a-1", Rung: coord.RungHook, Seqs: []coord.Seq{4, 7}}
	_, calls := b.run("post-tool", `{"session_id":"s","cwd":"{{cwd}}"}`, coord.HookAnswer{Context: "news", Receipt: receipt})
	if len(calls) != 2 || calls[1].Event != "written" || !cmp.Equal(calls[1].Call.Receipt, receipt) {
		t.Errorf("the hub is told %+v, want the receipt sent back", calls)
	}
}

func TestWhatTheHubDoubtsIsLookedAtOnce(t *testing.T) {
	b := newBench(t)
	doubt := coord.Doubt{Workspace: "elsewhere", Lease: "L-1", Touched: 5}
	answer := coord.HookAnswer{Check: []coord.Doubt{doubt}, Look: []coord.Suspicion{{Agent: "a-1", Transcript: filepath.Join(b.dir, "none.jsonl"), Heard: 3}}}
	printed, calls := b.run("pre-tool", `{"session_id":"s","cwd":"{{cwd}}","tool_name":"Read"}`, answer)
	if len(calls) != 2 || printed != "" {
		t.Fatalf("%d calls and %q, want two and silence", len(calls), printed)
	}
	want := coord.HookCall{Checked: []coord.Finding{{Doubt: doubt}}, Looked: []coord.Interruption{{Agent: "a-1", Heard: 3}}}
	got := coord.HookCall{Checked: calls[1].Call.Checked, Looked: calls[1].Call.Looked}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b coord.Path) bool { return a == b })); diff != "" {
		t.Errorf("the hub is told otherwise the second time (-want +got):\n%s", diff)
	}
}
