package coordtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/tool"
)

// HookSession stands for one Claude Code session: a process with a pid of its own,
// whose hooks are the real coord-hook with payloads in the client's shapes
// (testdata/hooks).
type HookSession struct {
	t          testing.TB
	home       *Home
	Name       string // display name, and the session id it starts with
	Session    string // changes with /clear
	Dir        string // working directory
	Transcript string
	Env        []string // more environment of its hooks
	Program    string   // "" = the coord-hook that was built for the test
	client     *exec.Cmd
	calls      int
}

// HookSession starts a session that works in dir. Its hooks have not said so yet.
func (h *Home) HookSession(name, dir string) *HookSession {
	h.t.Helper()
	client := exec.Command("sleep", "3600") // any process will do: it lives until it is killed
	if err := client.Start(); err != nil {
		h.t.Fatal(err)
	}
	c := &HookSession{t: h.t, home: h, Name: name, Session: "session-" + name, Dir: dir, client: client,
		Transcript: filepath.Join(h.t.TempDir(), name+".jsonl")}
	h.t.Cleanup(c.Kill)
	return c
}

// HookSessionHere is [Home.HookSession] with the test's own process as the client: shims
// that the test starts are its children.
func (h *Home) HookSessionHere(name, dir string) *HookSession {
	return &HookSession{t: h.t, home: h, Name: name, Session: "session-" + name, Dir: dir, Transcript: filepath.Join(h.t.TempDir(), name+".jsonl")}
}

// Shim starts the session's MCP server, as the client does, and initialises it.
func (c *HookSession) Shim() *Agent {
	c.t.Helper()
	o := c.home.options(c.Name, c.Dir)
	o.Client = "claude-code"
	o.Env = append(o.Env, "CLAUDE_CODE_SESSION_ID="+c.Session, "CLAUDE_PROJECT_DIR="+c.Dir)
	s, err := driver.Start(c.t.Context(), o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.home.closeAtEnd(c.Name, s)
	return &Agent{Session: s, Name: c.Name, t: c.t}
}

// Kill ends the client's process without a word.
func (c *HookSession) Kill() {
	_ = c.client.Process.Kill()
	_ = c.client.Wait()
}

// PID is the client's process id.
func (c *HookSession) PID() int {
	if c.client == nil {
		return os.Getpid()
	}
	return c.client.Process.Pid
}

// Said is what a hook has printed.
type Said struct {
	Raw     string // all of standard output
	Stderr  string
	Code    int
	Denied  bool   // permissionDecision deny
	Reason  string // of the denial, or of a blocked stop
	Blocked bool   // decision block
	Context string // additionalContext
	Note    string // systemMessage
}

// Fill is what stands in a payload's places, such as "file".
type Fill map[string]string

// Hook runs one hook with a payload of testdata/hooks.
func (c *HookSession) Hook(event, payload string, fill Fill) Said {
	c.t.Helper()
	return c.Run(event, []byte(c.Payload(payload, fill)))
}

// Run runs one hook with any input.
func (c *HookSession) Run(event string, stdin []byte) Said {
	c.t.Helper()
	cmd := c.Command(event)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	said := Said{}
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case errors.As(err, &exit):
		said.Code = exit.ExitCode()
	case err != nil && !errors.Is(err, os.ErrClosed) && !strings.Contains(err.Error(), "broken pipe"):
		c.t.Fatalf("%s: coord-hook %s: %v", c.Name, event, err)
	}
	said.Raw, said.Stderr = out.String(), errs.String()
	c.read(&said)
	return said
}

// Command prepares one hook, in exec form as the client runs it.
func (c *HookSession) Command(event string) *exec.Cmd {
	program := c.Program
	if program == "" {
		program = c.home.binaries().Hook()
	}
	cmd := exec.Command(program, event) // #nosec G204 -- the binary under test
	cmd.Dir = c.Dir
	cmd.Env = append(append(os.Environ(), "COORDINATOR_HOME="+c.home.Dir, "COORDINATOR_AGENT_NAME="+c.Name, "CLAUDE_PID="+strconv.Itoa(c.PID()),
		"CLAUDE_CODE_ENTRYPOINT=cli", "CLAUDE_CODE_SESSION_ID="+c.Session, "CLAUDE_PROJECT_DIR="+c.Dir, "GORACE=atexit_sleep_ms=0",
		"COORDINATOR_HOOK_TIMEOUT=20s"), c.Env...) // a test machine may be busy: what is late is tested by itself
	return cmd
}

// Payload fills in a payload of testdata/hooks.
func (c *HookSession) Payload(name string, fill Fill) string {
	c.t.Helper()
	root, err := moduleRoot()
	if err != nil {
		c.t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "testdata", "hooks", name+".json")) // #nosec G304 -- our own test data
	if err != nil {
		c.t.Fatal(err)
	}
	c.calls++
	values := Fill{"session": c.Session, "transcript": c.Transcript, "cwd": c.Dir, "agent": "", "file": "", "command": "", "source": "", "duration": "20",
		"tool_use": fmt.Sprintf("toolu_%s_%d", c.Name, c.calls)}
	for k, v := range fill {
		values[k] = v
	}
	if f := values["file"]; f != "" && !filepath.IsAbs(f) {
		values["file"] = filepath.Join(c.Dir, filepath.FromSlash(f)) // Claude Code makes it absolute first
	}
	text := string(raw)
	for k, v := range values {
		quoted, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "{{"+k+"}}", string(quoted[1:len(quoted)-1]))
	}
	return text
}

// read takes the output apart and fails the test for what a client would not
// understand, or must never get.
func (c *HookSession) read(said *Said) {
	c.t.Helper()
	if said.Raw == "" {
		return
	}
	var out struct {
		Decision string `json:"decision"`
		Reason   string `json:"reason"`
		Message  string `json:"systemMessage"`
		Specific struct {
			Event    string `json:"hookEventName"`
			Decision string `json:"permissionDecision"`
			Reason   string `json:"permissionDecisionReason"`
			Context  string `json:"additionalContext"`
		} `json:"hookSpecificOutput"`
	}
	dec := json.NewDecoder(strings.NewReader(said.Raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&out); err != nil {
		c.t.Fatalf("%s: standard output is not the JSON of a hook: %v\n%s", c.Name, err, said.Raw)
	}
	if d := out.Specific.Decision; d != "" && d != "deny" {
		c.t.Errorf("%s: permissionDecision %q must never be given", c.Name, d)
	}
	said.Denied, said.Blocked = out.Specific.Decision == "deny", out.Decision == "block"
	said.Reason, said.Context, said.Note = out.Specific.Reason+out.Reason, out.Specific.Context, out.Message
}

// Start reports the session's start.
func (c *HookSession) Start() Said {
	c.t.Helper()
	return c.Hook("session-start", "session_start", Fill{"source": "startup"})
}

// Prompt reports that the user has asked for something: a turn begins.
func (c *HookSession) Prompt() Said { c.t.Helper(); return c.Hook("prompt", "prompt", nil) }

// Stop reports the end of the turn.
func (c *HookSession) Stop() Said { c.t.Helper(); return c.Hook("stop", "stop", nil) }

// Edit asks for an edit and, when it is let through, reports it done. A subagent
// may be named.
func (c *HookSession) Edit(file string, subagent ...string) Said {
	c.t.Helper()
	said := c.BeginEdit(file, subagent...)
	if said.Denied {
		return said
	}
	c.calls-- // the same tool use
	after := c.Hook("post-tool", "post_edit", Fill{"file": file, "agent": strings.Join(subagent, "")})
	if said.Context == "" {
		said.Context = after.Context
	} else if after.Context != "" {
		said.Context += "\n" + after.Context
	}
	return said
}

// BeginEdit asks for an edit.
func (c *HookSession) BeginEdit(file string, subagent ...string) Said {
	c.t.Helper()
	return c.Hook("pre-tool", "pre_edit", Fill{"file": file, "agent": strings.Join(subagent, "")})
}

// Wrote appends entries to the session's transcript.
func (c *HookSession) Wrote(entries ...string) {
	c.t.Helper()
	f, err := os.OpenFile(c.Transcript, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Join(entries, "\n") + "\n"); err != nil {
		c.t.Fatal(err)
	}
}

// Peers names all agents that the hub knows in the session's project, itself
// included: a shim asks for it.
func (c *HookSession) Peers() []string {
	c.t.Helper()
	watcher := c.home.Agent("watcher", c.Dir)
	all := false
	var out []string
	for _, a := range Call(watcher, tool.ListAgents, tool.ListAgentsIn{OnlineOnly: &all}).Agents {
		if !a.Me {
			out = append(out, a.Name)
		}
	}
	return out
}
