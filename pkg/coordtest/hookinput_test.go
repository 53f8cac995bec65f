package coordtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

// A file is one file whatever its name: the gate sees it, and the one that is
// refused is told who holds it.
func TestFilesWithControlCharactersInTheirNamesAreGated(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"a line break":             "log\nin.go",
		"a return":                 "log\rin.go",
		"a directory's line break": "src\n/login.go",
		"a tab":                    "log\tin.go",
		"a bell":                   "log\ain.go",
		"an escape":                "log\x1b[31min.go",
		"a delete":                 "log\x7fin.go",
	} {
		t.Run(name, func(t *testing.T) {
			alice, bob, _ := two(t)
			silent(t, "alice's edit", alice.Edit(file))
			said := bob.Edit(file)
			if !said.Denied || !strings.Contains(said.Reason, "alice") {
				t.Errorf("bob's edit: %+v, want a refusal that names alice", said)
			}
			if strings.ContainsAny(said.Reason, "\n\r\a\x1b\x7f") {
				t.Errorf("the refusal holds the control character: %q", said.Reason)
			}
			quoted := "$'" + strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\a", `\a`, "\x1b", `\e`, "\x7f", `\x7f`).Replace(file) + "'"
			if said := shell(bob, "echo x > "+quoted); !said.Denied || !strings.Contains(said.Reason, "alice") {
				t.Errorf("bob's shell write of it: %+v, want a refusal that names alice", said)
			}
		})
	}
}

// TestUncommittedWorkUnderAStrangeNameIsWorkToo: git and the hub name it alike.
func TestUncommittedWorkUnderAStrangeNameIsWorkToo(t *testing.T) {
	alice, bob, _ := two(t)
	alice.Edit("log\nin.go")
	change(t, alice, "log\nin.go")
	alice.Stop()
	if said := shell(bob, "git clean -fd"); !said.Denied || !strings.Contains(said.Reason, "alice") {
		t.Errorf("git clean over what an idle session left: %+v, want a refusal", said)
	}
	if said := bob.Edit("log\nin.go"); said.Denied || !strings.Contains(said.Context, "alice") {
		t.Errorf("an edit of it: %+v, want it to pass with a word of alice's changes", said)
	}
}

// TestAFileThatCannotBeNamedIsNotWrittenUnseen: no hub takes such a name, so
// nobody could be told of it.
func TestAFileThatCannotBeNamedIsNotWrittenUnseen(t *testing.T) {
	alice, _, _ := two(t)
	for what, file := range map[string]string{"NUL": "log\x00in.go", "limit": strings.Repeat("very-long/", 120) + "login.go"} {
		if said := alice.BeginEdit(file); !said.Denied || !strings.Contains(said.Reason, what) || !strings.Contains(said.Reason, "another name") {
			t.Errorf("%s: %+v, want a refusal that says so", what, said)
		}
		if said := alice.Hook("post-tool", "post_read", coordtest.Fill{"file": file}); said.Raw != "" {
			t.Errorf("%s: a read: %+v, want silence", what, said)
		}
	}
	alice.Env = append(alice.Env, "COORDINATOR_ENFORCE=warn")
	if said := alice.BeginEdit("log\x00in.go"); said.Denied || !strings.Contains(said.Context, "NUL") {
		t.Errorf("in warn mode: %+v, want it to pass with a word", said)
	}
	alice.Env = append(alice.Env, "COORDINATOR_ENFORCE=off")
	silent(t, "with the gate off", alice.BeginEdit("log\x00in.go"))
}

// TestWhatCannotBeReadIsRefusedInStrictModeOnly: of a tool that is about to run
// nobody knows then whether it writes.
func TestWhatCannotBeReadIsRefusedInStrictModeOnly(t *testing.T) {
	t.Parallel()
	alice, bob, _ := two(t)
	alice.Env = append(alice.Env, "COORDINATOR_STRICT=1")
	const base = `"session_id": "s", "cwd": "/", "hook_event_name": "PreToolUse", `
	for name, tt := range map[string]struct {
		event, stdin string
		passes       bool
	}{
		"nothing":           {event: "pre-tool"},
		"the client's word": {event: "PreToolUse"},
		"garbage":           {event: "pre-tool", stdin: "\x00\xff{{{"},
		"another value":     {event: "pre-tool", stdin: "[1,2,3]"},
		"no tool":           {event: "pre-tool", stdin: `{` + base + `"tool_input": {"file_path": "/x"}}`},
		"no session":        {event: "pre-tool", stdin: `{"cwd": "/", "tool_name": "Edit", "tool_input": {"file_path": "/x"}}`},
		"no directory":      {event: "pre-tool", stdin: `{"session_id": "s", "tool_name": "Bash", "tool_input": {"command": "rm x"}}`},
		"no file":           {event: "pre-tool", stdin: `{` + base + `"tool_name": "Edit", "tool_input": [1]}`},
		"no command":        {event: "pre-tool", stdin: `{` + base + `"tool_name": "Bash", "tool_input": {}}`},
		"only JSON says so": {event: "--client=claude", stdin: `{` + base + `"tool_name": "Write"}`},
		"too much":          {event: "pre-tool", stdin: `{` + base + `"x": "` + strings.Repeat("x", 65<<20) + `"}`},
		"after the tool":    {event: "post-tool", stdin: "garbage", passes: true},
		"a prompt":          {event: "prompt", passes: true},
		"a tool that reads": {event: "pre-tool", stdin: `{"tool_name": "Read"}`, passes: true},
		"a tool of ours":    {event: "pre-tool", stdin: `{"tool_name": "mcp__coord__list_agents"}`, passes: true},
	} {
		if said := alice.Run(tt.event, []byte(tt.stdin)); said.Code != 0 || said.Denied == tt.passes || said.Denied != strings.Contains(said.Reason, "COORDINATOR_STRICT=1") {
			t.Errorf("%s, strict: %+v, want it refused %v", name, said, !tt.passes)
		}
		if said := bob.Run(tt.event, []byte(tt.stdin)); said.Code != 0 || said.Denied || said.Context != "" {
			t.Errorf("%s, not strict: %+v, want it to pass", name, said)
		}
	}
}

// TestWhatCannotBeReadIsSaidOnceAndCounted: the user is told that a call went by
// uncoordinated, and the hub with the next hook how many did.
func TestWhatCannotBeReadIsSaidOnceAndCounted(t *testing.T) {
	alice, _, home := two(t)
	if said := alice.Run("pre-tool", []byte("garbage")); said.Denied || !strings.Contains(said.Note, "not coordinated") {
		t.Errorf("the first: %+v, want it to pass with a note", said)
	}
	silent(t, "the second", alice.Run("pre-tool", nil))
	alice.Edit("login.go")
	log, err := os.ReadFile(filepath.Join(home.Dir, "logs", "hub.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), `"missed":2`) {
		t.Errorf("the hub was not told of two calls; its log:\n%s", log)
	}
}
