package coordtest_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// A session that is stopped (Ctrl-Z, a debugger, a closed lid) takes part in a
// busy thread. Its socket fills up; the others must not notice, and it gets
// everything once it goes on.
func TestAStoppedSessionSlowsNobody(t *testing.T) {
	const posts = 300
	const bound = time.Second // half of the broker's write deadline, which a stalled publisher would wait for
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice, bob, carol := home.Agent("alice", repo.Dir), home.Agent("bob", repo.Dir), home.Agent("carol", repo.Dir)
	alice.Announce("src/index.ts")
	bob.Announce("src/index.ts")
	verdict := carol.Announce("src/index.ts")
	if len(verdict.ConcernedAgents) != 2 {
		t.Fatalf("carol is told %+v, want a thread with alice and bob", verdict)
	}
	thread := *verdict.ThreadID

	// pace posts n messages as alice, each big, and measures until bob has it.
	sent := 0
	pace := func(n int) (calls, pushes []time.Duration) {
		for range n {
			sent++
			text := fmt.Sprintf("message %d %s", sent, strings.Repeat("x", 3900))
			start := time.Now()
			posted := Post(alice, thread, text, coord.ContextMessage)
			calls = append(calls, time.Since(start))
			bob.AwaitThat("the message", func(d coord.Event) bool {
				return d.Kind == coord.KindMessagePosted && coordtest.Payload[coord.MessagePosted](t, d).MessageID == posted.MessageID
			})
			pushes = append(pushes, time.Since(start))
		}
		return calls, pushes
	}

	calls, pushes := pace(20)
	t.Logf("all awake: call %v, push %v", spread(calls), spread(pushes))
	if err := carol.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	calls, pushes = pace(posts)
	t.Logf("carol stopped: call %v, push %v", spread(calls), spread(pushes))
	if worst := percentile(calls, 100); worst > bound {
		t.Errorf("a post took %v while carol was stopped, want less than %v", worst, bound)
	}
	if worst := percentile(pushes, 100); worst > bound {
		t.Errorf("a push took %v while carol was stopped, want less than %v", worst, bound)
	}
	start := time.Now()
	bob.Announce("src/other.ts")
	if took := time.Since(start); took > bound {
		t.Errorf("an announcement took %v while carol was stopped, want less than %v", took, bound)
	}

	if err := carol.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= sent; n++ {
		got := coordtest.Payload[coord.MessagePosted](t, carol.Await(coord.KindMessagePosted))
		if want := fmt.Sprintf("message %d ", n); !strings.HasPrefix(got.Content, want) {
			t.Fatalf("carol gets %.20q as her %dth message", got.Content, n)
		}
	}
	if got := coordtest.Call(carol, tool.GetThread, tool.GetThreadIn{ThreadID: thread, Limit: 1}); got.Status != coord.ThreadOpen {
		t.Errorf("the thread is %s, want open", got.Status)
	}
}
