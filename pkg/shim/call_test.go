package shim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/shim"
	"github.com/coordhq/coord/pkg/workspace"
)

// serving starts a hub and a client that is introduced and registered.
func serving(t *testing.T, change func(*shim.Options)) (*stubHub, *client) {
	t.Helper()
	home := newHome(t)
	h := startHub(t, home)
	peer := startShim(t, home, change)
	peer.introduce("x")
	<-h.subscribed
	return h, peer
}

func TestTheHubsAnswerComesBackByteForByte(t *testing.T) {
	h, peer := serving(t, nil)
	const answer = `{"z":9007199254740993,"a":1.10,"text":"<b>&amp; \"é\" 日本","list":[],"null":null}`
	h.with(func() {
		h.answer = func(w http.ResponseWriter, _ received) { fmt.Fprintf(w, " %s\n", answer) }
	})
	text, isError := peer.call(1, "coordinator_status", `{}`)
	if diff := cmp.Diff(answer, text); diff != "" || isError {
		t.Errorf("error %v (-want +got):\n%s", isError, diff)
	}
}

func TestArgumentsReachTheHubAsTheyAre(t *testing.T) {
	h, peer := serving(t, nil)
	peer.call(1, "get_thread", `{"thread_id":"T-1","since":9007199254740993}`)
	got := h.received()[0]
	if diff := cmp.Diff(`{"since_seq":9007199254740993,"thread_id":"T-1"}`, string(got.Args)); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

func TestOnlyChangingCallsCarryAKeyAndEachItsOwn(t *testing.T) {
	h, peer := serving(t, nil)
	peer.call(1, "get_thread", `{"thread_id":"T-1"}`)
	for range 3 { // a client that uses one id again and again
		peer.call(2, "post_to_thread", `{"thread_id":"T-1","content":"c"}`)
	}
	calls := h.received()
	if calls[0].Key != "" {
		t.Errorf("a reading call has the key %q", calls[0].Key)
	}
	seen := map[string]bool{}
	for _, c := range calls[1:] {
		if len(c.Key) < 16 || seen[c.Key] {
			t.Errorf("key %q is short or used before", c.Key)
		}
		seen[c.Key] = true
	}
}

func TestWrongCallsAreRefusedHere(t *testing.T) {
	h, peer := serving(t, nil)
	peer.wantRefused(1, "announce_wrok", `{}`, "announce_wrok", "did you mean announce_work?")
	peer.wantRefused(2, "announce-work", `{}`, "announce_work")
	peer.wantRefused(3, "message", `{}`, "wait_for_message or get_queued_messages")
	peer.wantRefused(4, "xyzzy", `{}`, "the tools are: announce_work", "coordinator_status")
	peer.wantRefused(5, "", `{}`, "the tools are")
	peer.wantRefused(6, strings.Repeat("n", 10_000), `{}`, "the tools are")
	peer.wantRefused(7, "sync", `{}`, "no tool")
	peer.wantRefused(8, "announce_work", `{"subject":"s","files":["a"]}`, "files", "target_files")
	peer.wantRefused(9, "announce_work", `{"subject":"s","target_files":["a/"],"expansions":{}}`, "expansions")
	peer.wantRefused(10, "announce_work", `{"subject":5}`, "subject")
	peer.wantRefused(11, "announce_work", `{"subject":"s","subject":"t"}`, "twice")
	peer.wantRefused(12, "announce_work", `["s"]`, "JSON object")
	peer.wantRefused(13, "announce_work", `{}`, "subject")
	peer.wantRefused(14, "coordinator_status", `{"agent_id":"ag-2"}`, "ag-2")
	peer.wantRefused(15, "announce_work", `{"subject":"s","target_files":["../../x"]}`, "../../x")
	peer.wantRefused(16, "wait_for_message", `{"max":"all"}`, "max")
	if calls := h.received(); len(calls) != 0 {
		t.Errorf("the hub was bothered with %v", calls)
	}
	if text, isError := peer.call(17, "coordinator_status", `{"agent_id":"ag-1"}`); isError {
		t.Errorf("with the own agent_id: %s", text)
	}
}

func TestCoreOffersAndTakesOnlyTheCoreTools(t *testing.T) {
	_, peer := serving(t, func(o *shim.Options) { o.Core = true })
	peer.wantRefused(1, "list_agents", `{}`, "no tool")
	if text, isError := peer.call(2, "coordinator_status", `{}`); isError {
		t.Error(text)
	}
}

func TestTheHubsRefusalIsAToolError(t *testing.T) {
	h, peer := serving(t, nil)
	h.with(func() {
		h.answer = func(w http.ResponseWriter, _ received) {
			refuse(w, coord.Errorf(coord.NotFound, "look at coordinator_status", "there is no thread T-9"), http.StatusNotFound)
		}
	})
	text, isError := peer.call(1, "get_thread", `{"thread_id":"T-9"}`)
	if diff := cmp.Diff("there is no thread T-9; look at coordinator_status", text); diff != "" || !isError {
		t.Errorf("error %v (-want +got):\n%s", isError, diff)
	}
}

// worktree makes a git repository with some files.
func worktree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("git", "init", "-q")
	cmd.Dir, cmd.Env = dir, workspace.PlainGitEnv(os.Environ())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git: %v %s", err, out)
	}
	for _, name := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPathsGoToTheHubInTheProjectsForm(t *testing.T) {
	dir := worktree(t, "src/a.go", "src/b.go", "src/deep/c.go", "docs/readme.md", "app/[id]/page.tsx")
	var many []string
	for i := range 510 {
		many = append(many, fmt.Sprintf("many/%03d.txt", i))
	}
	for _, name := range many {
		if err := os.MkdirAll(filepath.Join(dir, "many"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, peer := serving(t, func(o *shim.Options) { o.Dir = filepath.Join(dir, "src") })
	args, err := json.Marshal(map[string]any{
		"subject":          "s",
		"target_files":     []string{"a.go", "./deep/../b.go", filepath.Join(dir, "docs/readme.md"), "deep", "**/*.go", "../many/", "../app/[id]/page.tsx", "new.go"},
		"depends_on_files": []string{"../docs/readme.md"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if text, isError := peer.call(1, "announce_work", string(args)); isError {
		t.Fatal(text)
	}
	type announced struct {
		Targets    []string            `json:"target_files"`
		Depends    []string            `json:"depends_on_files"`
		Expansions map[string][]string `json:"expansions"`
	}
	want := announced{
		Targets: []string{"src/a.go", "src/b.go", "docs/readme.md", "src/deep/", "src/**/*.go", "many/", "app/[id]/page.tsx", "src/new.go"},
		Depends: []string{"docs/readme.md"},
		Expansions: map[string][]string{
			"src/deep/": {"src/deep/c.go"}, "src/**/*.go": {"src/a.go", "src/b.go", "src/deep/c.go"}, "many/": nil,
		},
	}
	got := decode[announced](t, h.received()[0].Args)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("announced (-want +got):\n%s", diff)
	}
}

func TestNamesForManyPatternsStayBelowTheHubsLimit(t *testing.T) {
	var names []string
	for i := range 450 {
		names = append(names, fmt.Sprintf("many/%s%03d", strings.Repeat("n", 200), i))
	}
	h, peer := serving(t, func(o *shim.Options) { o.Dir = worktree(t, names...) })
	peer.call(1, "announce_work", `{"subject":"s","target_files":["many/","many/*","**","many/n*","many/nn*","many/nnn*","m*/*"]}`)
	args := h.received()[0].Args
	wide := 0
	for _, names := range decode[struct{ Expansions map[string][]string }](t, args).Expansions {
		if names == nil {
			wide++
		}
	}
	if wide != 2 || len(args) > 700<<10 {
		t.Errorf("%d patterns without names and %d bytes, want 2 and less than 700 KB", wide, len(args))
	}
}

func TestASinglePathArgumentIsResolved(t *testing.T) {
	dir := worktree(t, "src/a.go")
	h, peer := serving(t, func(o *shim.Options) { o.Dir = filepath.Join(dir, "src") })
	peer.call(1, "log_action_summary", `{"summary":"s","file_path":"a.go"}`)
	if diff := cmp.Diff(`{"file_path":"src/a.go","summary":"s"}`, string(h.received()[0].Args)); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

func TestAnIDIsNoPath(t *testing.T) {
	h, peer := serving(t, func(o *shim.Options) { o.Dir = filepath.Join(worktree(t, "src/a.go", "src/T-1"), "src") })
	for i, tt := range []struct{ given, want string }{{"T-1", "T-1"}, {"A-2", "A-2"}, {"L-3", "L-3"}, {"./T-1", "src/T-1"}, {"a.go", "src/a.go"}} {
		peer.call(i+1, "close_thread", `{"thread_id":"`+tt.given+`"}`)
		args := h.received()[i].Args
		if got := decode[struct {
			ThreadID string `json:"thread_id"`
		}](t, args).ThreadID; got != tt.want {
			t.Errorf("%s went to the hub as %s, want %s", tt.given, got, tt.want)
		}
	}
}

func TestCallsRunBesideEachOther(t *testing.T) {
	h, peer := serving(t, nil)
	release := make(chan struct{})
	h.with(func() {
		h.answer = func(w http.ResponseWriter, r received) {
			if r.Op == "get_thread" {
				<-release
			}
			reply(w, r.Op)
		}
	})
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":50}`))
	peer.send(toolCall(2, "get_thread", `{"thread_id":"T-1"}`))
	if m := peer.ask(toolCall(3, "coordinator_status", `{}`)); string(m.ID) != "3" {
		t.Fatalf("answered %s first", m.ID)
	}
	close(release)
	if m := peer.answer(); string(m.ID) != "2" {
		t.Errorf("answered %s", m.ID)
	}
	h.post(1, "T-1", `{}`)
	if m := peer.answer(); string(m.ID) != "1" {
		t.Errorf("answered %s", m.ID)
	}
}

func TestACancelledCallIsNotAnswered(t *testing.T) {
	h, peer := serving(t, nil)
	reached, gone := make(chan struct{}), make(chan struct{})
	h.with(func() {
		h.answer = func(w http.ResponseWriter, r received) {
			if r.Nth == 1 {
				close(reached)
				<-gone
			}
			reply(w, "late")
		}
	})
	peer.send(toolCall(1, "get_thread", `{"thread_id":"T-1"}`))
	<-reached
	peer.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"no more"}}`)
	peer.wantSilence()
	close(gone)
	if m := peer.ask(toolCall(2, "get_thread", `{"thread_id":"T-1"}`)); string(m.ID) != "2" {
		t.Errorf("answered %s", m.ID)
	}
}
