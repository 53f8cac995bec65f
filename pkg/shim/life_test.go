package shim_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/shim"
)

func (h *stubHub) wantLeft(times int) {
	h.t.Helper()
	h.with(func() {
		if h.left != times {
			h.t.Errorf("left the hub %d times, want %d", h.left, times)
		}
	})
}

func TestTheShimLeavesWithItsClient(t *testing.T) {
	h, peer := serving(t, nil)
	_ = peer.in.Close()
	peer.wantEnd()
	h.wantLeft(1)
}

func TestTheShimLeavesAtASignal(t *testing.T) {
	h, peer := serving(t, nil)
	reached := make(chan struct{})
	h.with(func() {
		h.answer = func(http.ResponseWriter, received) {
			close(reached)
			<-h.over
		}
	})
	peer.send(toolCall(1, "wait_for_message", `{"timeout_seconds":50}`))
	peer.send(toolCall(2, "get_thread", `{"thread_id":"T-1"}`))
	<-reached
	began := time.Now()
	peer.stop()
	for range 2 { // both calls are answered
		peer.answer()
	}
	peer.wantEnd()
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
	h.wantLeft(1)
}

func TestTheShimLeavesWhenItsParentIsGone(t *testing.T) {
	var parent atomic.Int64
	parent.Store(int64(os.Getppid()))
	h, peer := serving(t, func(o *shim.Options) { o.Getppid = func() int { return int(parent.Load()) } })
	parent.Store(1)
	peer.wantEnd()
	h.wantLeft(1)
}

func TestAHubThatDoesNotAnswerDelaysTheEndBriefly(t *testing.T) {
	h, peer := serving(t, nil)
	h.mu.Lock() // it answers nothing any more
	began := time.Now()
	_ = peer.in.Close()
	peer.wantEnd()
	h.mu.Unlock()
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestTheLogGoesToStderrAndAFileOfTheHome(t *testing.T) {
	home := newHome(t)
	peer := startShim(t, home, func(o *shim.Options) { o.Patience = 50 * time.Millisecond })
	peer.introduce("x")
	peer.wantRefused(1, "coordinator_status", `{}`)
	_ = peer.in.Close()
	peer.wantEnd()
	name := filepath.Join(home.Dir(), "logs", "shim.log")
	text, err := os.ReadFile(name) // #nosec G304 -- of this test
	if err != nil {
		t.Fatal(err)
	}
	for where, log := range map[string]string{"file": string(text), "stderr": peer.stderr.String()} {
		if !strings.Contains(log, `"msg":"no session at the hub"`) {
			t.Errorf("the %s holds %q", where, log)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestTheLogFileIsCapped(t *testing.T) {
	name := filepath.Join(t.TempDir(), "shim.log")
	stderr := &buffer{}
	log, err := shim.NewLogFile(stderr, name)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 1023) + "\n"
	for range 5 << 10 { // 5 MB
		if _, err := log.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(name + "*")
	if err != nil || len(files) != 2 {
		t.Errorf("files %v, %v, want two", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > 1<<20 {
			t.Errorf("%s has %d bytes", f, info.Size())
		}
	}
	if n := len(stderr.String()); n != 5<<20 {
		t.Errorf("stderr got %d bytes", n)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]shim.Options{
		"Stdin": {}, "Home": {Stdin: os.Stdin, Stdout: &buffer{}}, "Dir": {Stdin: os.Stdin, Stdout: &buffer{}, Home: newHome(t)},
	} {
		if _, err := shim.New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
