package shim_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/shim"
)

func getenv(env map[string]string) func(string) string {
	return func(key string) string { return env[key] }
}

func TestTheRegistrationSaysWhoWeAre(t *testing.T) {
	dir, err := filepath.EvalSymlinks(worktree(t, "src/a.go"))
	if err != nil {
		t.Fatal(err)
	}
	start, err := process.StartTime(os.Getppid())
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"CLAUDE_CODE_SESSION_ID": "session-1", "CLAUDE_PROJECT_DIR": filepath.Join(dir, "src"), "COORDINATOR_PROJECT": "shop"}
	for name, session := range map[string]coord.SessionID{"claude-code": "session-1", "codex-mcp-client": ""} {
		home := newHome(t)
		h := startHub(t, home)
		peer := startShim(t, home, func(o *shim.Options) { o.Getenv, o.AgentName = getenv(env), "alice" })
		peer.introduce(name)
		<-h.subscribed
		got := h.registrations[0]
		host, err := home.HostID()
		if err != nil {
			t.Fatal(err)
		}
		want := coord.Registration{
			Client: coord.ClientInfo{Name: name, Version: "9"}, PID: os.Getppid(), PIDStart: start, Session: session,
			Project: "shop", Fixed: true, Workspace: coord.WorkspaceID(string(host) + ":" + dir), Branch: got.Branch, Host: host,
			Label: "alice", FoldCase: got.FoldCase,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAProjectDirThatIsNoneIsIgnored(t *testing.T) {
	home, dir := newHome(t), t.TempDir()
	h := startHub(t, home)
	peer := startShim(t, home, func(o *shim.Options) {
		o.Dir, o.Getenv = dir, getenv(map[string]string{"CLAUDE_PROJECT_DIR": filepath.Join(dir, "gone")})
	})
	peer.introduce("x")
	<-h.subscribed
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if w := string(h.registrations[0].Workspace); !strings.HasSuffix(w, ":"+real) {
		t.Errorf("workspace is %s, want %s", w, real)
	}
}

func TestACallWhoseAnswerWasCutIsRepeatedUnderItsKey(t *testing.T) {
	h, peer := serving(t, nil)
	h.with(func() {
		h.answer = func(w http.ResponseWriter, r received) {
			if r.Nth == 1 {
				cut(w)
				return
			}
			reply(w, "done")
		}
	})
	text, isError := peer.call(1, "post_to_thread", `{"thread_id":"T-1","content":"c"}`)
	if text != `"done"` || isError {
		t.Errorf("got %s", text)
	}
	calls := h.received()
	if len(calls) != 2 || calls[0].Key == "" || calls[0].Key != calls[1].Key || string(calls[0].Args) != string(calls[1].Args) {
		t.Errorf("the hub got %v, want the same call twice", calls)
	}
}

func TestAHubThatRestartsInMidCallIsFoundAgain(t *testing.T) {
	h, peer := serving(t, nil)
	reached := make(chan struct{})
	h.with(func() {
		h.answer = func(w http.ResponseWriter, r received) {
			if r.Nth == 1 {
				close(reached)
				<-h.over // it will never know
			}
			reply(w, "done")
		}
	})
	peer.send(toolCall(1, "post_to_thread", `{"thread_id":"T-1","content":"c"}`))
	<-reached
	h.stop()
	h.with(func() { h.instance = "i-2" })
	h.listen()
	if text, isError := peer.text(peer.answer()); text != `"done"` || isError {
		t.Errorf("got %s", text)
	}
	if calls := h.received(); len(calls) != 2 || calls[0].Key != calls[1].Key {
		t.Errorf("the hub got %v, want the same call twice", calls)
	}
	h.with(func() {
		if n := len(h.registrations); n != 1 {
			t.Errorf("registered %d times; the key was still good", n)
		}
	})
}

func TestAHubThatIsDrainingIsAskedAgain(t *testing.T) {
	h, peer := serving(t, nil)
	h.with(func() {
		h.answer = func(w http.ResponseWriter, r received) {
			if r.Nth < 4 {
				refuse(w, coord.Errorf(coord.Unavailable, "try again", "the hub is leaving"), http.StatusServiceUnavailable)
				return
			}
			reply(w, "done")
		}
	})
	if text, isError := peer.call(1, "coordinator_status", `{}`); text != `"done"` || isError {
		t.Errorf("got %s", text)
	}
}

func TestAHubThatCannotStoreSaysSoAtOnce(t *testing.T) {
	full := coord.Errorf(coord.Storage, "free space on it, then call again; nothing was stored", "the disk of the hub's database is full")
	h, peer := serving(t, nil)
	h.with(func() {
		h.answer = func(w http.ResponseWriter, _ received) { refuse(w, full, http.StatusInsufficientStorage) }
	})
	began := time.Now()
	text, isError := peer.call(1, "post_to_thread", `{"thread_id":"T-1","content":"c"}`)
	if text != full.Error() || !isError {
		t.Errorf("got %q, want the hub's words", text)
	}
	if d, n := time.Since(began), len(h.received()); d > shim.DefaultPatience/2 || n != 1 {
		t.Errorf("told after %v and %d calls", d, n)
	}
	h.with(func() {
		if n := len(h.registrations); n != 1 {
			t.Errorf("registered %d times; the hub was never lost", n)
		}
	})
}

func TestAHubThatCannotStoreASessionSaysSo(t *testing.T) {
	full := coord.Errorf(coord.Storage, "free space on it, then call again; nothing was stored", "the disk of the hub's database is full")
	home := newHome(t)
	h := startHub(t, home)
	h.with(func() { h.noSession = full })
	peer := startShim(t, home, nil)
	peer.introduce("x")
	began := time.Now()
	text, isError := peer.call(1, "coordinator_status", `{}`)
	if text != full.Error() || !isError {
		t.Errorf("got %q, want the hub's words", text)
	}
	if d := time.Since(began); d > shim.DefaultPatience/2 {
		t.Errorf("told after %v", d)
	}
}

func TestAForgottenSessionIsResumed(t *testing.T) {
	h, peer := serving(t, nil)
	h.with(func() { h.key = "key-2" })
	if text, isError := peer.call(1, "coordinator_status", `{}`); isError {
		t.Fatal(text)
	}
	h.with(func() {
		if len(h.registrations) != 2 || h.registrations[1].Resume != "key-1" {
			t.Errorf("registrations %+v, want a second that resumes key-1", h.registrations)
		}
	})
	<-h.subscribed // with the new key
	h.post(1, "T-1", `{}`)
	peer.wantNews(peer.read(2, "wait_for_message", `{"timeout_seconds":50}`), 0, 1)
}

func TestASessionThatIsRefusedForGoodIsAnError(t *testing.T) {
	h, peer := serving(t, nil)
	h.with(func() {
		h.answer = func(w http.ResponseWriter, _ received) {
			refuse(w, coord.Errorf(coord.Unauthorized, "log in", "you are not known"), http.StatusUnauthorized)
		}
	})
	began := time.Now()
	peer.wantRefused(1, "coordinator_status", `{}`, "not known", "log in")
	if d := time.Since(began); d > shim.DefaultPatience/2 {
		t.Errorf("told after %v", d)
	}
}

func TestAHubThatAcceptsAndSaysNothingIsNotWaitedForLong(t *testing.T) {
	home := newHome(t)
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", home.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer := startShim(t, home, func(o *shim.Options) { o.Patience = 50 * time.Millisecond })
	peer.introduce("x")
	began := time.Now()
	peer.wantRefused(1, "wait_for_message", `{}`, "hub")
	peer.wantRefused(2, "coordinator_status", `{}`, "hub")
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("told after %v", d)
	}
}

func TestWithoutAHubACallFailsInTimeAndLaterOnesRecover(t *testing.T) {
	home := newHome(t)
	peer := startShim(t, home, func(o *shim.Options) { o.Patience = 200 * time.Millisecond })
	peer.introduce("x")
	peer.wantRefused(1, "coordinator_status", `{}`, "hub cannot be reached", "coord-hub", "nothing was done")
	h := startHub(t, home)
	<-h.subscribed
	if text, isError := peer.call(2, "coordinator_status", `{}`); isError {
		t.Error(text)
	}
}

func TestACallWaitsForTheHubToCome(t *testing.T) {
	home := newHome(t)
	peer := startShim(t, home, nil)
	peer.introduce("x")
	peer.send(toolCall(1, "coordinator_status", `{}`))
	peer.wantSilence()
	startHub(t, home)
	if text, isError := peer.text(peer.answer()); isError {
		t.Error(text)
	}
}

func TestAChangeWithoutAnAnswerIsNotCalledUndone(t *testing.T) {
	h, peer := serving(t, func(o *shim.Options) { o.Patience = 300 * time.Millisecond })
	h.with(func() {
		h.answer = func(w http.ResponseWriter, _ received) {
			go h.stop()
			<-h.over
		}
	})
	peer.wantRefused(1, "post_to_thread", `{"thread_id":"T-1","content":"c"}`, "may have been carried out")
}

func TestAHomeOpenToOthersIsToldAtOnce(t *testing.T) {
	home := newHome(t)
	if err := os.Mkdir(home.Dir(), 0o755); err != nil { // #nosec G301 -- the fault under test
		t.Fatal(err)
	}
	if err := os.Chmod(home.Dir(), 0o755); err != nil { // #nosec G302 -- the fault under test
		t.Fatal(err)
	}
	peer := startShim(t, home, nil)
	peer.introduce("x")
	began := time.Now()
	peer.wantRefused(1, "coordinator_status", `{}`, "chmod 700")
	if d := time.Since(began); d > shim.DefaultPatience/2 {
		t.Errorf("told after %v", d)
	}
}

func TestARestoredHubStartsTheNewsAnew(t *testing.T) {
	h, peer := serving(t, nil)
	h.post(50, "T-1", `{}`)
	peer.wantNews(peer.read(1, "get_queued_messages", `{}`), 0, 50)
	h.stop()
	h.with(func() { h.instance, h.epoch, h.inbox, h.seen = "i-2", "ep-2", nil, 3 })
	h.listen()
	<-h.subscribed
	h.post(4, "T-1", `{}`)
	n := peer.read(2, "wait_for_message", `{"timeout_seconds":50}`)
	if len(n.Events) == 1 { // the event was not there yet
		n.Events = append(n.Events, peer.read(3, "wait_for_message", `{"timeout_seconds":50}`).Events...)
	}
	first := decode[struct{ Kind coord.EventKind }](t, n.Events[0])
	if first.Kind != coord.KindResync {
		t.Errorf("the first event is %s, want a resync", first.Kind)
	}
	if diff := cmp.Diff([]coord.Seq{3, 4}, n.seqs(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
